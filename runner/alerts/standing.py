"""The standing of a service: what waits, what is due, and what needs a look, as one document."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runner.alerts.conditions import Condition
from runner.alerts.sight import Sight
from runner.project import Job
from runner.store import Store
from runner.work.lateness import late_since
from runner.work.schedule import next_slot

COUNTED = ("pending", "running", "parked", "dead")


def standing(sight: Sight, on: Sequence[Condition]) -> dict[str, Any]:
    """All of it; `needs_a_look` are the sentences of the conditions."""
    store, jobs = sight.store, sight.jobs
    counts = store.counts(settled=False)
    succeeded = store.last_success()
    off = {name: each.since for name, each in store.switched_off().items()}
    rows = [
        _job(store, job, counts.jobs.get(job.name, {}), succeeded.get(job.name), off.get(job.name), sight.now)
        for job in jobs
    ]
    unknown = {name: by_status for name, by_status in counts.jobs.items() if name not in {job.name for job in jobs}}
    waiting = {
        "oldest": counts.oldest, "quarantined": counts.quarantined, "parked_records": counts.parked,
        "waiting_answers": counts.outbox,
        "of_unknown_jobs": sum(by_status.get(name, 0) for by_status in unknown.values() for name in COUNTED),
    }  # fmt: skip
    resting = [vars(circuit) for circuit in store.circuits(sight.now).values()]
    told = {"needs_a_look": [each.sentence for each in on], "conditions": [each.document() for each in on]}
    return {"jobs": rows, **waiting, "resting": resting, **told}


def _job(
    store: Store, job: Job, counts: Any, succeeded: datetime | None, off: datetime | None, now: datetime
) -> dict[str, Any]:
    last = next(iter(store.runs(1, job=job.name)), None)
    slot = None if off else next_slot(job.triggers, now)
    due = [store.next_due([job.name]), slot] if job.enabled else []
    return {
        "job": job.name,
        "enabled": job.enabled,
        "schedule_off_since": off,
        "next_due": min((time for time in due if time), default=None),
        "last_success": succeeded,
        "last_outcome": last and last.outcome,
        "last_code": last and last.code,
        "late_since": late_since(store, job, now) if job.enabled and not off else None,
        **{status: counts.get(status, 0) for status in COUNTED},
    }
