"""`runner erase --subject ID`: whatever is known of a person, by the ids that name them, with a receipt (R-ER5)."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime

from runner import custody, project, report, subjects
from runner.errors import InUse, WrongUse
from runner.places import Places
from runner.project import Project
from runner.store import Erased, Store
from runner.subjects import Erasure


def run(arguments: Namespace) -> int:
    """Erase, and print the receipt; 0. Raises InUse, and erases nothing, while work about them may be under way."""
    ids = [each.strip() for each in arguments.subject]
    if not all(ids):
        raise WrongUse("an id is empty", fix="Such as: runner erase --subject GAM-00000901")
    places = Places.of(arguments)
    found = project.load(places.project)
    with places.store() as store, ExitStack() as held:
        vault = places.vault(now=lambda: datetime.now(UTC))
        custody.check(store, vault)
        _keep_out(store, found, held)
        done = subjects.erase(store, vault, ids, now=datetime.now(UTC))
    document = {"receipt": done.receipt, "erased": asdict(done.erased), "scrubbed": done.scrubbed}
    report.print_either(arguments.json, document, _lines(done))
    return 0


def _keep_out(store: Store, found: Project, held: ExitStack) -> None:
    """No job runs meanwhile that reads or delivers by itself: it could hold what is to be erased."""
    for job in found.jobs.values():
        if job.is_scheduled or job.delivers_to:
            try:
                held.enter_context(store.lock(f"job/{job.name}"))
            except InUse:
                fix = "Try again when it has ended; runner status shows it."
                raise InUse(f"{job.name} is running, and may hold what is to be erased", fix=fix) from None


def _lines(done: Erasure) -> Iterator[str]:
    told: Erased = done.erased
    yield f"receipt {done.receipt}"
    yield f"{told.payloads} payloads, {told.records} parked records, {told.items} items of runs were erased"
    yield f"{told.ledger} rows of the ledger are tombstones now: what was sent isn't sent again"
    if told.answers:
        yield f"! {told.answers} answers had not been delivered, and never will be: tell the other agency"
    if not done.scrubbed:
        yield "the files are still being read, and will be scrubbed by the service, or by the next such command"
