"""Comparing: what should have been sent beside what the ledger knows. Nothing is sent or written here."""

import datetime
from typing import Any

from adaptors.errors import Parked, Withheld
from adaptors.ledger import TOLD, ledger_of
from adaptors.operations import Operation
from adaptors.promises import State, given, reads_of
from adaptors.runtime import runtime_of

__all__ = ["age_in_days", "expect", "remembered"]


def remembered(kind: str, key: Any) -> Operation:
    """Look up what the ledger knows: `data` becomes its `{"status", "value"}`, or None where it knows nothing.

    What was begun, and perhaps sent, is known too. After a restore, that nothing is known doesn't mean that nothing
    was sent.

    >>> remembered("referral", "r1")({"data": {"id": "r1"}})["data"] is None
    True
    """

    def run(state: State) -> State:
        found = ledger_of(state).read(kind, str(given(key, state)))
        known = bool(found) and found["status"] != "unknown"
        return {**state, "data": {name: found[name] for name in ("status", "value")} if known else None}

    return Operation("remembered", run, reads=reads_of(key))


def expect(
    kind: str, key: Any, *, by: str, record: Any, value: Any = "", made: Any = None, changed: Any = None, hours: int = 2
) -> Operation:
    """Say that something should have been sent: `unchanged` when the ledger knows that it was, else Parked, `not_sent`.

    `kind`, `key` and `value` are those of the `once` with which the job `by` sends it, and `record` the id by which
    that job reads the record again; so that the engine can queue it. `made` is a time stamp from before which it can't
    have been sent. What `changed` within the last `hours` may still be on its way, and is Withheld, `not_sent_yet`.
    What waits in the outbox is on its way, too; what a person has settled (`told`) isn't asked after any more.

    >>> state = {"data": {"id": "r1"}, "item": {"outcome": "done"}}
    >>> expect("referral", "r1", by="send_referrals", record="c1")(state)
    Traceback (most recent call last):
    ...
    adaptors.errors.Parked: no referral is known to have been sent
    """

    def run(state: State) -> State:
        name, wanted, item = str(given(key, state)), str(given(value, state) or ""), state["item"]
        ledger = ledger_of(state)
        sent = _says(ledger.read(kind, name), ("done", "waiting"), wanted)
        item["compared"] = {
            "job": by, "kind": kind, "key": name, "value": wanted, "record": given(record, state),
            "made": given(made, state), "sent": sent or _says(ledger.read(f"{TOLD} {kind}", name), ("done",), wanted),
        }  # fmt: skip
        if item["compared"]["sent"]:
            item["outcome"] = "unchanged"
            return state
        stamp = given(changed, state)
        if stamp and age_in_days(state, stamp) * 24 < hours:
            raise Withheld(
                f"the {kind} may be on its way", code="not_sent_yet", fix="Wait for the next run of its job."
            )
        raise Parked(
            f"no {kind} is known to have been sent",
            code="not_sent",
            fix="runner reconcile --repair queues it, where it is certain that it wasn't sent.",
        )

    return Operation("expect", run, reads=reads_of([key, value, record, made, changed]))


def age_in_days(state: State, stamp: str) -> float:
    """For how many days something has been so, by a server's time stamp; without a zone that is UTC.

    >>> from adaptors.runtime import Runtime
    >>> age_in_days({"runtime": Runtime()}, "2026-03-01T00:00:00Z") > 1
    True
    """
    moment = datetime.datetime.fromisoformat(stamp)
    passed = runtime_of(state).now() - (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC))
    return float(passed / datetime.timedelta(days=1))


def _says(found: Any, statuses: tuple[str, ...], value: str) -> bool:
    return bool(found) and found["status"] in statuses and found["value"] == value
