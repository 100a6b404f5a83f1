"""What waits for a person: shown, tried again, discarded, or erased when nobody came."""

import json
import sqlite3
from datetime import datetime

from runner.store import envelopes, units
from runner.store.database import Database
from runner.store.moments import text
from runner.store.records import Parked

# A person may change their mind about all of these, but not about what is running.
_DISCARDABLE = "status IN ('pending', 'parked', 'dead')"


class Attention(Database):
    """What people and the passing of time decide."""

    def parked(self, job: str | None = None) -> list[Parked]:
        """The records of scheduled runs that nobody has released yet, the oldest first."""
        rows = self.read(
            """SELECT job, record, ids, code, message, fix, since FROM parked
               WHERE released IS NULL AND job = coalesce(?, job) ORDER BY since, job, record""",
            job,
        )
        return [
            Parked(job, record, json.loads(ids), code, message, fix, datetime.fromisoformat(since))
            for job, record, ids, code, message, fix, since in rows
        ]

    def retry(self, name: str | None = None, *, code: str | None = None, now: datetime) -> int:
        """Try again what is parked or dead: one by its id, or all of a code. How many there were.

        A unit is due at once and has all its tries again; a record is handed to the next run of its job.
        """
        return self.change(lambda db: _retry_units(db, name, code, now) + _release_records(db, name, code, now))

    def discard(self, name: str, *, reason: str, now: datetime) -> bool:
        """Erase a unit that isn't running, a quarantined message, or a parked record; False when there is none."""
        return self.change(lambda db: _discard(db, name, reason, now))

    def expire(self, now: datetime) -> int:
        """Erase what nobody settled in time, with receipts. How many there were."""
        return self.change(lambda db: _expire(db, now))


def _retry_units(db: sqlite3.Connection, name: str | None, code: str | None, now: datetime) -> int:
    moment = text(now)
    rows = db.execute(
        """UPDATE units SET status = 'pending', due = ?, since = ?, tries = 0, expires = NULL, settled = NULL
           WHERE status IN ('parked', 'dead') AND (id = ? OR code = ?) RETURNING subject, message""",
        (moment, moment, name, code),
    ).fetchall()
    for subject, message in rows:
        units.line_up(db, subject)
        units.sum_up(db, message, now)
    return len(rows)


def _release_records(db: sqlite3.Connection, name: str | None, code: str | None, now: datetime) -> int:
    released = "UPDATE parked SET released = ? WHERE released IS NULL AND (job || '/' || record = ? OR code = ?)"
    return db.execute(released, (text(now), name, code)).rowcount


def _discard(db: sqlite3.Connection, name: str, reason: str, now: datetime) -> bool:
    if _close_unit(db, f"id = ? AND {_DISCARDABLE}", name, "discarded", f"discarded: {reason}", now):
        return True
    if _close_message(db, "id = ?", name, "discarded", f"discarded: {reason}", now):
        return True
    return db.execute("DELETE FROM parked WHERE job || '/' || record = ?", (name,)).rowcount == 1


def _expire(db: sqlite3.Connection, now: datetime) -> int:
    late = text(now)
    return _close_unit(db, "expires <= ?", late, "expired", "expired", now) + _close_message(
        db, "expires <= ?", late, "expired", "expired", now
    )


def _close_unit(db: sqlite3.Connection, which: str, value: str, status: str, reason: str, now: datetime) -> int:
    rows = db.execute(
        f"UPDATE units SET status = ?, expires = NULL, settled = ? WHERE {which} RETURNING id, subject, message",
        (status, text(now), value),
    ).fetchall()
    for unit, subject, message in rows:
        envelopes.erase(db, unit, reason, now)
        units.line_up(db, subject)
        units.sum_up(db, message, now)
    return len(rows)


def _close_message(db: sqlite3.Connection, which: str, value: str, status: str, reason: str, now: datetime) -> int:
    rows = db.execute(
        f"""UPDATE messages SET status = ?, expires = NULL, settled = ?
            WHERE status = 'quarantined' AND {which} RETURNING id""",
        (status, text(now), value),
    ).fetchall()
    for (message,) in rows:
        envelopes.erase(db, message, reason, now)
    return len(rows)
