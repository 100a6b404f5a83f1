"""PostgreSQL: one database for the processes of several machines, behind the same interface as the file.

One of them writes at a time: each transaction begins with a lock that all of them share, so that what holds for the
file holds here. Who keeps that lock without doing anything, as a process that was stopped, loses its connection.

Locks are held by the connection that writes. So whatever is committed was written while they were held; and where that
connection breaks off, `Database.session` tells those who relied on them.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from runner.errors import StoreError, Unconfirmed
from runner.store import dialect
from runner.store.address import checked
from runner.store.connection import Link, OnWriter, Rows
from runner.store.dialect import arranged, numbered

_IDLE = 5  # seconds in which somebody who is writing must go on
# Unless the address says otherwise; a server that is silent for ten seconds is gone.
_WANTED: dict[str, str | int] = {
    "application_name": "runner", "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip
_FIX = "Look whether the database is up and has room, and whether this machine reaches it; then try again."
_FINALLY = ("committed", "aborted")
_PAUSE = 0.2  # seconds between two looks at what became of a transaction
_APPEND_ONLY = """CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"""


class Postgres:
    """The database at this address. `patience`: seconds to wait for it, and for others who write."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    overwrites = False

    def __init__(self, address: str, patience: float) -> None:
        self._address = checked(address)
        self._patience = patience
        self._held: set[str] = set()
        self._turn = threading.Lock()

    def connect(self) -> "Session":
        """A connection, on which nothing is told to be kept before it is flushed."""
        told = conninfo_to_dict(self._address)
        wanted: dict[str, str | int] = {"connect_timeout": max(round(self._patience), 2), **_WANTED}
        more = {name: value for name, value in wanted.items() if name not in told}
        where = make_conninfo(self._address, **more)
        raw = psycopg.connect(where, autocommit=True, cursor_factory=psycopg.RawCursor)
        patience = max(round(self._patience * 1000), 1)
        raw.execute(
            f"SET synchronous_commit = on; SET lock_timeout = {patience}; SET client_min_messages = error;"
            f"SET idle_in_transaction_session_timeout = '{_IDLE}s';"
            "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
        )
        return Session(raw, self._became_of)

    def told(self, error: Exception) -> StoreError:
        """What went wrong, by its class alone: PostgreSQL's own words hold values, and where the database is."""
        code = getattr(error, "sqlstate", None)
        what = type(error).__name__ if code else _of_connection(str(error))
        return StoreError(f"the database can't be used: {what}", fix=_FIX)

    def take(self, name: str, on_writer: OnWriter[bool]) -> Callable[[], None] | None:
        """Hold a name on the writing connection. Threads of this process share that, so their names are kept here."""
        with self._turn:
            if name in self._held:
                return None
            self._held.add(name)
        try:
            got = on_writer(lambda link: _lock(link, name))
        except BaseException:
            self._held.discard(name)
            raise
        if not got:
            self._held.discard(name)
            return None

        def give_back() -> None:
            with suppress(StoreError, psycopg.Error):  # where the connection is gone, so is the lock
                on_writer(lambda link: _unlock(link, name))
            self._held.discard(name)

        return give_back

    def take_again(self, link: Link) -> None:
        """So that nobody new comes in, until those who relied on the old connection have given up."""
        for name in list(self._held):
            _lock(link, name)

    def _became_of(self, transaction: str) -> bool:
        """Whether a transaction was committed whose connection broke off just then. Raises Unconfirmed."""
        until = time.monotonic() + self._patience
        with suppress(psycopg.Error):
            session = self.connect()
            with session.closing():
                while (status := session.status_of(transaction)) not in _FINALLY and time.monotonic() < until:
                    time.sleep(_PAUSE)
                if status in _FINALLY:
                    return status == "committed"
        fix = "Look whether it was done before doing it again."
        raise Unconfirmed("the database was lost while a change was committed: it may have been kept", fix=fix)


class Session:
    """A connection to the database. `became_of` asks, on another one, whether a transaction was committed."""

    def __init__(self, raw: "psycopg.Connection[Any]", became_of: Callable[[str], bool]) -> None:
        self._raw = raw
        self._became_of = became_of

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
            if not (self.lost and transaction and self._became_of(transaction)):
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
    def closing(self) -> Iterator[None]:
        """Close it when the block ends."""
        try:
            yield
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


def _lock(link: Link, name: str) -> bool:
    (got,) = link.execute("SELECT pg_try_advisory_lock(?)", (_number(f"lock {name}"),)).fetchone()
    return bool(got)


def _unlock(link: Link, name: str) -> bool:
    return bool(link.execute("SELECT pg_advisory_unlock(?)", (_number(f"lock {name}"),)).fetchone())


# How libpq's words begin to tell what is wrong, and what we say instead.
_OF_CONNECTION = {
    "no password supplied": "no password is given for it",
    "password authentication failed": "the password or the user isn't right",
    "does not exist": "there is no such database or user",
    "certificate": "its certificate isn't trusted",
    "SSL": "it doesn't offer encryption as it must",
    "could not translate host name": "its name isn't known",
    "Connection refused": "nothing answers there",
    "timeout expired": "it doesn't answer in time",
    "No such file": "nothing answers there",
}


def _of_connection(words: str) -> str:
    """Why there is no connection, without the address and the user in libpq's own words."""
    return next((said for told, said in _OF_CONNECTION.items() if told in words), "the connection broke off")
