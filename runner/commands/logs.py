"""`runner logs inventory|keyed`: what the log can hold, as the sheet that partners sign, and how an id stands in it."""

import csv
import io
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.errors import WrongUse
from runner.logs import inventory
from runner.logs.log import keyed_form
from runner.places import Places
from runner.vault import Vault


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
        document = {"shown_ids": shown_ids, "fields": list(inventory.rows())}
        report.print_either(arguments.json, document, [*inventory.sheet(), "", inventory.shown_line(shown_ids)])
    return 0


def _csv() -> Iterator[str]:
    text = io.StringIO()
    writer = csv.DictWriter(text, inventory.COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(inventory.rows())
    yield from text.getvalue().splitlines()


def _keyed(vault: Vault, name: str) -> Any:
    if not vault.epochs():
        raise WrongUse("the data directory has no keys yet", fix="Start the service once, or give --data.")
    return keyed_form(vault.keyed, name)
