"""Finding: what became of a referral, by the number that somebody has on paper, or by the id of a run, unit or message.

The number comes in a form, so that it stands in no address, and in no page but as the log has it.
"""

from typing import Any

from runner.console.activity import item_row, run_row, word
from runner.console.visit import Answer, Moved, Page, Visit
from runner.store import NEEDS_PERSON, WAITING, Entered, Known, UnitLine

_SHOWN = 50
_UNSETTLED = (*WAITING, *NEEDS_PERSON)


def find(visit: Visit) -> Answer:
    """What became of it: what waits, what was done by which job and run, and what was sent."""
    wanted = visit.fields["id"].strip()
    if visit.store.run(wanted):
        return Moved(f"/runs/{wanted}")
    units = [unit] if (unit := visit.store.unit(wanted)) else visit.store.units(message=wanted, limit=_SHOWN)
    known = Known(units=units) if units else visit.known(wanted, _SHOWN)
    if not known:
        return Page("nothing.html", status=404)
    runs = [run_row(found) for line in units for found in visit.store.runs_of(line.id, limit=_SHOWN)]
    rows = {
        "waiting": _waiting(known),
        "items": [item_row(visit, found) for found in known.items],
        "entries": [_entry(each) for each in known.entries],
        "units": [_unit(line) for line in known.units],
    }
    return Page("found.html", {"wanted": visit.shown(wanted), "runs": runs, "most": _SHOWN, **rows})


def _waiting(known: Known) -> list[dict[str, Any]]:
    """What a person must settle, or is tried again by itself."""
    units = [_unit(line) for line in known.units if line.status in _UNSETTLED]
    records = [
        {"job": each.job, "status": "parked", "since": each.since, "due": None, "code": word(each.code)}
        for each in known.records
    ]
    return [*units, *records]


def _unit(line: UnitLine) -> dict[str, Any]:
    names = ("id", "job", "status", "tries", "arrived", "settled")
    due = line.due if line.status in WAITING else None
    return {**{name: getattr(line, name) for name in names}, "since": line.settled or line.arrived, "due": due,
            "code": word(line.code)}  # fmt: skip


def _entry(each: Entered) -> dict[str, Any]:
    return {"kind": word(each.kind), "status": each.status, "updated": each.updated}
