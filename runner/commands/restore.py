"""`runner restore FILE`: a new data directory from a backup; what it can't vouch for isn't sent (R-ER6)."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner import report
from runner.places import Places
from runner.store import prepare, read_backup

_NEEDS_A_LOOK = 4


def run(arguments: Namespace) -> int:
    """Restore into an empty directory; 0, or 4 when the audit log in the backup isn't as it was written.

    Raises WrongUse when something is in the directory, or in the database that the project file names.
    """
    path, places = Path(arguments.file), Places.of(arguments)
    told = read_backup(path)
    prepare(places.data, path)
    with places.store() as store:
        held = store.take_back(path, now=datetime.now(UTC))
        faults = store.audit_faults()
    document = {
        "made": told["made"], "ledger": held.ledger, "records": held.records, "answers": held.answers,
        "waiting_payloads": told.get("waiting payloads"), "faults": faults,
    }  # fmt: skip
    report.print_either(arguments.json, document, _lines(document))
    return _NEEDS_A_LOOK if faults else 0


def _lines(document: dict[str, Any]) -> Iterator[str]:
    made = document["made"]
    yield f"{document['ledger']} rows of the ledger and {document['records']} parked records are back as of {made}"
    yield f"{document['answers']} answers that waited then are held: runner parked shows them"
    yield "what scheduled jobs read again and the ledger doesn't show as done is parked: see runner parked"
    yield f"messages are in no backup ({document['waiting_payloads']} waited): let those since {made} be posted again"
    yield from (f"! the audit log: {fault}" for fault in document["faults"])
