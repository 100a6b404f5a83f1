"""Units of work: in line by arrival, one at a time per subject, each settled in one transaction with its run.

The first unit of each subject is its `head`: nothing of that subject is running or stands before it. Only heads are
claimed, so that claiming costs the same however many wait.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from runner.errors import TakenOver
from runner.store import envelopes
from runner.store.connection import Connection, Transaction
from runner.store.database import Database
from runner.store.moments import document, optional_text, text
from runner.store.records import STATUSES, NewUnit, RunRecord, Unit
from runner.store.runs import keep_run

_CLAIM = "claim"
_IN_LINE = "status IN ('pending', 'running')"  # written like this wherever its index is to be used


def next_turn(db: Transaction) -> int:
    """The place in the order of arrival of what arrives now."""
    (turn,) = db.execute("SELECT coalesce(max(number), 0) + 1 FROM units").fetchone()
    return int(turn)


def add(db: Transaction, units: Collection[NewUnit], *, message: str | None, turn: int, now: datetime) -> None:
    """Put new units in line, with their envelopes."""
    arrived = text(now)
    for unit in units:
        envelopes.keep(db, unit.id, unit.sealed)
        db.execute(
            """INSERT INTO units (id, message, job, subject, started_by, turn, status, arrived, since, due)
               VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)""",
            (unit.id, message, unit.job, unit.subject, unit.started_by, turn, arrived, arrived, arrived),
        )
    for subject in dict.fromkeys(unit.subject for unit in units):
        line_up(db, subject)


def line_up(db: Transaction, subject: str | None) -> None:
    """Find out anew who is first of a subject, after something happened to one of its units."""
    if subject is None:
        return
    head = db.execute(
        f"""SELECT number FROM units WHERE subject = ? AND {_IN_LINE}
            ORDER BY status = 'running' DESC, turn, number LIMIT 1""",
        (subject,),
    ).fetchone()
    if head:
        db.execute(
            f"""UPDATE units SET head = CASE WHEN number = ?1 THEN 1 ELSE 0 END WHERE subject = ?2 AND {_IN_LINE}
                  AND head <> CASE WHEN number = ?1 THEN 1 ELSE 0 END""",
            (head[0], subject),
        )


def sum_up(db: Transaction, message: str | None, now: datetime) -> None:
    """A message's status is that of the unit which is least settled."""
    if message is None:
        return
    found = {status for (status,) in db.execute("SELECT DISTINCT status FROM units WHERE message = ?", (message,))}
    status = next(status for status in STATUSES if status in found)
    status = "pending" if status == "running" else status
    settled = None if status == "pending" else text(now)
    db.execute("UPDATE messages SET status = ?, settled = ? WHERE id = ?", (status, settled, message))


class Units(Database):
    """What waits to be done, and what became of it."""

    def claim(self, now: datetime, *, jobs: Collection[str], only: str | None = None) -> Unit | None:
        """Begin the unit of these jobs that has been due longest, or `only` this one; None when nothing is due."""
        if begun := self.recalled(_CLAIM):
            with suppress(TakenOver):
                self.put_back(begun, now=now)  # nobody was told that it was begun
        self.forget(_CLAIM)
        return self.change_known(_CLAIM, lambda db: _claim(db, sorted(jobs), now, only))

    def next_due(self, jobs: Collection[str]) -> datetime | None:
        """When a unit of these jobs will be due, or has been since; None when none waits."""
        with self.reading() as db:
            first = _first_due(db, sorted(jobs), "9999")
        return datetime.fromisoformat(first[0]) if first else None

    def release_abandoned(self, now: datetime) -> int:
        """At start: what a killed service was at is due at once; that try counts. How many there were."""
        return self.change(lambda db: _release_abandoned(db, now))

    def release_unheld(self, now: datetime) -> int:
        """The same, of what nobody holds as `held_as` says: whoever was at it is gone. How many there were."""
        running = [unit_id for (unit_id,) in self.read("SELECT id FROM units WHERE status = 'running'")]
        released = 0
        for unit_id in running:
            if give_back := self.take(held_as(unit_id)):
                try:
                    released += self.change(lambda db, each=unit_id: _release_abandoned(db, now, each))  # type: ignore[misc]
                finally:
                    give_back()
        return released

    def put_back(self, unit: Unit, *, now: datetime, due: datetime | None = None) -> None:
        """Leave a unit that was claimed for later, as if it had not been begun."""
        self.change(lambda db: _settle(db, unit, "pending", now, due=due or now, tries=unit.tries - 1))

    def succeed(self, unit: Unit, run: RunRecord, next_units: Collection[NewUnit] = (), *, now: datetime) -> None:
        """The run succeeded: its payload is erased, and the jobs that follow stand where it stood.

        With an item that was refused the unit counts as refused: the same message is then a new one (H21).
        Like all that settle a unit, this raises TakenOver when the unit isn't the caller's any more.
        """
        refused = any(item.outcome == "refused" for item in run.items)

        def work(db: Transaction) -> None:
            keep_run(db, run)
            _settle(db, unit, "refused" if refused else "succeeded", now, followed_by=next_units)
            envelopes.erase(db, unit.id, "succeeded", now)

        self.change(work)

    def try_again(self, unit: Unit, run: RunRecord, *, due: datetime, error: Mapping[str, Any], now: datetime) -> None:
        """The run failed, and there are tries left. `error` is as in `state["error"]`."""

        def work(db: Transaction) -> None:
            keep_run(db, run)
            _settle(db, unit, "pending", now, due=due, error=error)

        self.change(work)

    def park(self, unit: Unit, run: RunRecord, *, expires: datetime, now: datetime) -> None:
        """The run needs a person; the payload is kept until then."""

        def work(db: Transaction) -> None:
            keep_run(db, run)
            _settle(db, unit, "parked", now, expires=expires, error={"code": run.code})

        self.change(work)

    def give_up(
        self,
        unit: Unit,
        run: RunRecord,
        *,
        error: Mapping[str, Any],
        expires: datetime,
        next_units: Collection[NewUnit] = (),
        now: datetime,
    ) -> None:
        """The last try failed: the unit is dead, its payload is kept until then, and the failure jobs follow."""

        def work(db: Transaction) -> None:
            keep_run(db, run)
            _settle(db, unit, "dead", now, expires=expires, error=error, followed_by=next_units)

        self.change(work)


