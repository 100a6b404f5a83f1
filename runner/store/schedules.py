"""Scheduled runs: which slots were taken, and what their runs left: cursor, parked records, tries, what follows."""

from collections.abc import Collection, Mapping
from datetime import datetime

from runner.store import doubts, units
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.ledger import keep_cursor
from runner.store.moments import document, text
from runner.store.records import NewUnit, Parked, RunRecord
from runner.store.runs import keep_run


class Schedules(Database):
    """Runs that no message started."""

    def slot(self, job: str) -> datetime | None:
        """The newest slot that was taken, or None."""
        ((slot,),) = self.read("SELECT max(slot) FROM slots WHERE job = ?", job)
        return datetime.fromisoformat(slot) if slot else None

    def take_slot(self, job: str, slot: datetime, *, now: datetime) -> bool:
        """Take a slot; True for exactly one who tries."""
        taken = "INSERT INTO slots (job, slot, taken) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        name = f"slot {job} {text(slot)}"
        ours = bool(self.recalled(name))  # though we weren't told
        self.forget(name)
        values = (job, text(slot), text(now))
        return ours or self.change_known(name, lambda db: db.execute(taken, values).rowcount == 1)

    def interrupted(self) -> dict[str, datetime]:
        """The jobs whose last slot was taken but not settled: at start, those of a killed service."""
        rows = self.read("SELECT job, max(slot) FROM slots WHERE settled IS NULL GROUP BY job")
        return {job: datetime.fromisoformat(slot) for job, slot in rows}

    def settle_scheduled(
        self,
        job: str,
        run: RunRecord,
        *,
        cursor: str | None = None,
        parked: Collection[Parked] = (),
        tries: Mapping[str, int] | None = None,
        settled: Collection[str] = (),
        next_units: Collection[NewUnit] = (),
        now: datetime,
    ) -> None:
        """Keep what a scheduled run left, all at once.

        `cursor` moves only when it is given. `tries` are those of records that will be tried again, by record id;
        `settled` are the records that need neither that nor a person. The slot that the job took is settled with it.
        """

        def work(db: Transaction) -> None:
            keep_run(db, run)
            if cursor is not None:
                keep_cursor(db, job, cursor, now)
                doubts.end(db, job)
            for record_id in settled:
                _forget(db, job, record_id)
            for record in parked:
                _park(db, job, record, now)
            counted = [(job, record_id, count) for record_id, count in (tries or {}).items()]
            db.executemany(
                """INSERT INTO item_tries (job, record, tries) VALUES (?, ?, ?)
                   ON CONFLICT (job, record) DO UPDATE SET tries = excluded.tries""",
                counted,
            )
            units.add(db, next_units, message=None, turn=units.next_turn(db), now=now)
            db.execute("UPDATE slots SET settled = ? WHERE job = ? AND settled IS NULL", (text(now), job))

        self.change(work)

    def revisit(self, job: str) -> list[str]:
        """The records that a person released for another try, in the order of that."""
        rows = self.read(
            "SELECT record FROM parked WHERE job = ? AND released IS NOT NULL ORDER BY released, record", job
        )
        return [record for (record,) in rows]

    def item_tries(self, job: str) -> dict[str, int]:
        """How often each record failed that isn't settled yet."""
        return dict(self.read("SELECT record, tries FROM item_tries WHERE job = ?", job))


def _park(db: Transaction, job: str, record: Parked, now: datetime) -> None:
    db.execute("DELETE FROM item_tries WHERE job = ? AND record = ?", (job, record.record_id))
    db.execute(
        """INSERT INTO parked (job, record, ids, code, message, fix, since) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (job, record) DO UPDATE SET ids = excluded.ids, code = excluded.code,
             message = excluded.message, fix = excluded.fix, released = NULL""",
        (job, record.record_id, document(dict(record.ids)), record.code, record.message, record.fix, text(now)),
    )


def _forget(db: Transaction, job: str, record_id: str) -> None:
    db.execute("DELETE FROM parked WHERE job = ? AND record = ?", (job, record_id))
    db.execute("DELETE FROM item_tries WHERE job = ? AND record = ?", (job, record_id))
