"""Backup and restore: what jobs need to go on, in one file; no payload, and no key that opens one (R-ER6).

The file is an SQLite database with the tables of KEPT, and a table `backup` of names and values. The keys of its ledger
are tombstones, as of what was erased: they work the same, and say nothing to who reads them. Answers that wait and
records that are parked are there with their ids, since people have to ask about them. So is the store's own key,
without which the audit log can't be proved and tombstones not be found; the vault's keys never are.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from runner import keyfile
from runner.errors import StoreError, UnreadableFile, WrongUse
from runner.store import doubts, tables
from runner.store.audit import note
from runner.store.connection import Connection, Transaction
from runner.store.database import KEY, Database
from runner.store.entries import KEYED, tombstone
from runner.store.lines import Erased
from runner.store.migrations import STEPS
from runner.store.moments import text

KEPT = (
    "ledger", "cursors", "outbox", "parked", "item_tries", "slots", "keys", "settings", "audit", "audit_end"
)  # fmt: skip
_OF_THE_VAULT = ("fingerprint key", "retired epoch", "destroyed epoch")  # which is left behind
_FIX = "Name a file that runner backup has made."


class Copies(Database):
    """Copies what is kept of a store into a file, and takes it back."""

    def backup(self, path: Path, *, about: Mapping[str, str], now: datetime) -> Erased:
        """Write a new file of mode 0600, while others go on. How many rows of ledger, records and answers it holds.

        `about` is kept in it as well. Raises WrongUse when there is such a file, StoreError.
        """
        if path.exists():
            raise WrongUse(f"{path} is there already", fix="Name a file that isn't there.")
        ((ledger, records, answers),) = self.read(
            "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM parked), (SELECT count(*) FROM outbox)"
        )
        held = Erased(ledger=ledger, records=records, answers=answers)
        self.change(lambda db: note(db, "backed_up", now, ledger=ledger, records=records, answers=answers))
        told = {**about, "made": text(now), "version": str(len(STEPS)), "store key": self._key.hex()}
        with _written(path) as copy, self.snapshot() as db:
            for table in KEPT:
                self._copy(db, copy, table)
            copy.execute("CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            copy.executemany("INSERT INTO backup VALUES (?, ?)", sorted(told.items()))
        return held

    def take_back(self, path: Path, *, now: datetime) -> Erased:
        """Take back a backup into this store, which is new. How many rows of ledger, records and answers there were.

        From now on nothing is sent that the ledger can't vouch for. Raises WrongUse where the store was used before.
        """

        def work(db: Transaction) -> Erased:
            if db.execute("SELECT 1 FROM audit").fetchone():
                raise WrongUse("the store isn't new", fix="Restore into one that was never used.")
            db.execute("DELETE FROM audit_end")
            counts = {table: tables.copy(copy, db, table) for table in KEPT}
            self.number_on()
            db.executemany("DELETE FROM settings WHERE name = ?", [(name,) for name in _OF_THE_VAULT])
            doubts.begin(db, text(now))
            held = Erased(ledger=counts["ledger"], records=counts["parked"], answers=counts["outbox"])
            made = dict(copy.execute("SELECT name, value FROM backup"))["made"]
            note(db, "restored", now, made=made, ledger=held.ledger, records=held.records, answers=held.answers)
            return held

        with _opened(path) as copy:
            return self.change(work)

    def _copy(self, db: Connection, copy: Connection, table: str) -> None:
        names, rows = tables.rows(db, table)
        copy.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        tables.insert(copy, table, names, map(self._keyed, rows) if table == "ledger" else rows)

    def _keyed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        kind, key, status, value, _, updated = row
        return row if key.startswith(KEYED) else (kind, tombstone(self, kind, key), status, value, "{}", updated)


def read_backup(path: Path) -> dict[str, str]:
    """What a backup says of itself: `made`, `version`, `store key`, and what it was given. Raises UnreadableFile."""
    with _opened(path) as copy:
        return dict(copy.execute("SELECT name, value FROM backup"))


def prepare(folder: Path, path: Path) -> None:
    """Make the folder of a store that will take back this backup. Raises UnreadableFile, StoreError, and WrongUse when
    there is something in it."""
    told = read_backup(path)
    if int(told["version"]) > len(STEPS):
        raise StoreError("the backup was made by a newer version of the runner", fix="Update the runner.")
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} isn't empty", fix="Restore into a folder that is empty, or isn't there.")
    try:
        keyfile.put(folder / KEY, bytes.fromhex(told["store key"]))
    except OSError as error:
        raise StoreError(f"the folder {folder} can't be used: {error.strerror}", fix="Check whose it is.") from None


@contextmanager
def _written(path: Path) -> Iterator[sqlite3.Connection]:
    """A new database, which appears under its name when it is whole."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(fresh, isolation_level=None)) as copy:
            copy.execute("BEGIN")
            yield copy
            copy.execute("COMMIT")
        os.link(fresh, path)
        keyfile.flush(path.parent)
    except OSError as error:
        raise UnreadableFile(f"{path} can't be written: {error.strerror}", fix="Name a folder that is yours.") from None
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A backup, to be read only."""
    if not path.is_file():
        raise UnreadableFile(f"there is no file {path}", fix=_FIX)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            copy.execute("SELECT value FROM backup WHERE name = 'made'").fetchone()
            yield copy
    except sqlite3.DatabaseError:
        raise UnreadableFile(f"{path} is no backup, or damaged", fix=_FIX) from None
