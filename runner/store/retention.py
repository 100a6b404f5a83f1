"""What is older than agreed: runs, settled messages, receipts and slots; ids and codes, no payloads (R-ER8).

The ledger stays, since what it forgets would be sent again; so do parked records, which wait for a person, and the
audit log, in which nothing can be deleted.
"""

from datetime import datetime
from sys import maxsize

from runner.store.audit import note
from runner.store.connection import Connection, Transaction
from runner.store.database import Database
from runner.store.mentions import forget_runs
from runner.store.moments import text

# What there is of each, older than :runs or :messages; numbers or names of rows, at most :most of them.
_OLD = {
    "runs": "SELECT id FROM runs WHERE ended < :runs ORDER BY ended LIMIT :most",
    "messages": """SELECT id FROM messages WHERE settled < :messages AND status <> 'quarantined' ORDER BY number
                   LIMIT :most""",
    "units": "SELECT id FROM units WHERE message IS NULL AND settled < :messages AND expires IS NULL LIMIT :most",
    "receipts": "SELECT number FROM receipts WHERE erased < :runs AND verified IS NOT NULL LIMIT :most",
    "days": "SELECT DISTINCT day FROM days WHERE day < substr(:runs, 1, 10) LIMIT :most",
    # The newest slot of a job tells which was the last to be taken.
    "slots": """SELECT job || ' ' || slot FROM slots WHERE taken < :runs AND settled IS NOT NULL
                  AND slot < (SELECT max(newer.slot) FROM slots AS newer WHERE newer.job = slots.job) LIMIT :most""",
}  # fmt: skip
_DELETE = {
    "runs": ("DELETE FROM items WHERE run = ?", "DELETE FROM runs WHERE id = ?"),
    "messages": ("DELETE FROM units WHERE message = ?", "DELETE FROM messages WHERE id = ?"),
    "units": ("DELETE FROM units WHERE id = ?",),
    "receipts": ("DELETE FROM receipts WHERE number = ?",),
    "days": ("DELETE FROM days WHERE day = ?",),
    "slots": ("DELETE FROM slots WHERE job || ' ' || slot = ?",),
}


class Retention(Database):
    """Counts what is too old, and deletes it piece by piece."""

    def old(self, *, runs: datetime, messages: datetime) -> dict[str, int]:
        """How much there is that is older: of runs, receipts and slots, and of messages with their units."""
        with self.reading() as db:
            return {name: len(rows) for name, rows in _old(db, runs, messages, maxsize).items()}

    def purge(self, *, runs: datetime, messages: datetime, now: datetime, most: int = 500) -> dict[str, int]:
        """Delete at most so many of each that are older, in one transaction. How many were deleted; {} when none."""

        def work(db: Transaction) -> dict[str, int]:
            counts = {}
            for name, rows in _old(db, runs, messages, most).items():
                if name == "runs":
                    forget_runs(db, rows)
                for statement in _DELETE[name]:
                    db.executemany(statement, rows)
                if rows:
                    counts[name] = len(rows)
            if counts:
                note(db, "purged", now, **counts)
            return counts

        return self.change(work)


def _old(db: Connection, runs: datetime, messages: datetime, most: int) -> dict[str, list[tuple[str]]]:
    limits = {"runs": text(runs), "messages": text(messages), "most": most}
    return {name: db.execute(query, limits).fetchall() for name, query in _OLD.items()}
