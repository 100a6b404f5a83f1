"""`runner status`: what waits, what is due, and what needs a look. For people, and for monitoring by its exit code."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.alerts import settings
from runner.alerts.conditions import conditions
from runner.alerts.sight import Sight, look
from runner.alerts.standing import COUNTED, standing
from runner.places import Places
from runner.project import Project
from runner.provenance import UNKNOWN, provenance
from runner.store import Store
from runner.tls import certificates

_NEEDS_A_LOOK = 4


def run(arguments: Namespace) -> int:
    """Print the status; 0 when all is well, 4 when something needs a look."""
    places = Places.of(arguments)
    found = project.load(places.project)
    with places.store() as store:
        sight = seen(store, found, places, datetime.now(UTC))
        on = conditions(sight)
        document = {**standing(sight, on), "console": settings.of(found).console}
    if arguments.json:
        report.print_document(document)
    else:
        report.print_lines(_lines(document))
    return _NEEDS_A_LOOK if on else 0


def seen(store: Store, found: Project, places: Places, now: datetime) -> Sight:
    """The sight of a service, from beside it."""
    findings = certificates.look(found, places.credentials, now)
    made_of = provenance(found) if places.production else UNKNOWN  # which git is asked for
    return look(store, found, places, now=now, made_of=made_of, findings=findings)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    names = ("job", "enabled", "next_due", "last_success", "last_outcome", *COUNTED)
    yield from report.table(names, ([row[name] for name in names] for row in document["jobs"]))
    yield ""
    if document["oldest"]:
        yield f"the oldest that waits arrived {report.shown(document['oldest'])}"
    if document["waiting_answers"]:
        yield f"{document['waiting_answers']} answers wait for the far side"
    yield from (f"! {reason}" for reason in document["needs_a_look"])
    if not document["needs_a_look"]:
        yield "nothing needs a look"
