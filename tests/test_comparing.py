"""What should have been sent, beside what the ledger knows (adaptors/comparing.py)."""

from datetime import UTC, datetime

import pytest

from adaptors.common import data_value
from adaptors.comparing import age_in_days, expect, remembered
from adaptors.errors import Parked, Withheld
from adaptors.ledger import MemoryLedger
from adaptors.runtime import Runtime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Fixed(Runtime):
    """A runtime whose clock stands still."""

    def now(self):
        return NOON


def state_with(**entries):
    """A state for r1 whose ledger knows these kinds, each as (status, value)."""
    ledger = MemoryLedger()
    for kind, (status, value) in entries.items():
        ledger.write(kind.replace("_", " "), "r1", {"status": status, "value": value, "answer": {}})
    record = {"id": "r1", "case": "c1", "made": "2026-03-01T00:00:00Z", "status": "accepted"}
    return {"data": record, "ledger": ledger, "item": {"outcome": "done", "ids": {}}, "runtime": Fixed()}


def expected(**more):
    """The operation under test, for the record's decision."""
    named = {"value": data_value("status"), "by": "send", "record": data_value("case"), "made": data_value("made")}
    return expect("decision", data_value("id"), **named, **more)


@pytest.mark.parametrize("entry", [("done", "accepted"), ("waiting", "accepted")])
def test_what_was_sent(entry):
    """What the ledger shows as done, or as waiting in the outbox, is as it should be."""
    state = state_with(decision=entry)
    assert "unchanged" == expected()(state)["item"]["outcome"]
    assert state["item"]["compared"]["sent"]


@pytest.mark.parametrize(
    "entries", [{}, {"decision": ("done", "rejected")}, {"decision": ("intended", "accepted")},
                {"decision": ("doubtful", "accepted")}, {"told_decision": ("done", "rejected")},
                {"told": ("done", "accepted")}, {"referral": ("done", "accepted")}],
)  # fmt: skip
def test_what_was_not_sent(entries):
    """R-ID4 Another value, what was only begun, and what was told of something else, count as not sent."""
    state = state_with(**entries)
    with pytest.raises(Parked) as error:
        expected()(state)
    assert "not_sent" == error.value.code
    assert {
        "job": "send", "kind": "decision", "key": "r1", "value": "accepted", "record": "c1",
        "made": "2026-03-01T00:00:00Z", "sent": False,
    } == state["item"]["compared"]  # fmt: skip


def test_told():
    """What a person has settled isn't asked after any more."""
    state = expected()(state_with(told_decision=("done", "accepted")))
    assert "unchanged" == state["item"]["outcome"]


@pytest.mark.parametrize(
    ("changed", "error"), [("2026-03-02T10:01:00Z", Withheld), ("2026-03-02T09:59:00", Parked), (None, Parked)]
)
def test_on_its_way(changed, error):
    """What was changed within two hours may still be on its way."""
    with pytest.raises(error):
        expected(changed=changed)(state_with())


def test_remembered():
    """What was begun is known, and what a restore can't vouch for is not."""
    look = remembered("decision", data_value("id"))
    assert {"status": "intended", "value": "x"} == look(state_with(decision=("intended", "x")))["data"]
    assert [None, None] == [look(state)["data"] for state in (state_with(), state_with(decision=("unknown", "")))]


def test_age():
    """A stamp without a zone is UTC."""
    assert [0.5, 1.5] == [
        age_in_days({"runtime": Fixed()}, stamp) for stamp in ("2026-03-02T00:00:00", "2026-03-01T03:00:00+03:00")
    ]
