"""Moving a store from its file into PostgreSQL, all at once, while nobody uses it.

Each step may be the last before a crash, and the next call goes on from there: a note says that the store is elsewhere;
all tables are copied in one transaction, which remembers that they were; they are dropped from the file, which nobody
can change meanwhile; the file is overwritten and removed.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from runner.errors import InUse, StoreError, Unconfirmed, WrongUse
from runner.store import Store, tables, whereabouts
from runner.store.audit import note
from runner.store.connection import Connection, Transaction
from runner.store.moments import text
from runner.store.settings import keep_setting
from runner.store.sqlite import FILE

_MOVED = "moved"
_COUNTED = ("ledger", "outbox", "parked", "messages", "units", "envelopes", "audit")


def move(folder: Path, to: str, *, jobs: Collection[str], now: Callable[[], datetime]) -> dict[str, int]:
    """Move the store of this directory to the address. How many rows of each table are there.

    `jobs` are those that nobody may run meanwhile. Raises InUse when somebody does, or serves; WrongUse when there is
    no file to move, or something else in the database; StoreError, after which the store is where it was, or on its
    way.
    """
    if not (folder / FILE).exists():
        raise WrongUse("there is no file to move", fix="A store that is in PostgreSQL is moved by pg_dump.")
    with (
        Store.open(folder, now=now, moving=True) as source,
        Store.open(folder, at=to, now=now, moving=True) as target,
        _kept_out(source, jobs),
        _kept_out(target, jobs),
    ):
        source.change(lambda db: _leave(db, target))
        counts = {table: target.read(f"SELECT count(*) FROM {table}")[0][0] for table in _COUNTED}
    whereabouts.remove_file(folder)
    return counts


def _leave(source: Transaction, target: Store) -> None:
    """Copy everything, unless that was done; then drop it, so that who has the file open can't write into it."""
    if not target.setting(_MOVED):
        whereabouts.put_note(target.folder)
        try:
            target.change(lambda into: _copy(source, into, target))
        except Unconfirmed:
            raise
        except (StoreError, WrongUse):
            whereabouts.take_note_away(target.folder)
            raise
    for table in reversed(tables.TABLES):
        source.execute(f"DROP TABLE IF EXISTS {table}")


def _copy(source: Connection, target: Transaction, store: Store) -> None:
    if any(target.execute(f"SELECT 1 FROM {table}").fetchone() for table in tables.TABLES if table != "audit_end"):
        raise WrongUse("the database isn't empty", fix="Name one in which no store was ever used.")
    target.execute("DELETE FROM audit_end")
    for table in tables.TABLES:
        tables.copy(source, target, table)
    store.number_on()
    keep_setting(target, _MOVED, text(store.now()))
    note(target, "store_moved", store.now())


@contextmanager
def _kept_out(store: Store, jobs: Collection[str]) -> Iterator[None]:
    with ExitStack() as held:
        for name in ("serve", *(f"job/{job}" for job in jobs)):
            try:
                held.enter_context(store.lock(name))
            except InUse:
                raise InUse(f"{name} is at work", fix="Stop the service, and wait until runs have ended.") from None
        yield
