"""The data directory: one SQLite file that remembers what was sent, how far was read, and which answers wait."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.errors import StoreError

Entry = dict[str, Any]

FILE = "runner.sqlite"

# Each is run once, in order; how many have been is the file's user_version. Later ones are added below, never changed.
_MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE ledger (
             kind TEXT NOT NULL, key TEXT NOT NULL,
             status TEXT NOT NULL, value TEXT NOT NULL, answer TEXT NOT NULL, updated TEXT NOT NULL,
             PRIMARY KEY (kind, key)) WITHOUT ROWID""",
        "CREATE TABLE cursors (job TEXT PRIMARY KEY, cursor TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE outbox (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             system TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, since TEXT NOT NULL)""",
    ),
)


class Store:
    """The data directory, open. Every call is one short transaction, so that processes and threads work side by side.

    >>> import tempfile
    >>> with Store.open(Path(tempfile.mkdtemp())) as store:
    ...     store.move_cursor("decisions", "2026-03-01T10:00:00Z")
    ...     store.cursor("decisions")
    '2026-03-01T10:00:00Z'
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open the store, made anew where there is none: directory 0700, file 0600. Raises StoreError."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / FILE
            path.touch(mode=0o600)
            path.chmod(0o600)
            connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the data directory {folder} can't be used: {_why(error)}", fix=_FIX) from None
        store = cls(connection)
        try:
            store._prepare()
        except BaseException:
            store.close()
            raise
        return store

    def ledger(self) -> "Ledger":
        """The memory of what was sent, as operations use it."""
        return Ledger(self)

    def outbox(self, system: str | None = None) -> "Outbox":
        """The answers that wait for a system, in order; with None an empty list, to which new ones can be added."""
        rows = self.read("SELECT entry FROM outbox WHERE system = ? ORDER BY number", system)
        return Outbox(self, [json.loads(entry) for (entry,) in rows])

    def cursor(self, job: str) -> str | None:
        """How far this job has read: a server's time stamp, or None."""
        rows = self.read("SELECT cursor FROM cursors WHERE job = ?", job)
        return rows[0][0] if rows else None

    def move_cursor(self, job: str, cursor: str) -> None:
        """Remember how far this job has read and settled."""
        self.write(
            """INSERT INTO cursors (job, cursor, updated) VALUES (?, ?, ?)
               ON CONFLICT (job) DO UPDATE SET cursor = excluded.cursor, updated = excluded.updated""",
            job,
            cursor,
            _now(),
        )

    def read(self, statement: str, *values: Any) -> list[Any]:
        """All rows of one query."""
        with self._held():
            return self._connection.execute(statement, values).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        """One change, committed and flushed when this returns."""
        with self._transaction():
            self._connection.execute(statement, values)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        with self._held():
            # FULL: in WAL mode a lesser setting loses the last commits when the power fails.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
                self._connection.execute(f"PRAGMA {setting}")
        with self._transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise StoreError(
                    "the data directory was made by a newer version of the runner", fix="Update the runner."
                )
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise StoreError(f"the data directory can't be used: {_why(error)}", fix=_FIX) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._held():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


class Ledger:
    """Keyed memory of what was sent. An entry is `{"status": "intended" | "waiting" | "done", "value", "answer"}`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, kind: str, key: str) -> Entry | None:
        """The entry, or None."""
        rows = self._store.read("SELECT status, value, answer FROM ledger WHERE kind = ? AND key = ?", kind, key)
        return {"status": rows[0][0], "value": rows[0][1], "answer": json.loads(rows[0][2])} if rows else None

    def write(self, kind: str, key: str, entry: Entry | None) -> None:
        """Keep the entry; forget it when it is None."""
        if entry is None:
            self._store.write("DELETE FROM ledger WHERE kind = ? AND key = ?", kind, key)
            return
        self._store.write(
            """INSERT INTO ledger (kind, key, status, value, answer, updated) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (kind, key) DO UPDATE SET status = excluded.status, value = excluded.value,
                 answer = excluded.answer, updated = excluded.updated""",
            kind,
            key,
            entry["status"],
            entry["value"],
            _text(entry["answer"]),
            _now(),
        )


class Outbox(list[Entry]):
    """Answers that wait, as a list; adding and removing is kept at once, so that a run that is killed loses none."""

    def __init__(self, store: Store, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self._store = store

    def append(self, entry: Entry) -> None:
        """Keep an answer, behind all that wait."""
        self._store.write(
            "INSERT INTO outbox (system, kind, key, entry, since) VALUES (?, ?, ?, ?, ?)",
            entry["system"],
            entry["kind"],
            entry["key"],
            _text(entry),
            _now(),
        )
        super().append(entry)

    def remove(self, entry: Entry) -> None:
        """Forget an answer that was delivered; of two alike, the older."""
        self._store.write(
            "DELETE FROM outbox WHERE number = (SELECT min(number) FROM outbox WHERE system = ? AND entry = ?)",
            entry["system"],
            _text(entry),
        )
        super().remove(entry)


_FIX = "Check that the folder is yours, its disk not full, and no other program keeps the file locked."


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
