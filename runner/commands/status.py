"""`runner status`: what waits, what is due, and what needs a look. For people, and for monitoring by its exit code."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.alerts.conditions import Condition, conditions
from runner.alerts.sight import Sight, look
from runner.places import Places
from runner.project import Job, Project
from runner.provenance import UNKNOWN, provenance
from runner.store import Store
from runner.tls import certificates
from runner.work.lateness import late_since
from runner.work.schedule import next_slot

_NEEDS_A_LOOK = 4
_COUNTED = ("pending", "running", "parked", "dead")


def run(arguments: Namespace) -> int:
    """Print the status; 0 when all is well, 4 when something needs a look."""
    places = Places.of(arguments)
    found = project.load(places.project)
    with places.store() as store:
        sight = seen(store, found, places, datetime.now(UTC))
        on = conditions(sight)
        document = status(sight, on)
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


def status(sight: Sight, on: Sequence[Condition]) -> dict[str, Any]:
    """The whole status as a document; `needs_a_look` are the sentences of the conditions."""
    store, jobs = sight.store, sight.jobs
    counts = store.counts()
    rows = [_job(store, job, counts.jobs.get(job.name, {}), sight.now) for job in jobs]
    unknown = {name: by_status for name, by_status in counts.jobs.items() if name not in {job.name for job in jobs}}
    waiting = {
        "oldest": counts.oldest, "quarantined": counts.quarantined, "parked_records": counts.parked,
        "waiting_answers": counts.outbox,
        "of_unknown_jobs": sum(by_status.get(name, 0) for by_status in unknown.values() for name in _COUNTED),
    }  # fmt: skip
    resting = [vars(circuit) for circuit in store.circuits(sight.now).values()]
    told = {"needs_a_look": [each.sentence for each in on], "conditions": [each.document() for each in on]}
    return {"jobs": rows, **waiting, "resting": resting, **told}


def _job(store: Store, job: Job, counts: Any, now: datetime) -> dict[str, Any]:
    last = next(iter(store.runs(1, job=job.name)), None)
    due = [store.next_due([job.name]), next_slot(job.triggers, now)] if job.enabled else []
    return {
        "job": job.name,
        "enabled": job.enabled,
        "next_due": min((time for time in due if time), default=None),
        "last_success": store.last_success().get(job.name),
        "last_outcome": last and last.outcome,
        "last_code": last and last.code,
        "late_since": late_since(store, job, now) if job.enabled else None,
        **{status: counts.get(status, 0) for status in _COUNTED},
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    names = ("job", "enabled", "next_due", "last_success", "last_outcome", *_COUNTED)
    yield from report.table(names, ([row[name] for name in names] for row in document["jobs"]))
    yield ""
    if document["oldest"]:
        yield f"the oldest that waits arrived {report.shown(document['oldest'])}"
    if document["waiting_answers"]:
        yield f"{document['waiting_answers']} answers wait for the far side"
    yield from (f"! {reason}" for reason in document["needs_a_look"])
    if not document["needs_a_look"]:
        yield "nothing needs a look"
