"""To settle: what is parked or dead, by cause; tried again or given up by the very functions that commands use."""

from typing import Any

from runner.console.visit import Answer, Moved, Page, Visit
from runner.logs.events import said

_SHOWN = 50
_LONGEST = 200  # characters of a reason
_KINDS = {"parked": "parked", "dead": "given up", "record": "parked", "held": "held back", "quarantined": "not routed"}


def causes(visit: Visit) -> Answer:
    """All causes, with what each hinders: jobs, how many, since when, and when the first is erased."""
    found: dict[str, list[Any]] = {}
    for each in visit.store.unsettled():
        if each.kind in _KINDS:
            row = {"kind": _KINDS[each.kind], "job": each.job, "count": each.count, "since": each.since,
                   "expires": each.expires}  # fmt: skip
            found.setdefault(each.code or each.kind, []).append(row)
    return Page("causes.html", {"causes": {str(said("code", code)): rows for code, rows in found.items()}})


def cause(visit: Visit) -> Answer:
    """What waits for one cause, the newest first, each with what to do."""
    code = visit.place["code"]
    units = [
        {"id": line.id, "job": line.job, "what": _KINDS[line.status], "since": line.settled, "expires": line.expires,
         "ids": visit.ids((line.error or {}).get("item") or {}), "fix": visit.told((line.error or {}).get("fix"))}
        for line in visit.store.units_to_settle(code, _SHOWN)
    ]  # fmt: skip
    records = [
        {"id": visit.service.keyed(record.id), "job": record.job, "what": "parked", "since": record.since,
         "expires": None, "ids": visit.ids(record.ids), "fix": visit.told(record.fix)}
        for record in visit.store.parked() if record.code == code
    ]  # fmt: skip
    if not units and not records:
        return Page("nothing.html", status=404)
    values = {"code": str(said("code", code)), "items": [*units, *records][:_SHOWN], "most": _SHOWN}
    return Page("cause.html", values)


def retry(visit: Visit) -> Answer:
    """Try one again."""
    return _settled(visit, lambda store, name: bool(store.retry(name, now=visit.now)))


def retry_all(visit: Visit) -> Answer:
    """Try again all of one cause."""
    with visit.acting() as store:
        store.retry(code=visit.fields["code"], now=visit.now)
    return Moved("/settle")


def discard(visit: Visit) -> Answer:
    """Give one up, and erase it; the reason stays in its receipt."""
    reason = visit.fields.get("reason", "").strip()
    if not reason or len(reason) > _LONGEST:
        return Page("refused.html", {"why": "reason"}, status=400)
    return _settled(visit, lambda store, name: store.discard(name, reason=reason, now=visit.now))


def _settled(visit: Visit, do: Any) -> Answer:
    with visit.acting() as store:
        found = do(store, _name(visit, visit.fields["id"]))
    return Moved("/settle") if found else Page("nothing.html", status=404)


def _name(visit: Visit, shown: str) -> str:
    """What a page showed keyed, as the store names it."""
    known = {visit.service.keyed(record.id): record.id for record in visit.store.parked()}
    return known.get(shown, shown)
