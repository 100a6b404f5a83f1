"""`runner reconcile`: what was lost, is unanswered, or must be told to the other agency; by ids only.

The comparing is a job of the project. Its items say in `compared` which job should have sent what: `job`, `kind`,
`key`, `value`, `record`, `made`, and whether it was `sent`. What isn't sent can be queued for that job.
"""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import report
from runner.commands import parked
from runner.commands.run import perform
from runner.errors import WrongUse
from runner.outcome import NEEDS_A_LOOK, Run
from runner.places import Places
from runner.store import Missing, Store

TOLD = "told"  # under which kind the ledger keeps what a person has settled with the other agency

_COLUMNS = ("code", "job", "ids", "message", "fix", "repair")
_NEEDS_A_LOOK = 4
_SETTLED = ("queued", "mended")

Row = dict[str, Any]


def run(arguments: Namespace) -> int:
    """Compare, repair or remember if that is asked for, and print what was found; 4 when something needs a look."""
    result = perform(arguments)
    if result.error:
        report.print_error(result.error)
        return result.exit_code
    with Places.of(arguments).store() as store:
        rows = list(findings(result))
        if arguments.told:
            remember_told(store, rows, arguments.told)
            rows = [row for row in rows if _own_id(row) != arguments.told]
        elif arguments.repair:
            repair(store, result, rows)
        rows += [row for row in _parked(store) if row["job"] != result.job]
    lines = report.table(_COLUMNS, ([row[name] for name in _COLUMNS] for row in rows))
    shown = [{name: row[name] for name in _COLUMNS} for row in rows]
    document = {"job": result.job, "compared": len(result.items), "findings": shown}
    report.print_either(
        arguments.json, document, lines if rows else [f"{len(result.items)} compared, all as it should be"]
    )
    return _NEEDS_A_LOOK if any(row["needs_a_look"] and row["repair"] not in _SETTLED for row in rows) else 0


def findings(result: Run) -> Iterator[Row]:
    """What the job found, in its order: `code`, `job`, `ids`, `message`, `fix`, `repair`, and what is `missing`."""
    for item, record in zip(result.items, result.state.get("outcomes", ()), strict=True):
        compared = record.get("compared") or {}
        missing = not compared.get("sent", True)
        if missing or item["outcome"] in NEEDS_A_LOOK:
            yield {
                "code": item["code"], "job": compared["job"] if missing else result.job, "ids": item["ids"] or {},
                "message": item["message"], "fix": item["fix"], "repair": None,
                "needs_a_look": item["outcome"] in NEEDS_A_LOOK, "missing": compared if missing else None,
            }  # fmt: skip


def repair(store: Store, result: Run, rows: list[Row]) -> None:
    """Queue what is missing, and let jobs that have lost their cursor read on from where this comparing began.

    Each row then tells in `repair` what became of it: `queued`, `held`, `mended` or `under_way`.
    """
    for row in rows:
        if row["missing"]:
            row["repair"] = store.repair(_missing(row), now=store.now())
    records = result.state.get("outcomes", ())
    for job in {record["compared"]["job"] for record in records if record.get("compared")}:
        if result.cursor and store.cursor(job) is None:
            store.move_cursor(job, result.cursor)


def remember_told(store: Store, rows: list[Row], name: str) -> None:
    """Keep that a person has settled a finding with the other agency, so that it isn't listed again.

    Raises WrongUse when no finding is known by this id, which is the last of its ids.
    """
    about = [row for row in rows if _own_id(row) == name]
    if not about:
        raise WrongUse(
            f"nothing that was found is called {name}",
            fix="Give the last of a finding's ids, as runner reconcile shows.",
        )
    for row in about:
        missing = row["missing"]
        store.remember_told(f"{TOLD} {missing['kind']}" if missing else TOLD, name, _value(row), now=store.now())


def _own_id(row: Row) -> str:
    return str(next(reversed(row["ids"].values()), ""))


def _value(row: Row) -> str:
    return row["missing"]["value"] if row["missing"] else ""


def _missing(row: Row) -> Missing:
    compared = row["missing"]
    made = datetime.fromisoformat(compared["made"]) if compared["made"] else None
    return Missing(
        job=compared["job"],
        kind=compared["kind"],
        key=compared["key"],
        record=compared["record"],
        value=compared["value"],
        made=made.replace(tzinfo=made.tzinfo or UTC) if made else None,
        ids=row["ids"],
    )


def _parked(store: Store) -> list[Row]:
    """What waits for a person in other jobs."""
    named = ("code", "job", "ids", "message", "fix")
    return [
        {**{name: row[name] for name in named}, "repair": None, "needs_a_look": True, "missing": None}
        for row in parked.rows(store)
    ]
