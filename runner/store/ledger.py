"""What was sent, how far was read, and which answers wait."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runner.store.database import Database
from runner.store.moments import document, text

Entry = dict[str, Any]


class Ledger:
    """Keyed memory of what was sent. An entry is `{"status": "intended" | "waiting" | "done", "value", "answer"}`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, kind: str, key: str) -> Entry | None:
        """The entry, or None."""
        rows = self._database.read("SELECT status, value, answer FROM ledger WHERE kind = ? AND key = ?", kind, key)
        return {"status": rows[0][0], "value": rows[0][1], "answer": json.loads(rows[0][2])} if rows else None

    def write(self, kind: str, key: str, entry: Entry | None) -> None:
        """Keep the entry; forget it when it is None."""
        if entry is None:
            self._database.change(lambda db: db.execute("DELETE FROM ledger WHERE kind = ? AND key = ?", (kind, key)))
            return
        kept = (kind, key, entry["status"], entry["value"], document(entry["answer"]), text(self._database.now()))
        self._database.change(
            lambda db: db.execute(
                """INSERT INTO ledger (kind, key, status, value, answer, updated) VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (kind, key) DO UPDATE SET status = excluded.status, value = excluded.value,
                     answer = excluded.answer, updated = excluded.updated""",
                kept,
            )
        )


class Outbox(list[Entry]):
    """Answers that wait, as a list; adding and removing is kept at once, so that a run that is killed loses none."""

    def __init__(self, database: Database, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self._database = database

    def append(self, entry: Entry) -> None:
        """Keep an answer, behind all that wait."""
        kept = (entry["system"], entry["kind"], entry["key"], document(entry), text(self._database.now()))
        self._database.change(
            lambda db: db.execute("INSERT INTO outbox (system, kind, key, entry, since) VALUES (?, ?, ?, ?, ?)", kept)
        )
        super().append(entry)

    def remove(self, entry: Entry) -> None:
        """Forget an answer that was delivered; of two alike, the older."""
        self._database.change(
            lambda db: db.execute(
                "DELETE FROM outbox WHERE number = (SELECT min(number) FROM outbox WHERE system = ? AND entry = ?)",
                (entry["system"], document(entry)),
            )
        )
        super().remove(entry)


class Memory(Database):
    """What jobs remember from run to run."""

    def ledger(self) -> Ledger:
        """The memory of what was sent, as operations use it."""
        return Ledger(self)

    def outbox(self, system: str | None = None) -> Outbox:
        """The answers that wait for a system, in order; with None an empty list, to which new ones can be added."""
        rows = self.read("SELECT entry FROM outbox WHERE system = ? ORDER BY number", system)
        return Outbox(self, [json.loads(entry) for (entry,) in rows])

    def cursor(self, job: str) -> str | None:
        """How far this job has read: a server's time stamp, or None."""
        rows = self.read("SELECT cursor FROM cursors WHERE job = ?", job)
        return rows[0][0] if rows else None

    def move_cursor(self, job: str, cursor: str) -> None:
        """Remember how far this job has read and settled."""
        self.change(lambda db: keep_cursor(db, job, cursor, self.now()))


def keep_cursor(db: sqlite3.Connection, job: str, cursor: str, now: datetime) -> None:
    """Remember, within the transaction at hand, how far a job has read and settled."""
    db.execute(
        """INSERT INTO cursors (job, cursor, updated) VALUES (?, ?, ?)
           ON CONFLICT (job) DO UPDATE SET cursor = excluded.cursor, updated = excluded.updated""",
        (job, cursor, text(now)),
    )
