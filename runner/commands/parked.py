"""`runner parked`: what a person must settle, by ids; how to go on stands beside it."""

from argparse import Namespace
from typing import Any

from runner import report
from runner.places import Places
from runner.store import Store

_NEEDS_A_LOOK = 4
_COLUMNS = ("id", "job", "status", "since", "code", "ids", "message", "fix")


def run(arguments: Namespace) -> int:
    """Print what is parked or dead; 4 when there is anything, else 0."""
    with Places.of(arguments).store() as store:
        found = rows(store)
    lines = report.table(_COLUMNS, ([row[name] for name in _COLUMNS] for row in found))
    report.print_either(arguments.json, {"parked": found}, lines if found else ["nothing is parked or dead"])
    return _NEEDS_A_LOOK if found else 0


def rows(store: Store) -> list[dict[str, Any]]:
    """What a person must settle: `id`, `job`, `status`, `since`, `code`, `ids`, `message`, `fix`."""
    return [*_records(store), *_units(store)]


def _records(store: Store) -> list[dict[str, Any]]:
    """Records of scheduled runs."""
    return [
        {
            "id": record.id, "job": record.job, "status": "parked", "since": record.since, "code": record.code,
            "ids": dict(record.ids), "message": record.message, "fix": record.fix,
        }
        for record in store.parked()
    ]  # fmt: skip


def _units(store: Store) -> list[dict[str, Any]]:
    """Messages, and what followed from them."""
    lines = [line for status in ("parked", "dead") for line in store.units(status=status, limit=1000)]
    return [
        {
            "id": line.id, "job": line.job, "status": line.status, "since": line.settled, "code": line.code,
            "ids": (line.error or {}).get("item") or {}, "message": None, "fix": (line.error or {}).get("fix"),
        }
        for line in lines
    ]  # fmt: skip
