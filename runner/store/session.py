"""A connection to PostgreSQL: how it writes, commits, holds names, and what it knows of the tables."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from runner.errors import StoreError
from runner.store import dialect, handing
from runner.store.connection import Link, Rows
from runner.store.dialect import arranged, numbered

_APPEND_ONLY = """CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"""


class Session:
    """A connection to the database. `was_kept` asks, on another one, whether a transaction was committed."""

    def __init__(self, raw: "psycopg.Connection[Any]", was_kept: Callable[[str], bool]) -> None:
        self._raw = raw
        self._was_kept = was_kept

    def execute(self, statement: str, values: Any = (), /) -> Rows:
        """One statement with its values."""
        text, places = numbered(statement)
        return self._raw.execute(text, arranged(places, values) if places else None)

    def executemany(self, statement: str, values: Iterable[Any], /) -> Rows:
        """The same for many rows of values."""
        text, places = numbered(statement)
        cursor = self._raw.cursor()
        cursor.executemany(text, [arranged(places, each) for each in values])
        return cursor

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._raw.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @property
    def lost(self) -> bool:
        """Whether it broke off, or was closed."""
        return self._raw.closed

    def begin(self) -> None:
        """Begin to write, as soon as no other process does."""
        self._raw.execute(f"BEGIN; SELECT pg_advisory_xact_lock({_number('write')})".encode())

    def commit(self) -> None:
        """Keep and flush what was written; where the connection breaks off meanwhile, find out whether it was."""
        (transaction,) = self._raw.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone() or (None,)
        try:
            self._raw.execute("COMMIT")
        except psycopg.OperationalError:
            if not (self.lost and transaction and self._was_kept(transaction)):
                raise

    def rollback(self) -> None:
        """Undo what was written, where a transaction is open."""
        if self.in_transaction:
            self._raw.execute("ROLLBACK")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While the block runs, all queries see the same."""
        self._raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            yield
        finally:
            self.rollback()

    @contextmanager
    def closing(self) -> Iterator["Session"]:
        """Close it when the block ends."""
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """End it."""
        self._raw.close()

    def version(self) -> int:
        """The number in the table `store`, which there is once the store was made."""
        if not self._is_made():
            return 0
        (version,) = self.execute("SELECT version FROM store").fetchone()
        return int(version)

    def set_version(self, version: int) -> None:
        """Keep the number."""
        self.execute("UPDATE store SET version = ?", (version,))

    def recognise(self, key: str) -> None:
        """Keep a seal made with the store's own key, or compare it with the one that was kept."""
        if not self._is_made():
            self.execute(_APPEND_ONLY)
            self.execute("CREATE TABLE store (version BIGINT NOT NULL, key TEXT NOT NULL)")
            self.execute("INSERT INTO store VALUES (0, ?)", (key,))
        elif self.execute("SELECT key FROM store").fetchone() != (key,):
            fix = "Use the data directory of the others, which has their store.key, or another database."
            raise StoreError("the database belongs to another data directory", fix=fix)

    def equip(self) -> None:
        """Let procrastinate hand out the units."""
        handing.equip(self)

    def spelled(self, statement: str) -> str:
        """A statement that makes a table, index or trigger, as PostgreSQL wants it."""
        return dialect.spelled(statement)

    def guards(self) -> set[str]:
        """The triggers of the audit log that are at work."""
        found = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled <> 'D'"
        return {name for (name,) in self.execute(found)}

    def number_on(self) -> None:
        """Let what counts the rows of a table begin behind its last."""
        found = """SELECT table_name FROM information_schema.columns
                   WHERE table_schema = current_schema AND column_name = 'number' AND is_identity = 'YES'"""
        for (table,) in self.execute(found).fetchall():
            count = f"pg_get_serial_sequence('{table}', 'number')"
            self.execute(f"SELECT setval({count}, coalesce(max(number), 0) + 1, false) FROM {table}")

    def changes(self) -> str:
        """Which transactions have ended."""
        (snapshot,) = self.execute("SELECT pg_current_snapshot()::text").fetchone()
        return str(snapshot)

    def checkpoint(self, patience: float) -> bool:
        """Nothing: what was deleted stays readable in files, logs and copies until its key is destroyed."""
        return True

    def status_of(self, transaction: str) -> str | None:
        """What became of a transaction: committed, aborted, in progress."""
        (status,) = self.execute("SELECT pg_xact_status(?::xid8)", (transaction,)).fetchone()
        return None if status is None else str(status)

    def _is_made(self) -> bool:
        (made,) = self.execute("SELECT to_regclass('store') IS NOT NULL").fetchone()
        return bool(made)


def _number(name: str) -> int:
    """What PostgreSQL knows a lock by: 64 bits.

    >>> _number("write") == _number("write") != _number("serve")
    True
    """
    return int.from_bytes(hashlib.sha256(f"runner {name}".encode()).digest()[:8], "big", signed=True)


def lock(link: Link, name: str) -> bool:
    """Hold a name on this connection; False when somebody else has it."""
    (got,) = link.execute("SELECT pg_try_advisory_lock(?)", (_number(f"lock {name}"),)).fetchone()
    return bool(got)


def unlock(link: Link, name: str) -> bool:
    """Give a name back."""
    return bool(link.execute("SELECT pg_advisory_unlock(?)", (_number(f"lock {name}"),)).fetchone())
