"""`once` and `deliver`: what was sent is remembered, so that it is sent neither twice nor never.

The ledger is an object with two methods, `read(kind, key)` and `write(kind, key, entry)`; docs/architecture.md tells
what an entry holds. The engine brings one that lasts; the one in here lasts as long as its state.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any

from adaptors.errors import FarSideError, JobError, Parked, Unreachable
from adaptors.items import each
from adaptors.operations import Operation, call, check_operations, name_of
from adaptors.promises import State, given
from adaptors.runtime import runtime_of

Entry = dict[str, Any]

# What may wait in the outbox without encryption: ids, codes and our own sentences.
_WAITABLE = re.compile(r"[\w #@.,:;()/+-]{0,1000}", re.ASCII)


class MemoryLedger:
    """A ledger that lasts as long as its state.

    >>> ledger = MemoryLedger()
    >>> ledger.write("referral", "r1", {"status": "done", "value": "", "answer": {}})
    >>> ledger.read("referral", "r1")["status"]
    'done'
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}

    def read(self, kind: str, key: str) -> Entry | None:
        """The entry, or None."""
        return self._entries.get((kind, key))

    def write(self, kind: str, key: str, entry: Entry | None) -> None:
        """Keep the entry; forget it when it is None."""
        if entry is None:
            self._entries.pop((kind, key), None)
        else:
            self._entries[(kind, key)] = entry


def ledger_of(state: State) -> Any:
    """The run's ledger: the engine's, or one in memory, shared by all items of the run.

    >>> state = {}
    >>> ledger_of(state) is ledger_of(state)
    True
    """
    if state.get("ledger") is not None:
        return state["ledger"]
    return runtime_of(state).resource("ledger", MemoryLedger)


def once(
    kind: str,
    key: Any,
    operation: Callable[[State], State],
    *,
    value: Any = "",
    later: bool = False,
    after: str | None = None,
) -> Operation:
    """Run the operation unless the ledger says it was done for this key; *intended* is written before, *done* after.

    With `value`, it is done again whenever the value differs from the last one sent (accepted, rejected, accepted are
    three). An entry found *intended*, from a run that was killed, is done again: operations towards Primero look
    before they write, and DTP recognises what it is sent by its id. `after` names a kind whose entry for the same key
    must not be waiting.

    `later=True` is for answers, whose content is ids and codes only. They are given for every message. When the far
    side can't be reached, what would be sent is kept in the outbox and the item counts as done. An answer that the
    far side refuses is parked: the record itself was not at fault.

    >>> state = {"data": {"id": "r1"}, "item": {"outcome": "done"}}
    >>> sent = once("referral", lambda state: state["data"]["id"], lambda state: {**state, "sent": True})
    >>> state = sent(state)
    >>> sent({**state, "sent": None})["sent"] is None
    True
    """
    check_operations((operation,), "once")
    if later and getattr(operation, "prepare", None) is None:
        raise JobError(
            f"{name_of(operation)} can't be done later: what it sends is not ids and codes only",
            fix="Leave out later=True.",
        )

    def run(state: State) -> State:
        ledger, name = ledger_of(state), _key(given(key, state), kind)
        wanted = _message_id(state) if later else str(given(value, state) or "")
        found = ledger.read(kind, name)
        if found and found["status"] in ("done", "waiting") and found["value"] == wanted:
            _mark_unchanged(state)
            return state
        if after and (ledger.read(after, name) or {}).get("status") == "waiting":
            raise Unreachable(f"an earlier {after} for the same key is still waiting", code="waiting_behind")
        if state.get("dry_run") is not None:
            return call(operation, state)
        if found and found["status"] == "waiting":
            return _keep(state, operation, kind, name, wanted)
        if found and found["status"] == "intended" and not _may_repeat(operation, state):
            raise Parked(
                "it was sent before, and whether it arrived is not known",
                code="outcome_unknown",
                fix="Ask the other agency by the ids; then retry or discard it.",
            )
        try:
            return _sent(state, operation, ledger, kind, name, wanted, found)
        except Unreachable as error:
            if not later or state.get("outbox") is None or (error.unknown and not _may_repeat(operation, state)):
                raise
            return _keep(state, operation, kind, name, wanted)
        except FarSideError as error:
            if not later or error.stops_run or error.retryable:
                raise
            raise Parked(str(error), code="answer_refused", fix=error.fix, ids=error.ids) from None

    return Operation(f"once({name_of(operation)})", run, reads=getattr(operation, "reads", frozenset()))


