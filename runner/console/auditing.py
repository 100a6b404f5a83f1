"""Who did what: the newest entries of the audit log, and whether all of it is as it was written."""

from datetime import datetime
from typing import Any

from runner.console.visit import Answer, Page, Visit
from runner.logs.audit import EVENTS
from runner.store import AuditLine

_SHOWN = 100


def log(visit: Visit) -> Answer:
    """The newest entries, of one event where that is asked for."""
    return _page(visit)


def verify(visit: Visit) -> Answer:
    """The same, and what is seen to be other than it was written, which takes a while for a long log."""
    return _page(visit, faults=len(visit.store.audit_faults()))


def _page(visit: Visit, **found: int) -> Page:
    wanted = visit.fields.get("event", "")
    event = wanted if wanted in EVENTS else ""
    entries = visit.store.audit_log(event=event or None, last=_SHOWN)
    number, _ = visit.store.audit_end()
    told = {"rows": [_row(visit, entry) for entry in reversed(entries)], "events": sorted(EVENTS), "wanted": event}
    return Page("audit.html", {**told, "most": _SHOWN, "number": number, **found})


def _row(visit: Visit, entry: AuditLine) -> dict[str, Any]:
    about = [f"{name} {visit.told(str(value))}" for name, value in entry.about.items() if value is not None]
    told = {name: getattr(entry, name) for name in ("number", "event", "who")}
    return {**told, "time": datetime.fromisoformat(entry.time), "about": ", ".join(about)}
