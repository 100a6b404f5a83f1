"""Keys of the inbox: shown, replaced and withdrawn, as `runner keys` does."""

from datetime import timedelta

from runner import keys as inbox_keys
from runner.console.visit import Answer, Moved, Page, Visit
from runner.store import Key

_OVERLAP = timedelta(hours=72)


def keys(visit: Visit) -> Answer:
    """All keys, and the messages that no job waits for."""
    known = visit.store.keys()
    rows = [_row(key, inbox_keys.is_active(key, visit.now)) for key in known]
    return Page("keys.html", {"keys": rows, "messages": visit.store.messages(status="quarantined", limit=50)})


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


def _row(key: Key, active: bool) -> dict[str, object]:
    names = ("id", "label", "created", "expires", "last_used", "revoked")
    return {**{name: getattr(key, name) for name in names}, "active": active}
