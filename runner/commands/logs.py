"""`runner logs inventory|keyed`: what the log can hold, as the sheet that partners sign, and how an id stands in it."""

import csv
import io
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.errors import WrongUse
from runner.logs.events import ALWAYS, EVENTS, FIELDS
from runner.logs.log import keyed_form
from runner.places import Places
from runner.vault import Vault

_COLUMNS = ("event", "level", "when", "field", "class", "meaning")
_SYSTEM_IDS = """\
A system-id that is a random number or a hash is shown as it is.
Any other one may be a person's: it appears as `keyed:` and twelve digits, which this service alone can compute.
"""


def run(arguments: Namespace) -> int:
    """Print the inventory, or an id's form; 0. Raises WrongUse where no key was made yet."""
    places = Places.of(arguments)
    if arguments.action == "keyed":
        form = _keyed(places.vault(now=lambda: datetime.now(UTC)), arguments.id)
        report.print_either(arguments.json, {"keyed": form}, [form])
        return 0
    shown_ids = project.load(places.project).settings["log"].get("shown_ids", [])
    if arguments.csv:
        report.print_lines(_csv())
    else:
        document = {"shown_ids": shown_ids, "fields": list(rows())}
        report.print_either(arguments.json, document, [*sheet(), "", shown_line(shown_ids)])
    return 0


def rows() -> Iterator[dict[str, str]]:
    """One row for each field of each event: what every line has first.

    >>> next(rows())["field"]
    'time'
    """
    always = {"event": "(every event)", "level": "", "when": "always"}
    yield from (always | _field(name) for name in (*ALWAYS, "left_out"))
    for name, event in EVENTS.items():
        told = {"event": name, "level": event.level, "when": event.when}
        for field in event.fields:
            yield told | _field(field)
        if not event.fields:
            yield told | dict.fromkeys(("field", "class", "meaning"), "")


def sheet() -> Iterator[str]:
    """The lines of the inventory as Markdown."""
    yield from ("# What the log can hold", "", *_SYSTEM_IDS.splitlines(), "")
    yield from ("## Fields", "", "| field | class | meaning |", "|---|---|---|")
    yield from (f"| `{name}` | {field.kind} | {field.meaning} |" for name, field in FIELDS.items())
    yield from ("", "## Events", "", f"Each has {', '.join(f'`{name}`' for name in ALWAYS)}, and beside them:", "")
    yield from ("| event | level | written when | fields |", "|---|---|---|---|")
    for name, event in EVENTS.items():
        rarely = "; once a minute at most" if event.rarely else ""
        yield f"| `{name}` | {event.level} | {event.when}{rarely} | {', '.join(event.fields) or '-'} |"


def shown_line(shown_ids: list[str]) -> str:
    """Which ids the project file lets be shown, though they may be a person's (R-LG5).

    >>> shown_line([])
    'Ids that are shown as they are, whosever they may be: none.'
    """
    return f"Ids that are shown as they are, whosever they may be: {', '.join(shown_ids) or 'none'}."


def _field(name: str) -> dict[str, str]:
    return {"field": name, "class": FIELDS[name].kind, "meaning": FIELDS[name].meaning}


def _csv() -> Iterator[str]:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows())
    yield from text.getvalue().splitlines()


def _keyed(vault: Vault, name: str) -> Any:
    if not vault.epochs():
        raise WrongUse("the data directory has no keys yet", fix="Start the service once, or give --data.")
    return keyed_form(vault.keyed, name)
