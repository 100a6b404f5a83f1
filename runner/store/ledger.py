"""What was sent, how far was read, and which answers wait."""

import json
from collections.abc import Sequence
from datetime import datetime

from runner.store import doubts
from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.entries import Entry, keep_entry, tombstone
from runner.store.moments import document, text

_NOTHING_KNOWN = {"status": "unknown", "value": "", "answer": {}}


class Ledger:
    """Keyed memory of what was sent. An entry is `{"status", "value", "answer"}`, the status *intended*,
    *waiting*, *refused* or *done*.

    Of what was erased there is a tombstone, whose key nobody can read, and which says the same (H53). `in_doubt`: since
    a restore, what this ledger doesn't know may have been sent all the same. Then an entry has `doubtful` beside it;
    who doesn't find in it that all was done writes it back with the status *doubtful*, so that it stays so until a
    person releases it. Nothing is written once the locks of the run may be somebody else's.
    """

    def __init__(self, database: Database, *, in_doubt: bool = False) -> None:
        self._database = database
        self._session = database.session
        self._in_doubt = in_doubt

    def read(self, kind: str, key: str) -> Entry | None:
        """The entry, or None."""
        rows = self._database.read(
            "SELECT status, value, answer FROM ledger WHERE kind = ? AND key IN (?, ?)",
            kind,
            key,
            tombstone(self._database, kind, key),
        )
        found = {"status": rows[0][0], "value": rows[0][1], "answer": json.loads(rows[0][2])} if rows else None
        if found and found["status"] == "released":
            return None
        if self._in_doubt or (found and found["status"] == "doubtful"):
            return {**(found or _NOTHING_KNOWN), "doubtful": True}
        return found

    def write(self, kind: str, key: str, entry: Entry | None) -> None:
        """Keep the entry; forget it when it is None. Where there is a tombstone, it stays one."""

        def work(db: Transaction) -> None:
            self._database.refuse_since(self._session)
            keep_entry(db, kind, key, entry, text(self._database.now()))

        self._database.change(work)


class Outbox(list[Entry]):
    """Answers that wait, as a list; adding and removing is kept at once, so that a run that is killed loses none."""

    def __init__(self, database: Database, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self._database = database
        self._session = database.session

    def append(self, entry: Entry) -> None:
        """Keep an answer, behind all that wait; what waits already isn't kept twice, as after a kill. With it the
        ledger says *waiting*: else the same answer could be sent from elsewhere, too."""
        since = text(self._database.now())

        def work(db: Transaction) -> None:
            self._database.refuse_since(self._session)
            db.execute(
                """INSERT INTO outbox (system, kind, key, entry, since) SELECT ?1, ?2, ?3, ?4, ?5
                   WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE system = ?1 AND entry = ?4)""",
                (entry["system"], entry["kind"], entry["key"], document(entry), since),
            )
            waiting = {"status": "waiting", "value": entry["value"], "answer": {}}
            keep_entry(db, entry["kind"], entry["key"], waiting, since)

        self._database.change(work)
        super().append(entry)

    def remove(self, entry: Entry) -> None:
        """Forget an answer that was delivered."""

        def work(db: Transaction) -> None:
            self._database.refuse_since(self._session)
            db.execute("DELETE FROM outbox WHERE system = ? AND entry = ?", (entry["system"], document(entry)))

        self._database.change(work)
        super().remove(entry)


class Memory(Database):
    """What jobs remember from run to run."""

    def ledger(self, scheduled: str | None = None) -> Ledger:
        """The memory of what was sent, as operations use it; for a scheduled job, by its name, with its doubts."""
        return Ledger(self, in_doubt=scheduled is not None and self.in_doubt(scheduled))

    def in_doubt(self, job: str) -> bool:
        """Whether this scheduled job hasn't yet read once, from its cursor on, since a backup was restored."""
        with self.reading() as db:
            return doubts.in_doubt(db, job)

    def outbox(self, system: str | None = None) -> Outbox:
        """The answers that wait for a system, in order; with None an empty list, to which new ones can be added.

        What a restore has held back isn't among them, nor what waits behind that.
        """
        rows = self.read(
            """SELECT entry FROM outbox WHERE system = ? AND NOT EXISTS (
                 SELECT 1 FROM outbox AS earlier WHERE earlier.held = 1 AND earlier.number <= outbox.number
                   AND earlier.kind = outbox.kind AND earlier.key = outbox.key) ORDER BY number""",
            system,
        )
        return Outbox(self, [json.loads(entry) for (entry,) in rows])

    def cursor(self, job: str) -> str | None:
        """How far this job has read: a server's time stamp, or None."""
        rows = self.read("SELECT cursor FROM cursors WHERE job = ?", job)
        return rows[0][0] if rows else None

    def move_cursor(self, job: str, cursor: str) -> None:
        """Let a job read from another time on, as a person has decided."""

        def work(db: Transaction) -> None:
            now = self.now()
            before = db.execute("SELECT cursor FROM cursors WHERE job = ?", (job,)).fetchone()
            note(db, "cursor_set", now, job=job, before=before and before[0], after=cursor)
            keep_cursor(db, job, cursor, now)

        self.change(work)


def keep_cursor(db: Transaction, job: str, cursor: str, now: datetime) -> None:
    """Remember, within the transaction at hand, how far a job has read and settled."""
    db.execute(
        """INSERT INTO cursors (job, cursor, updated) VALUES (?, ?, ?)
           ON CONFLICT (job) DO UPDATE SET cursor = excluded.cursor, updated = excluded.updated""",
        (job, cursor, text(now)),
    )
