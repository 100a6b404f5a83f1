"""`runner runs list|show`: what was run, and the outcome of each item that changed something or needs a look."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from runner import report
from runner.errors import WrongUse
from runner.places import Places
from runner.store import RunRecord

_LISTED = ("id", "job", "started", "ended", "outcome", "code", "counts")
_ITEM = ("index", "outcome", "ids", "code", "message", "fix")


def run(arguments: Namespace) -> int:
    """Print the list, or one run; 0."""
    with Places.of(arguments).store() as store:
        if arguments.action == "list":
            rows = [_row(each) for each in store.runs(arguments.limit, job=arguments.job)]
            report.print_either(arguments.json, {"runs": rows}, report.table(_LISTED, map(list, _values(rows))))
            return 0
        found = store.run(arguments.id)
    if found is None:
        raise WrongUse(f"there is no run {arguments.id}", fix="runner runs list shows them.")
    items = [asdict(item) for item in found.items]
    steps = [{"name": name, "seconds": seconds} for name, seconds in found.steps]
    document = {**_row(found), "error_type": found.error_type, "steps": steps, "items": items}
    head = [f"{name:13}  {report.shown(value)}" for name, value in document.items() if name not in ("steps", "items")]
    head += [f"step {number:<8}  {step['name']}, {step['seconds']} seconds" for number, step in enumerate(steps, 1)]
    table = report.table(_ITEM, ([item[name] for name in _ITEM] for item in items))
    report.print_either(arguments.json, document, [*head, "", *table])
    return 0


def _row(found: RunRecord) -> dict[str, Any]:
    return {name: getattr(found, name) for name in (*_LISTED, "unit", "version", "configuration")}


def _values(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [[row[name] for name in _LISTED] for row in rows]
