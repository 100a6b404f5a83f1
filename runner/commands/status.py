"""`runner status`: what waits, what is due, and what needs a look. For people, and for monitoring by its exit code."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner import project, report
from runner.golive import permission
from runner.places import Places
from runner.project import Job, Project
from runner.provenance import provenance
from runner.store import Store
from runner.work.lateness import late_since
from runner.work.schedule import next_slot

_NEEDS_A_LOOK = 4
_COUNTED = ("pending", "running", "parked", "dead")


def run(arguments: Namespace) -> int:
    """Print the status; 0 when all is well, 4 when something needs a look."""
    places = Places.of(arguments)
    found = project.load(places.project)
    with places.store() as store:
        document = status(store, list(found.jobs.values()), now := datetime.now(UTC))
        if places.production and permission.is_held(store, places, provenance(found)):
            document["needs_a_look"].append("no job starts: the go-live checklist wasn't passed for this configuration")
    document["needs_a_look"] += _of_certificates(found, places.credentials, now)
    if arguments.json:
        report.print_document(document)
    else:
        report.print_lines(_lines(document))
    return _NEEDS_A_LOOK if document["needs_a_look"] else 0


def status(store: Store, jobs: list[Job], now: datetime) -> dict[str, Any]:
    """The whole status as a document; `needs_a_look` are the reasons why somebody should."""
    counts = store.counts()
    rows = [_job(store, job, counts.jobs.get(job.name, {}), now) for job in jobs]
    unknown = {name: by_status for name, by_status in counts.jobs.items() if name not in {job.name for job in jobs}}
    waiting = {
        "oldest": counts.oldest, "quarantined": counts.quarantined, "parked_records": counts.parked,
        "waiting_answers": counts.outbox,
        "of_unknown_jobs": sum(by_status.get(name, 0) for by_status in unknown.values() for name in _COUNTED),
    }  # fmt: skip
    resting = [vars(circuit) for circuit in store.circuits(now).values()]
    return {"jobs": rows, **waiting, "resting": resting, "needs_a_look": list(_reasons(rows, waiting, resting))}


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


def _reasons(rows: list[dict[str, Any]], waiting: dict[str, Any], resting: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["dead"] or row["parked"]:
            yield f"{row['job']}: {row['dead']} dead, {row['parked']} parked"
        if row["enabled"] and row["last_outcome"] == "failed":
            yield f"{row['job']}: the last run failed ({row['last_code']})"
        if row["late_since"]:
            yield f"{row['job']}: no success since {report.shown(row['late_since'])}"
    for name in ("quarantined", "parked_records", "of_unknown_jobs"):
        if waiting[name]:
            yield f"{name.replace('_', ' ')}: {waiting[name]}"
    for circuit in resting:
        yield f"the credential {circuit['credential']} was refused ({circuit['code']}) and rests"


def _of_certificates(found: Project, folder: Path, now: datetime) -> list[str]:
    from runner.tls import certificates  # here, since what it needs takes a while to load

    findings = certificates.look(found, folder, now)
    return [f"{finding.where}: {finding.message}" for finding in findings]


def _lines(document: dict[str, Any]) -> Iterator[str]:
    names = ("job", "enabled", "next_due", "last_success", "last_outcome", *_COUNTED)
    yield from report.table(names, ([row[name] for name in names] for row in document["jobs"]))
    yield ""
    if document["oldest"]:
        yield f"the oldest that waits arrived {report.shown(document['oldest'])}"
    if document["waiting_answers"]:
        yield f"{document['waiting_answers']} answers wait for the far side"
    yield from (f"! {reason}" for reason in document["needs_a_look"] or ())
    if not document["needs_a_look"]:
        yield "nothing needs a look"
