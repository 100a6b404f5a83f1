"""To settle: what is parked or dead, by cause; tried again or given up by the very functions that commands use."""

from collections.abc import Callable, Sequence
from typing import Any

from runner.alerts.meanings import meaning
from runner.console.visit import Answer, Moved, Page, Visit
from runner.errors import WrongUse
from runner.logs.events import said
from runner.store import ItemRecord, Parked, Store, UnitLine

_SHOWN = 30
_AT_ONCE = 200  # messages that are routed anew
_LONGEST = 200  # characters of a reason
_QUARANTINED = "quarantined"  # the status of messages that no job waits for, which stands for their cause
KINDS = {"parked": "parked", "dead": "given up", "record": "parked", "held": "held back", _QUARANTINED: "not routed"}
_NEEDS_A_LOOK = ("parked", "failed", "refused")


def causes(visit: Visit) -> Answer:
    """All causes: what each means, what to do, and what it hinders: jobs, how many, since when, when the first ends."""
    found: dict[str, list[Any]] = {}
    for each in visit.store.unsettled():
        if each.kind in KINDS:
            row = {"kind": KINDS[each.kind], "job": each.job, "count": each.count, "since": each.since,
                   "expires": each.expires}  # fmt: skip
            found.setdefault(each.code or each.kind, []).append(row)
    rows = [{"code": str(said("code", code)), "rows": rows, "meaning": meaning(code)} for code, rows in found.items()]
    return Page("causes.html", {"causes": rows})


def cause(visit: Visit) -> Answer:
    """What waits for one cause, the oldest first, each with what to do; messages are shown under Inbox."""
    code = visit.place["code"]
    if code == _QUARANTINED:
        return Moved("/keys")
    units = [_unit(visit, line) for line in visit.store.units_to_settle(code, _SHOWN)]
    records = [_record(visit, record) for record in visit.store.parked_for(code, _SHOWN - len(units))]
    if not units and not records:
        return Page("nothing.html", status=404)
    values = {"code": str(said("code", code)), "meaning": meaning(code), "items": [*units, *records], "most": _SHOWN}
    return Page("cause.html", values)


def retry(visit: Visit) -> Answer:
    """Try one again; a message that no job waited for is routed anew."""
    message = visit.store.message(visit.fields["id"])
    if message and message.status == _QUARANTINED:
        return _routed(visit, [message.id])
    return _settled(visit, lambda store, name: bool(store.retry(name, now=visit.now)))


def retry_all(visit: Visit) -> Answer:
    """Try again all of one cause; of messages that no job waited for, the oldest."""
    code = visit.fields["code"]
    if code == _QUARANTINED:
        return _routed(visit, [line.id for line in visit.store.quarantined(_AT_ONCE)])
    with visit.acting() as store:
        store.retry(code=code, now=visit.now)
    return Moved("/settle")


def discard(visit: Visit) -> Answer:
    """Give one up, and erase it; the reason stays in its receipt."""
    reason = visit.fields.get("reason", "").strip()
    if not reason or len(reason) > _LONGEST:
        return Page("refused.html", {"why": "reason"}, status=400)
    return _settled(visit, lambda store, name: store.discard(name, reason=reason, now=visit.now))


def _unit(visit: Visit, line: UnitLine) -> dict[str, Any]:
    """Of what a job has parked itself, its last run tells which record that was, and what to do."""
    error = line.error or {}
    last = None if error.get("item") or error.get("fix") else _last_item(visit, line.id)
    ids, fix = (last.ids, last.fix) if last else (error.get("item") or {}, error.get("fix"))
    return {"id": line.id, "job": line.job, "what": KINDS[line.status], "since": line.settled,
            "expires": line.expires, "ids": visit.ids(ids), "fix": visit.told(fix)}  # fmt: skip


def _last_item(visit: Visit, unit: str) -> ItemRecord | None:
    """The first item that needed a look when a unit was run last."""
    runs = visit.store.runs_of(unit, limit=1)
    found = visit.store.run(runs[0].id) if runs else None
    return next((item for item in found.items if item.outcome in _NEEDS_A_LOOK), None) if found else None


def _record(visit: Visit, record: Parked) -> dict[str, Any]:
    return {"id": visit.service.keyed(record.id), "job": record.job, "what": "parked", "since": record.since,
            "expires": None, "ids": visit.ids(record.ids), "fix": visit.told(record.fix)}  # fmt: skip


def _routed(visit: Visit, messages: Sequence[str]) -> Answer:
    """How many messages have a job by now, and how many still have none, or are more than a message may be."""
    with visit.acting() as store:
        taken = [_is_routed(visit, store, message) for message in messages]
    return Page("routed.html", {"routed": sum(taken), "left": len(taken) - sum(taken)})


def _is_routed(visit: Visit, store: Store, message: str) -> bool:
    try:
        taken = visit.service.route(store, message)
    except WrongUse:
        return False
    return taken is not None and taken.matched > 0


def _settled(visit: Visit, do: Callable[[Store, str], bool]) -> Answer:
    with visit.acting() as store:
        found = do(store, _name(visit))
    return Moved("/settle") if found else Page("nothing.html", status=404)


def _name(visit: Visit) -> str:
    """What a page showed keyed, as the store names it: the page of its cause is looked at once more."""
    shown, code = visit.fields["id"], visit.fields.get("code", "")
    known = {visit.service.keyed(record.id): record.id for record in visit.store.parked_for(code, 2 * _SHOWN)}
    return known.get(shown, shown)
