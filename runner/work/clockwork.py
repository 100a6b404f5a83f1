"""Scheduled jobs: which slot is due, one run for all that was missed, and what a run leaves behind."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime

from runner import handover
from runner.project import Job
from runner.work import lateness
from runner.work.running import Performed
from runner.work.schedule import missed_slot, next_slot
from runner.work.units import new_unit
from runner.work.windows import is_id, parked_records, window_of
from runner.work.workplace import Workplace


class Clockwork:
    """Fires what is due, never a job beside itself. What a killed service was at is due again at the next start.

    A schedule that is switched off fires nothing until it is on again; then one run makes up for what was missed.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        jobs = [job for job in place.project.jobs.values() if job.enabled]
        crons = [job for job in jobs if any(trigger.kind == "cron" for trigger in job.triggers)]
        self._jobs = {job.name: job for job in crons}
        self._interrupted = place.store.interrupted().keys() & {job.name for job in crons}
        self._last = {job.name: self._begun(job) for job in crons}
        self._next = {job.name: next_slot(job.triggers, self._last[job.name]) for job in crons}

    def step(self) -> bool:
        """Run one scheduled job that is due; False when none is, other than what runs by hand just now."""
        turns = self._place.turns
        with ExitStack() as held:
            with turns.choosing:
                due = next((each for each in self._due() if turns.take_alone(each[0], held)), None)
            if due:
                self._fire(*due)
        return due is not None

    def next_due(self) -> datetime | None:
        """When the next slot of a job that may run comes; a moment that has passed when one is due."""
        times = (self._last[name] if name in self._interrupted else self._next[name] for name in self._free())
        return min((time for time in times if time), default=None)

    def start_over(self, now: datetime) -> None:
        """Go on from here: the clock was set back, and what it has seen before is still to come."""
        with self._place.turns.choosing:
            for name, job in self._jobs.items():
                self._last[name] = min(self._last[name], now)
                self._next[name] = next_slot(job.triggers, self._last[name])

    def look_round(self) -> None:
        """Another process may have been killed while it ran a job; whoever holds that job's lock is at it still."""
        with self._place.turns.choosing:
            self._interrupted |= self._place.store.interrupted().keys() & self._jobs.keys()

    def _due(self) -> Iterator[tuple[Job, datetime | None]]:
        """The jobs to run, each with the slot to take; None for one that was taken when the service was killed."""
        now = self._place.now()
        for name, job in self._free().items():
            coming = self._next[name]
            if coming and coming <= now:
                yield job, missed_slot(job.triggers, self._last[name], now)
            elif name in self._interrupted:
                yield job, None

    def _free(self) -> dict[str, Job]:
        off = self._place.store.switched_off()
        free = self._place.turns.free(alone=True)
        return {job.name: job for job in free if job.name in self._last and job.name not in off}

    def _begun(self, job: Job) -> datetime:
        """The last slot that was taken; before the first, when the service met the job first: nothing was missed."""
        store = self._place.store
        last, first = store.slot(job.name), lateness.first_start(store, job)
        return last or first or lateness.keep_first_start(store, job, self._place.now())

    def _fire(self, job: Job, slot: datetime | None) -> None:
        place, store = self._place, self._place.store
        if slot:
            taken = store.take_slot(job.name, slot, now=place.now())
            expected = self._next[job.name]
            self._last[job.name], self._next[job.name] = slot, next_slot(job.triggers, slot)
            if not taken:
                return
            self._interrupted.add(job.name)  # until it has run, whatever comes between
            self._tell_slot(job, slot, expected)
        elif job.name not in store.interrupted():  # another process has made up for it
            self._interrupted.discard(job.name)
            return
        released = store.revisit(job.name)
        given = {"cursor": store.cursor(job.name), "revisit": [name for name in released if is_id(name)]}
        performed = place.runs.perform(job, {key: value for key, value in given.items() if value})
        if not performed.stopped:
            self._interrupted.discard(job.name)
            place.settlements.settle(lambda: self._settle(job, performed, released))

    def _tell_slot(self, job: Job, slot: datetime, expected: datetime | None) -> None:
        place = self._place
        if expected and expected < slot:
            place.log.write("schedule_missed", job=job.name, slot=expected, until=slot)
        place.log.write("schedule_fired", job=job.name, slot=slot, late=(place.now() - slot).total_seconds())

    def _settle(self, job: Job, performed: Performed, released: Sequence[str]) -> None:
        place, store, run = self._place, self._place.store, performed.run
        place.let_rest(job, performed)
        place.keep_remarks(job, performed)
        parked = {record.record_id: record.code for record in store.parked(job.name)}
        tries = store.item_tries(job.name)
        window = window_of(run, place.table, tries=tries, parked=parked, revisited=released)
        following = handover.after_success(place.project, run) if run.outcome == "succeeded" else []
        store.settle_scheduled(
            job.name,
            performed.record,
            cursor=window.cursor,
            parked=parked_records(job, window),
            tries=window.tries,
            settled=window.settled & {*parked, *released, *tries},
            next_units=[new_unit(place, start, subject=None, started_by="success") for start in following],
            now=place.now(),
        )
        place.tell_parked(job, window, before=parked)
        if window.cursor:
            place.log.write("cursor_moved", job=job.name, cursor=window.cursor)
        if since := lateness.late_since(store, job, place.now()):
            place.log.write("no_success", job=job.name, since=since)
