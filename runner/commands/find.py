"""`runner find ID`: what is known of a referral, by a number that somebody has on paper."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from runner import report
from runner.errors import WrongUse
from runner.logs.log import shown_form
from runner.places import Places
from runner.store import NEEDS_PERSON, WAITING, Known

_MOST = 100
_COLUMNS = {
    "waiting": ("job", "status", "since", "code", "id"),
    "items": ("ended", "job", "outcome", "code", "fix", "run"),
    "sent": ("kind", "status", "updated"),
}


def run(arguments: Namespace) -> int:
    """Print what is known; 0. Raises WrongUse where that is nothing."""
    places = Places.of(arguments)
    wanted = arguments.id.strip()
    vault = places.vault(now=lambda: datetime.now(UTC))
    keyed = vault.keyed if vault.epochs() else None
    with places.store() as store:
        known = store.known(wanted, subject=keyed and keyed(wanted), limit=_MOST)
    if not known:
        raise WrongUse("nothing is known of this id", fix="Is it written as the other system has it?")
    document = {"id": shown_form(keyed, wanted), **_document(known)}
    report.print_either(arguments.json, document, _lines(document))
    return 0


def _document(known: Known) -> dict[str, list[dict[str, Any]]]:
    """What waits, what was done, and what was sent; of each the newest first."""
    units = [
        {
            "id": line.id,
            "job": line.job,
            "status": line.status,
            "since": line.settled or line.arrived,
            "code": line.code,
        }
        for line in known.units
        if line.status in (*WAITING, *NEEDS_PERSON)
    ]
    records = [
        {"id": each.id, "job": each.job, "status": "parked", "since": each.since, "code": each.code}
        for each in known.records
    ]
    items = [
        {"ended": each.run.ended, "job": each.run.job, "run": each.run.id, "index": each.item.index,
         "outcome": each.item.outcome, "code": each.item.code, "fix": each.item.fix}
        for each in known.items
    ]  # fmt: skip
    return {"waiting": [*units, *records], "items": items, "sent": [asdict(each) for each in known.entries]}


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"the log calls it {document['id']}"
    for part, columns in _COLUMNS.items():
        if document[part]:
            yield from ("", *report.table(columns, ([row[name] for name in columns] for row in document[part])))
