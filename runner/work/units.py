"""Units of work: what one job has to do for one message or hand-over, from its claim to its settlement."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

from runner import custody, handover
from runner.errors import Cause, InUse, StoreError
from runner.handover import Start
from runner.project import Job
from runner.store import NewUnit, StartedBy, Unit, held_as
from runner.work import verdict
from runner.work.running import Performed
from runner.work.subjects import Subjects
from runner.work.verdict import Verdict
from runner.work.workplace import Workplace

_KEPT_DAYS = 7
_IN_USE = timedelta(seconds=1)


class Units:
    """Runs what has been due longest, one at a time per subject, and settles what becomes of it."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._subjects = Subjects()
        retention = place.project.settings.get("retention", {})
        self._kept = timedelta(days=retention.get("payload_days", _KEPT_DAYS))

    def step(self) -> bool:
        """Run one unit that is due; False when none is."""
        return self._begin()

    def begin(self, unit_id: str) -> bool:
        """Run this unit, which was handed out; False when it isn't due, or its job may not run, or somebody has it.

        While it runs it is held among all processes, so that they can tell when whoever was at it is gone.
        """
        give_back = self._place.store.take(held_as(unit_id))
        if give_back is None:
            return False
        try:
            return self._begin(only=unit_id)
        finally:
            give_back()

    def offer(self) -> None:
        """Let be handed out what was given to nobody who could begin it, or to somebody who is gone."""
        store, now = self._place.store, self._place.now()
        if count := store.release_unheld(now):
            self._place.log.write("units_recovered", count=count)
        store.offer(now, jobs=[job.name for job in self._place.turns.free()])

    def _begin(self, *, only: str | None = None) -> bool:
        place = self._place
        with place.turns.choosing:
            free = {job.name: job for job in place.turns.free()}
            unit = place.store.claim(place.now(), jobs=free, only=only)
            if unit is None:
                return False
            job = free[unit.job]
            place.turns.take(job)
        try:
            with ExitStack() as held:
                if self._has_subject(unit, held):
                    self._run(job, unit)
        finally:
            place.turns.give_back(job)
        return True

    def _has_subject(self, unit: Unit, held: ExitStack) -> bool:
        """Hold the unit's subject until `held` ends; False while somebody works on it from the command line."""
        place = self._place
        try:
            if unit.subject:
                held.enter_context(self._subjects.one(unit.subject))
                held.enter_context(place.store.lock(f"subject/{unit.subject}"))
        except StoreError as error:
            due = place.now() + _IN_USE
            place.settlements.settle(lambda: place.store.put_back(unit, now=place.now(), due=due))
            if not isinstance(error, InUse):
                raise
            return False
        return True

    def next_due(self) -> datetime | None:
        """When the next unit is due of a job that may run."""
        return self._place.store.next_due([job.name for job in self._place.turns.free()])

    def _run(self, job: Job, unit: Unit) -> None:
        place = self._place
        try:
            plain = custody.open_sealed(place.store, place.vault, unit.id, unit.sealed)
            performed = place.runs.perform(
                job, handover.unpack(plain), message=unit.message_id or unit.id, unit=unit.id
            )
        except StoreError:  # before anything was done
            self._put_back(unit)
            raise
        if performed.stopped:
            self._put_back(unit)
            return
        found = verdict.on_unit(
            performed.run,
            place.table,
            tries=unit.tries,
            arrived=unit.since,
            now=place.now(),
            chance=place.world.chance,
            endless=unit.started_by == "failure",
        )
        place.settlements.settle(lambda: self._settle(job, unit, plain, performed, found))

    def _put_back(self, unit: Unit) -> None:
        place = self._place
        place.settlements.settle(lambda: place.store.put_back(unit, now=place.now()))

    def _settle(self, job: Job, unit: Unit, plain: bytes, performed: Performed, found: Verdict) -> None:
        place, now, record = self._place, self._place.now(), performed.record
        place.let_rest(job, performed)
        place.keep_remarks(job, performed)
        match found:
            case Verdict("succeeded"):
                following = handover.after_success(place.project, performed.run)
                place.store.succeed(unit, record, self._sealed(following, unit, "success"), now=now)
                place.log.write("payload_erased", job=job.name, unit=unit.id)
            case Verdict("parked"):
                place.store.park(unit, record, expires=now + self._kept, now=now)
                place.log.write("unit_parked", job=job.name, unit=unit.id, code=record.code)
            case Verdict("again", datetime() as due, Cause() as cause):
                place.store.try_again(unit, record, due=due, error=cause.record, now=now)
                place.log.write("unit_again", job=job.name, unit=unit.id, tries=unit.tries, due=due, code=cause.code)
            case Verdict("given_up", _, Cause() as cause):
                following = handover.after_failure(place.project, job.name, handover.unpack(plain), cause)
                place.store.give_up(
                    unit,
                    record,
                    error=cause.record,
                    expires=now + self._kept,
                    next_units=self._sealed(following, unit, "failure"),
                    now=now,
                )
                place.log.write("unit_dead", job=job.name, unit=unit.id, tries=unit.tries, code=cause.code)

    def _sealed(self, following: Sequence[Start], unit: Unit, started_by: StartedBy) -> list[NewUnit]:
        """The units that come after this one, about the same subject."""
        return [new_unit(self._place, start, subject=unit.subject, started_by=started_by) for start in following]


def new_unit(place: Workplace, start: Start, *, subject: str | None, started_by: StartedBy) -> NewUnit:
    """A unit of work that a run starts, with its state sealed."""
    job, state = start
    unit_id = place.world.new_id()
    sealed = place.vault.seal(handover.pack(state), custody.about(unit_id))
    return NewUnit(unit_id, job.name, subject, sealed, started_by)