def deliver(operation: Callable[[State], State]) -> Operation:
    """Send what waits in the outbox, in order per key: behind one that can't be delivered, its later ones wait.

    For the job with trigger `outbox`. The operation finds what to send as `data`. What was delivered leaves
    `state["outbox"]`; what is left is kept by the engine, without end.

    >>> entry = {"system": "progres", "kind": "answer", "key": "INT-1", "value": "", "send": {"status": "…"}}
    >>> state = deliver(lambda state: state)({"outbox": [entry], "ledger": MemoryLedger()})
    >>> state["outbox"], len(state["outcomes"])
    ([], 1)
    """
    check_operations((operation,), "deliver")

    def send_one(state: State) -> State:
        entry = state["data"]
        state["item"]["ids"]["key"] = entry["key"]
        first = next(waiting for waiting in state["outbox"] if waiting["key"] == entry["key"])
        if first is not entry:
            raise Unreachable("an earlier answer for the same key is still waiting", code="waiting_behind")
        ledger = ledger_of(state)
        state = call(operation, {**state, "data": entry["send"]})
        if state.get("dry_run") is None:
            state["outbox"].remove(entry)
            if not any(_same_key(entry, other) for other in state["outbox"]):
                ledger.write(entry["kind"], entry["key"], _entry("done", entry["value"]))
        return state

    return each(lambda state: list(state.get("outbox") or ()), Operation(name_of(operation), send_one))


def _sent(state: State, operation: Any, ledger: Any, kind: str, key: str, value: str, found: Entry | None) -> State:
    ledger.write(kind, key, _entry("intended", value))
    try:
        state = call(operation, state)
    except Exception as error:
        if not getattr(error, "unknown", True):
            ledger.write(kind, key, found)  # certainly without effect: as it was before
        raise
    ledger.write(kind, key, _entry("done", value, state.get("answer") or {}))
    return state


def _keep(state: State, operation: Any, kind: str, key: str, value: str) -> State:
    """Put into the outbox what the operation would send."""
    send = operation.prepare(state)
    for name, content in send.items():
        if content is not None and not _WAITABLE.fullmatch(str(content)):
            raise Parked(f"{name} can't wait in the outbox: it is more than ids and codes", code="not_waitable")
    if state.get("outbox") is None:
        raise Unreachable("the far side can't be reached, and there is no outbox to wait in")
    state["outbox"].append({"system": operation.system, "kind": kind, "key": key, "value": value, "send": send})
    ledger_of(state).write(kind, key, _entry("waiting", value))
    return state


def _entry(status: str, value: str, answer: dict[str, Any] | None = None) -> Entry:
    return {"status": status, "value": value, "answer": answer or {}}


def _same_key(one: Entry, other: Entry) -> bool:
    return bool(one["key"] == other["key"] and one["kind"] == other["kind"])


def _message_id(state: State) -> str:
    """An answer is given once for every message; without an engine, each call counts as a message of its own."""
    return str(state.get("message") or uuid.uuid4().hex)


def _may_repeat(operation: Any, state: State) -> bool:
    allowed = getattr(operation, "may_repeat", None)
    return allowed is None or bool(allowed(state))


def _key(value: Any, kind: str) -> str:
    """What comes from outside may be no number at all; then nobody could recognise what is sent under it."""
    if not value or isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).isprintable():
        raise Parked(
            f"there is no key for the {kind}", code="no_key", fix="Settle it by hand: it has no usable number."
        )
    return str(value)


def _mark_unchanged(state: State) -> None:
    if state.get("item", {}).get("outcome") == "done":
        state["item"]["outcome"] = "unchanged"
