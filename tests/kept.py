"""What tests of the store put into it: messages, units and runs with as little said as possible."""

from datetime import UTC, datetime, timedelta

from runner.store import ItemRecord, NewMessage, NewUnit, RunRecord
from runner.vault import Sealed, WrappedKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ERROR = {"code": "unreachable", "type": "Unreachable", "operation": "send", "item": {}, "fix": None, "retryable": True}


def sealed(text="sealed", epoch="2026-03-01"):
    """An envelope that no vault has made."""
    return Sealed(WrappedKey(epoch, b"wrapped"), text.encode())


def unit(name, *, job="sort", subject=None, envelope=None, started_by="message"):
    """A new unit."""
    return NewUnit(name, job, subject, envelope or sealed(), started_by)


def message(name="m1", *, fingerprint=None, envelope=None):
    """A new message, with a fingerprint of its own."""
    return NewMessage(name, "unhcr", fingerprint or f"fingerprint of {name}", 100, envelope)


def post(store, name, *units, now=NOON, **more):
    """Accept a message with these units, or with one of the same name."""
    return store.accept(message(name, **more), units or [unit(name)], now=now)


def run(name, *outcomes, job="sort", unit_id=None, outcome="succeeded", code=None, ended=NOON):
    """The record of a run with one item per outcome."""
    items = tuple(ItemRecord(index, outcome, {"id": f"c-{index}"}) for index, outcome in enumerate(outcomes))
    return RunRecord(name, job, unit_id, ended - HOUR, ended, outcome, code, items)


def claim(store, now=NOON, jobs=("sort",)):
    """The unit that is due, begun."""
    return store.claim(now, jobs=jobs)