def _first_due(db: Connection, jobs: Iterable[str], until: str) -> tuple[str, int, int] | None:
    query = """SELECT due, turn, number FROM units WHERE job = ? AND status = 'pending' AND head = 1 AND due <= ?
               ORDER BY due, turn, number LIMIT 1"""
    found = (db.execute(query, (job, until)).fetchone() for job in jobs)
    return min((row for row in found if row), default=None)


def held_as(unit_id: str) -> str:
    """The lock that who is at a unit holds, where other processes look after it.

    >>> held_as("u1")
    'unit/u1'
    """
    return f"unit/{unit_id}"


def _this_one(db: Connection, unit_id: str, jobs: Iterable[str], until: str) -> tuple[str, int, int] | None:
    query = """SELECT due, turn, number, job FROM units WHERE id = ? AND status = 'pending' AND head = 1 AND due <= ?"""
    found = db.execute(query, (unit_id, until)).fetchone()
    return found[:3] if found and found[3] in jobs else None


def _claim(db: Transaction, jobs: Collection[str], now: datetime, only: str | None) -> Unit | None:
    first = _this_one(db, only, jobs, text(now)) if only else _first_due(db, jobs, text(now))
    if first is None:
        return None
    row = db.execute(
        """UPDATE units SET status = 'running', tries = tries + 1, claims = claims + 1 WHERE number = ?
           RETURNING id, message, job, subject, started_by, tries, arrived, since, claims""",
        (first[2],),
    ).fetchone()
    unit_id, message, job, subject, started_by, tries, arrived, since, claims = row
    sealed = envelopes.take(db, unit_id)
    assert sealed, "a unit that isn't settled has its envelope"
    began = datetime.fromisoformat(arrived), datetime.fromisoformat(since)
    return Unit(unit_id, message, job, subject, started_by, tries, *began, claims, sealed)


def _release_abandoned(db: Transaction, now: datetime, only: str | None = None) -> int:
    these = "SELECT number, subject FROM units WHERE status = 'running' AND id = coalesce(?, id)"
    rows = db.execute(these, (only,)).fetchall()
    for number, subject in rows:
        db.execute("UPDATE units SET status = 'pending', due = ? WHERE number = ?", (text(now), number))
        line_up(db, subject)
    return len(rows)


def _settle(
    db: Transaction,
    unit: Unit,
    status: str,
    now: datetime,
    *,
    due: datetime | None = None,
    tries: int | None = None,
    error: Mapping[str, Any] | None = None,
    expires: datetime | None = None,
    followed_by: Collection[NewUnit] = (),
) -> None:
    row = db.execute(
        """UPDATE units SET status = ?, due = coalesce(?, due), tries = ?, code = ?, error = ?, expires = ?, settled = ?
           WHERE id = ? AND status = 'running' AND claims = ? RETURNING turn""",
        (
            status,
            optional_text(due),
            unit.tries if tries is None else tries,
            error.get("code") if error else None,
            document(dict(error)) if error else None,
            optional_text(expires),
            None if status == "pending" else text(now),
            unit.id,
            unit.claims,
        ),
    ).fetchone()
    if row is None:
        raise TakenOver(f"the unit {unit.id} isn't this worker's any more", fix="What it did is kept; leave it.")
    add(db, followed_by, message=unit.message_id, turn=row[0], now=now)
    line_up(db, unit.subject)
    sum_up(db, unit.message_id, now)
