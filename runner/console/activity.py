"""Activity: runs, and items of runs, chosen by job, outcome, code and day; one run; and the same as a table."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from runner.alerts.meanings import meaning
from runner.console.visit import Answer, Page, Table, Visit
from runner.logs.events import said
from runner.store import Found, RunRecord

_SHOWN = 50
_TAKEN = 2000
_ITEMS = 200
_DAY = timedelta(days=1)
_YEARS = range(2000, 3000)
OUTCOMES = {
    "runs": ("succeeded", "needs_person", "failed"),
    "items": ("done", "withheld", "refused", "parked", "failed"),
}
_COLUMNS = {
    "runs": ("id", "job", "started", "seconds", "outcome", "code"),
    "items": ("ended", "job", "run", "item", "outcome", "code", "ids"),
}


def activity(visit: Visit) -> Answer:
    """The last runs, or items of runs, of those that are asked for."""
    known = {"of": tuple(OUTCOMES), "job": visit.store.jobs_run(), "code": visit.store.codes()}
    wanted = _wanted(visit, known)
    if wanted is None:
        return Page("nothing.html", status=404)
    values = {"wanted": wanted, "known": known, "outcomes": OUTCOMES[wanted["of"]], "most": _SHOWN, "taken": _TAKEN}
    try:
        rows = _rows(visit, wanted, _SHOWN)
    except ValueError:
        no_days = {**wanted, "since": "", "until": ""}
        return Page("activity.html", {**values, "wanted": no_days, "rows": [], "wrong": True}, status=400)
    return Page("activity.html", {**values, "rows": rows, "wrong": False})


def table(visit: Visit) -> Answer:
    """The same, and more of them, to be taken along."""
    wanted = _wanted(visit, {"of": tuple(OUTCOMES), "job": visit.store.jobs_run(), "code": visit.store.codes()})
    try:
        found = _rows(visit, wanted, _TAKEN) if wanted else None
    except ValueError:
        found = None
    if wanted is None or found is None:
        return Page("nothing.html", status=404)
    columns = _COLUMNS[wanted["of"]]
    rows = [[_cell(row[name]) for name in columns] for row in found]
    with visit.acting() as store:
        store.record("log_exported", now=visit.now, count=len(rows))
    return Table(f"{wanted['of']}.csv", [list(columns), *rows])


def run(visit: Visit) -> Answer:
    """One run: what it did and how long that took, what became of its items, and what to do where it failed."""
    found = visit.store.run(visit.place["id"])
    if found is None:
        return Page("nothing.html", status=404)
    items = [item_row(visit, Found(found, item)) for item in found.items[:_ITEMS]]
    steps = [(said("code", name), seconds) for name, seconds in found.steps]
    values = {"run": run_row(found), "counts": found.counts, "items": items, "left_out": len(found.items) - len(items)}
    told = {"steps": steps, "error_type": word(found.error_type), "meaning": meaning(found.code)}
    return Page("run.html", {**values, **told, "version": found.version, "unit": found.unit})


def run_row(found: RunRecord) -> dict[str, Any]:
    """A run, as lists show it."""
    seconds = round((found.ended - found.started).total_seconds(), 3)
    names = ("id", "job", "started", "ended", "outcome")
    return {**{name: getattr(found, name) for name in names}, "seconds": seconds, "code": word(found.code)}


def item_row(visit: Visit, found: Found) -> dict[str, Any]:
    """An item of a run, as lists show it: what could be somebody's number is keyed."""
    item = found.item
    return {
        "ended": found.run.ended, "job": found.run.job, "run": found.run.id, "item": item.index + 1,
        "outcome": item.outcome, "code": word(item.code), "ids": visit.ids(item.ids), "fix": visit.told(item.fix),
    }  # fmt: skip


def word(text: str | None) -> str:
    """A code as pages may show it; "" for none."""
    return str(said("code", text)) if text else ""


def _wanted(visit: Visit, known: Mapping[str, Collection[str]]) -> dict[str, str] | None:
    """What is asked for, with "" for what isn't; None where nothing is called so. Only what is known is said again."""
    of = visit.fields.get("of") or "runs"
    among = {**known, "outcome": OUTCOMES.get(of, ())}
    wanted = {"of": of, **{name: visit.fields.get(name, "") for name in ("job", "outcome", "code", "since", "until")}}
    return wanted if all(not wanted[name] or wanted[name] in words for name, words in among.items()) else None


def _rows(visit: Visit, wanted: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
    """Raises ValueError for a day that is none."""
    since, until = _midnight(wanted["since"]), _midnight(wanted["until"])
    choice: dict[str, Any] = {name: wanted[name] for name in ("job", "outcome", "code")}
    choice |= {"since": since, "until": until and until + _DAY}  # that day is shown, too
    if wanted["of"] == "items":
        return [item_row(visit, found) for found in visit.store.items(limit, **choice)]
    return [run_row(found) for found in visit.store.runs(limit, **choice)]


def _midnight(day: str) -> datetime | None:
    """When a day begins, in UTC. Raises ValueError."""
    if not day:
        return None
    found = date.fromisoformat(day)
    if found.year not in _YEARS:
        raise ValueError("no year of ours")
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _cell(value: Any) -> Any:
    return " ".join(f"{name} {known}" for name, known in value) if isinstance(value, list) else value
