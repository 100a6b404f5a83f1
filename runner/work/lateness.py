"""Scheduled jobs that have been without a success for too long, though each single failure looked harmless."""

from datetime import datetime

from runner.project import Job
from runner.store import Store
from runner.work.schedule import next_slot

INTERVALS = 3  # so many times may come without a success


def late_since(store: Store, job: Job, now: datetime) -> datetime | None:
    """Since when a scheduled job has had no success, where that is longer than INTERVALS of its times; else None.

    A run that left something to a person got through, too. A job that never did is late since the service first met it.
    """
    since = store.last_through(job.name) or first_start(store, job)
    slot = since
    for _ in range(INTERVALS):
        slot = slot and next_slot(job.triggers, slot)
    return since if slot and slot <= now else None


def first_start(store: Store, job: Job) -> datetime | None:
    """When the service met a job first; None where it hasn't yet."""
    kept = store.setting(_first_start(job))
    return datetime.fromisoformat(kept) if kept else None


def keep_first_start(store: Store, job: Job, now: datetime) -> datetime:
    """Remember that the service meets a job first now; gives that moment."""
    store.set_setting(_first_start(job), now.isoformat())
    return now


def _first_start(job: Job) -> str:
    return f"first start of {job.name}"
