"""Waiting answers: the jobs with trigger `outbox` run until everything is delivered, without end."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

from runner.outcome import Run
from runner.project import Job
from runner.work.running import Performed
from runner.work.windows import parked_records, window_of
from runner.work.workplace import Workplace


class Deliveries:
    """Runs such a job at once when something begins to wait, then after the pauses of the retry table.

    How often it was tried is forgotten when the service ends: at its start everything is tried at once.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        jobs = place.project.jobs.values()
        self._tries = {job.name: 0 for job in jobs if job.enabled and job.delivers_to}
        self._pausing: dict[str, datetime] = {}

    def step(self) -> bool:
        """Run one job that has something to deliver; False when none has, or all pause or run by hand."""
        turns = self._place.turns
        with ExitStack() as held:
            with turns.choosing:
                now = self._place.now()
                due = (job for job in self._free() if self._pausing.get(job.name, now) <= now)
                job = next((job for job in due if self._waiting(job) and turns.take_alone(job, held)), None)
            if job:
                self._deliver(job)
        return job is not None

    def next_due(self) -> datetime | None:
        """When something is to be delivered next; None while nothing waits."""
        now = self._place.now()
        times = (self._pausing.get(job.name) or (now if self._waiting(job) else None) for job in self._free())
        return min((time for time in times if time), default=None)

    def start_over(self) -> None:
        """End all pauses: the clock was set back, and they would last until it has caught up."""
        self._pausing.clear()

    def _free(self) -> list[Job]:
        return [job for job in self._place.turns.free(alone=True) if job.name in self._tries]

    def _waiting(self, job: Job) -> bool:
        return bool(self._place.store.outbox(job.delivers_to))

    def _deliver(self, job: Job) -> None:
        released = self._place.store.revisit(job.name)
        performed = self._place.runs.perform(job, {"revisit": released} if released else {})
        if not performed.stopped:
            self._pause(job, performed.run)
            self._place.settlements.settle(lambda: self._settle(job, performed, released))

    def _pause(self, job: Job, run: Run) -> None:
        """Where nothing could be delivered, the pauses grow; where something could, they begin anew."""
        if not self._waiting(job):
            self._tries[job.name] = 0
            self._pausing.pop(job.name, None)
            return
        self._tries[job.name] = 1 if run.counts["done"] else self._tries[job.name] + 1
        pause = self._place.table.pause(run.causes, self._tries[job.name], self._place.world.chance)
        self._pausing[job.name] = self._place.now() + pause

    def _settle(self, job: Job, performed: Performed, released: Sequence[str]) -> None:
        """An answer that the far side refuses is shown to people, while it still waits."""
        place = self._place
        place.let_rest(job, performed)
        place.keep_remarks(job, performed)
        known = {record.record_id: record.code for record in place.store.parked(job.name)}
        window = window_of(performed.run, place.table, tries={}, parked=known)
        place.store.settle_scheduled(
            job.name,
            performed.record,
            parked=parked_records(job, window),
            settled=window.settled & {*known, *released},
            now=place.now(),
        )
        place.tell_parked(job, window, before=known)
