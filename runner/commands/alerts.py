"""`runner alerts list|test`: what needs a look now, and whether those who are to be told can be."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner import project, report
from runner.alerts import settings
from runner.alerts.conditions import conditions
from runner.alerts.dispatch import trial, way_of
from runner.alerts.settings import Recipient, Settings
from runner.commands.status import seen
from runner.errors import RunnerError, WrongUse
from runner.places import Places
from runner.project import Project

_NEEDS_A_LOOK = 4


def run(arguments: Namespace) -> int:
    """List what is on now, or send a test to each recipient; 4 when something is on, or somebody can't be told."""
    places = Places.of(arguments)
    found = project.load(places.project)
    return _test(arguments, found, places) if arguments.action == "test" else _list(arguments, found, places)


def _list(arguments: Namespace, found: Project, places: Places) -> int:
    with places.store() as store:
        on = conditions(seen(store, found, places, datetime.now(UTC)))
    rows = [each.document() for each in on]
    console = settings.of(found).console
    report.print_either(arguments.json, {"conditions": rows, "console": console}, _lines(rows, console))
    return _NEEDS_A_LOOK if on else 0


def _lines(rows: list[dict[str, Any]], console: str) -> Iterator[str]:
    for row in rows:
        yield f"{row['severity']:<7} {row['sentence']}"
        since = f"since {report.shown(row['since'])}, " if row["since"] else ""
        yield f"        {since}{row['runbook']}"
        if console:
            yield f"        {console}{row['page']}"
    if not rows:
        yield "nothing needs a look"


def _test(arguments: Namespace, found: Project, places: Places) -> int:
    told = settings.of(found)
    wanted = [each for each in told.recipients if arguments.recipient in (None, each.name)]
    if not wanted:
        fix = "Name one of them in the project file: recipients, in the table alerts (docs/alerts.md)."
        raise WrongUse("there is no recipient of alerts, or none of that name", fix=fix)
    rows = [_tried(each, told, found, places.credentials) for each in wanted]
    report.print_either(arguments.json, {"recipients": rows}, _tried_lines(rows))
    return 0 if all(row["delivered"] for row in rows) else _NEEDS_A_LOOK


def _tried(recipient: Recipient, told: Settings, found: Project, folder: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"recipient": recipient.name, "way": recipient.way}
    try:
        back = way_of(recipient, folder).send(trial(told, recipient, found.name, datetime.now(UTC)))
    except RunnerError as error:
        return {**row, "delivered": False, "code": error.code, "message": str(error), "fix": error.fix}
    return {**row, "delivered": True, "code": back, "message": None, "fix": None}


def _tried_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["delivered"]:
            yield f"{row['recipient']}: delivered by {row['way']}, the far side answered {row['code']}"
        else:
            yield f"! {row['recipient']}: {row['message']} ({row['code']})"
            yield f"  fix: {row['fix']}"
