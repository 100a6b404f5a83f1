"""Activity: what was run, found by job, outcome and code; one run with its items; and the same as a table."""

from typing import Any

from runner.console.visit import Answer, Moved, Page, Table, Visit
from runner.logs.events import said
from runner.store import RunRecord

_SHOWN = 50
_TAKEN = 5000
_ITEMS = 200
_COLUMNS = ("id", "job", "started", "seconds", "outcome", "code")
_OUTCOMES = ("succeeded", "needs_person", "failed")


def activity(visit: Visit) -> Answer:
    """The last runs, of one job, outcome or code where that is asked for."""
    rows, wanted = _rows(visit, _SHOWN), _wanted(visit)
    known = visit.store.jobs_run()
    # What nobody has run, or ended with, isn't said again: it may be anything that somebody typed.
    said_again = {
        "job": wanted["job"] if wanted["job"] in known else "",
        "outcome": wanted["outcome"] if wanted["outcome"] in _OUTCOMES else "",
        "code": wanted["code"] if rows else "",
    }
    values = {"runs": rows, "most": _SHOWN, "outcomes": _OUTCOMES, "wanted": said_again, "known": known}
    return Page("activity.html", values)


def table(visit: Visit) -> Answer:
    """The same runs, and more of them, to be taken along."""
    rows = [[row[name] for name in _COLUMNS] for row in _rows(visit, _TAKEN)]
    with visit.acting() as store:
        store.record("log_exported", now=visit.now, count=len(rows))
    return Table("runs.csv", [list(_COLUMNS), *rows])


def run(visit: Visit) -> Answer:
    """One run: how long it took, and what became of its items."""
    found = visit.store.run(visit.place["id"])
    if found is None:
        return Page("nothing.html", status=404)
    items = [
        {"index": item.index, "outcome": item.outcome, "code": _word(item.code), "ids": visit.ids(item.ids),
         "fix": visit.told(item.fix)}
        for item in found.items[:_ITEMS]
    ]  # fmt: skip
    values = {"run": _row(found), "counts": found.counts, "items": items, "left_out": len(found.items) - len(items)}
    return Page("run.html", {**values, "version": found.version, "unit": found.unit})


def find(visit: Visit) -> Answer:
    """What became of a run, a unit of work or a message. The id comes in a form, so that it stands in no address."""
    wanted = visit.fields["id"].strip()
    if visit.store.run(wanted):
        return Moved(f"/runs/{wanted}")
    if unit := visit.store.unit(wanted):
        return Page("unit.html", {"units": [_unit(unit)], "runs": _runs_of(visit, [unit.id])})
    units = visit.store.units(message=wanted, limit=_SHOWN)
    if not units:
        return Page("nothing.html", status=404)
    runs = _runs_of(visit, [unit.id for unit in units])
    return Page("unit.html", {"units": [_unit(unit) for unit in units], "runs": runs})


def _runs_of(visit: Visit, units: list[str]) -> list[dict[str, Any]]:
    return [_row(found) for unit in units for found in visit.store.runs_of(unit, limit=_SHOWN)]


def _unit(line: Any) -> dict[str, Any]:
    names = ("id", "job", "status", "tries", "arrived", "due", "settled")
    return {**{name: getattr(line, name) for name in names}, "code": _word(line.code)}


def _wanted(visit: Visit) -> dict[str, str]:
    return {name: _word(visit.fields.get(name)) for name in ("job", "outcome", "code")}


def _rows(visit: Visit, limit: int) -> list[dict[str, Any]]:
    return [_row(found) for found in visit.store.runs(limit, **_wanted(visit))]


def _row(found: RunRecord) -> dict[str, Any]:
    seconds = round((found.ended - found.started).total_seconds(), 3)
    names = ("id", "job", "started", "ended", "outcome")
    return {**{name: getattr(found, name) for name in names}, "seconds": seconds, "code": _word(found.code)}


def _word(text: str | None) -> str:
    return str(said("code", text)) if text else ""
