"""What waits for a person: shown, tried again, discarded, or erased when nobody came."""

import json
from datetime import datetime
from typing import Any

from runner.store import doubts, envelopes, units
from runner.store.audit import nameable, note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.entries import change_status
from runner.store.moments import text
from runner.store.records import Parked

# A person may change their mind about all of these, but not about what is running.
DISCARDABLE = "status IN ('pending', 'parked', 'dead')"
PARKED = "job, record, ids, code, message, fix, since"


def parked_record(row: Any) -> Parked:
    """A parked record, of the columns PARKED."""
    job, name, ids, code, message, fix, since = row
    return Parked(job, name, json.loads(ids), code, message, fix, datetime.fromisoformat(since))


class Attention(Database):
    """What people and the passing of time decide."""

    def parked(self, job: str | None = None) -> list[Parked]:
        """The records of scheduled runs that nobody has released yet, the oldest first; then answers that a restore
        has held back."""
        rows = self.read(
            f"""SELECT {PARKED} FROM parked
                WHERE released IS NULL AND job = coalesce(?, job) ORDER BY since, job, record""",
            job,
        )
        with self.reading() as db:
            return [*map(parked_record, rows), *([] if job else doubts.held_answers(db))]

    def parked_for(self, code: str, limit: int) -> list[Parked]:
        """The same for one reason, the oldest of them: what comes meanwhile doesn't take their place."""
        rows = self.read(
            f"""SELECT {PARKED} FROM parked WHERE released IS NULL AND code = ?
                ORDER BY since, job, record LIMIT ?""",
            code, limit,
        )  # fmt: skip
        with self.reading() as db:
            held = doubts.held_answers(db, limit) if code == doubts.CODE else ()
            return [*map(parked_record, rows), *held][:limit]

    def retry(self, name: str | None = None, *, code: str | None = None, now: datetime) -> int:
        """Try again what is parked or dead: one by its id, or all of a code. How many there were.

        A unit is due at once and has all its tries again; a record is handed to the next run of its job.
        """

        def work(db: Transaction) -> int:
            count = _retry_units(db, name, code, now) + _release_records(db, name, code, now)
            if count:
                note(db, "retried", now, id=nameable(db, name) if name else None, code=code, count=count)
            return count

        return self.change(work)

    def discard(self, name: str, *, reason: str, now: datetime) -> bool:
        """Erase a unit that isn't running, a quarantined message, or a parked record; False when there is none.

        With the record of an answer that waits, the answer is dropped: the ledger shows it as done.
        The reason stays in the receipt as long as that; the audit log, which stays for good, doesn't hold it.
        """

        def work(db: Transaction) -> bool:
            found = _discard(db, name, reason, now)
            if found:
                note(db, "discarded", now, id=nameable(db, name))
            return found

        return self.change(work)

    def expired(self, now: datetime) -> int:
        """How many payloads nobody settled in time, so that `expire` would erase them."""
        ((count,),) = self.read(
            """SELECT (SELECT count(*) FROM units WHERE expires <= ?1)
                    + (SELECT count(*) FROM messages WHERE expires <= ?1)""",
            text(now),
        )
        return int(count)

    def expire(self, now: datetime) -> int:
        """Erase what nobody settled in time, with receipts. How many there were."""
        return self.change(lambda db: _expire(db, now))


def _retry_units(db: Transaction, name: str | None, code: str | None, now: datetime) -> int:
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


def _release_records(db: Transaction, name: str | None, code: str | None, now: datetime) -> int:
    answers = doubts.release(db, name, code)
    released = "UPDATE parked SET released = ? WHERE released IS NULL AND (job || '/' || record = ? OR code = ?)"
    return db.execute(released, (text(now), name, code)).rowcount + answers


def _discard(db: Transaction, name: str, reason: str, now: datetime) -> bool:
    if close_unit(db, f"id = ? AND {DISCARDABLE}", name, "discarded", f"discarded: {reason}", now):
        return True
    if close_message(db, "id = ?", name, "discarded", f"discarded: {reason}", now) or doubts.drop_answer(db, name):
        return True
    doubts.drop_parked_answer(db, name)
    return db.execute("DELETE FROM parked WHERE job || '/' || record = ?", (name,)).rowcount == 1


def _expire(db: Transaction, now: datetime) -> int:
    late = text(now)
    return close_unit(db, "expires <= ?", late, "expired", "expired", now) + close_message(
        db, "expires <= ?", late, "expired", "expired", now
    )


def close_unit(db: Transaction, which: str, value: str, status: str, reason: str, now: datetime) -> int:
    """End units before their time and erase their payloads, within the transaction at hand. How many there were."""
    rows = db.execute(
        f"UPDATE units SET status = ?, expires = NULL, settled = ? WHERE {which} RETURNING id, subject, message",
        (status, text(now), value),
    ).fetchall()
    for unit, subject, message in rows:
        _let_pass(db, unit)
        envelopes.erase(db, unit, reason, now)
        units.line_up(db, subject)
        units.sum_up(db, message, now)
    return len(rows)


def _let_pass(db: Transaction, unit: str) -> None:
    """Nothing waits any more behind the answers of a unit that were refused, and shall not be given."""
    rows = db.execute("SELECT ids FROM items JOIN runs ON runs.id = items.run WHERE runs.unit = ?", (unit,)).fetchall()
    for (ids,) in rows:
        change_status(db, json.loads(ids), "refused", "done")


def close_message(db: Transaction, which: str, value: str, status: str, reason: str, now: datetime) -> int:
    """The same for quarantined messages."""
    rows = db.execute(
        f"""UPDATE messages SET status = ?, expires = NULL, settled = ?
            WHERE status = 'quarantined' AND {which} RETURNING id""",
        (status, text(now), value),
    ).fetchall()
    for (message,) in rows:
        envelopes.erase(db, message, reason, now)
    return len(rows)
