"""The inbox: what waits, what is tried again, what no job waits for; and its keys, replaced and withdrawn."""

from datetime import timedelta
from typing import Any

from runner import keys as inbox_keys
from runner.console.activity import word
from runner.console.visit import Answer, Moved, Page, Visit
from runner.store import Key, WaitingLine

_OVERLAP = timedelta(hours=72)
_SHOWN = 25


def keys(visit: Visit) -> Answer:
    """What waits, without what is in it, and all keys."""
    known = visit.store.keys()
    return Page("keys.html", {
        "waiting": [_waiting(line) for line in visit.store.waiting(_SHOWN)],
        "again": [_waiting(line) for line in visit.store.again(_SHOWN)],
        "messages": visit.store.quarantined(_SHOWN),
        "keys": [_row(key, inbox_keys.is_active(key, visit.now)) for key in known],
        "most": _SHOWN,
    })  # fmt: skip


def rotate(visit: Visit) -> Answer:
    """Make another key of a label, and show it this once; the old one opens for three days more."""
    label = visit.fields["label"]
    with visit.acting() as store:
        fresh = inbox_keys.rotate(store, label, overlap=_OVERLAP, now=visit.now)
    return Page("key.html", {"label": label, "key": fresh})


def revoke(visit: Visit) -> Answer:
    """Withdraw a key, at once."""
    with visit.acting() as store:
        inbox_keys.revoke(store, visit.fields["id"], now=visit.now)
    return Moved("/keys")


def _waiting(line: WaitingLine) -> dict[str, Any]:
    return {**vars(line), "code": word(line.code)}


def _row(key: Key, active: bool) -> dict[str, object]:
    names = ("id", "label", "created", "expires", "last_used", "revoked")
    return {**{name: getattr(key, name) for name in names}, "active": active}
