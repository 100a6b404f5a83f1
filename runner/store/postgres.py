"""PostgreSQL: one database for the processes of several machines, behind the same interface as the file.

One of them writes at a time: each transaction begins with a lock that all of them share, so that what holds for the
file holds here. Who keeps that lock without doing anything, as a process that was stopped, loses its connection.

Locks are held by the connection that writes. So whatever is committed was written while they were held; and where that
connection breaks off, `Database.session` tells those who relied on them.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import StoreError, Unconfirmed
from runner.store.address import checked
from runner.store.connection import Link, OnWriter
from runner.store.session import Session, lock, unlock

_IDLE = 5  # seconds in which somebody who is writing must go on
# Unless the address says otherwise; a server that is silent for ten seconds is gone.
_WANTED: dict[str, str | int] = {
    "application_name": "runner", "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip
_FIX = "Look whether the database is up and has room, and whether this machine reaches it; then try again."
_LOOK = "Look whether it was done before doing it again."
_FINALLY = ("committed", "aborted")
_PAUSE = 0.2  # seconds between two looks at what became of a transaction


class Postgres:
    """The database at this address. `patience`: seconds to wait for it, and for others who write."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    overwrites = False

    def __init__(self, address: str, patience: float) -> None:
        self._address = checked(address)
        self._patience = patience
        self._held: set[str] = set()
        self._lease = 0.0
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
        return Session(raw, self.was_kept)

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
            got = on_writer(lambda link: lock(link, name))
        except BaseException:
            self._held.discard(name)
            raise
        if not got:
            self._held.discard(name)
            return None

        def give_back() -> None:
            with suppress(StoreError, psycopg.Error):  # where the connection is gone, so is the lock
                on_writer(lambda link: unlock(link, name))
            self._held.discard(name)

        return give_back

    def lease(self, seconds: float, on_writer: OnWriter[None]) -> None:
        """Let the server end the writing connection when it is silent for so long, and with it the locks."""
        self._lease = seconds
        on_writer(self._say_lease)

    def beat(self, on_writer: OnWriter[None]) -> None:
        """Say something on the writing connection."""
        on_writer(_say_something)

    def _say_lease(self, link: Link) -> None:
        if self._lease:
            link.execute(f"SET idle_session_timeout = {round(self._lease * 1000)}")

    def take_again(self, link: Link) -> None:
        """So that nobody new comes in, until those who relied on the old connection have given up."""
        self._say_lease(link)
        for name in list(self._held):
            lock(link, name)

    def was_kept(self, transaction: str) -> bool:
        """Whether a transaction was committed whose connection broke off just then. Raises Unconfirmed."""
        until = time.monotonic() + self._patience
        while True:
            with suppress(psycopg.Error), self.connect().closing() as asking:
                if (status := asking.status_of(transaction)) in _FINALLY:
                    return status == "committed"
            if time.monotonic() > until:
                said = "the database was lost while a change was committed: it may have been kept"
                raise Unconfirmed(said, fix=_LOOK, transaction=transaction)
            time.sleep(_PAUSE)


def _say_something(link: Link) -> None:
    link.execute("SELECT 1").fetchone()


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
