"""SQLite: one file in the data directory, for the processes of one machine."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import StoreError
from runner.store import filelocks
from runner.store.connection import Link, OnWriter

FILE = "runner.sqlite"
FIX = "Check that the folder is yours, its disk not full, and no other program keeps the file locked."


class Sqlite:
    """The file in this folder, made where there is none. `patience`: seconds that others may keep it locked."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    overwrites = True

    def __init__(self, folder: Path, patience: float) -> None:
        self._folder, self._patience = folder, patience
        self._path = folder / FILE
        self._path.touch(mode=0o600)

    def connect(self) -> "File":
        """A connection to the file."""
        file = sqlite3.connect(
            self._path, timeout=self._patience, isolation_level=None, check_same_thread=False, factory=File
        )
        try:
            # FULL: in WAL mode a lesser setting loses the last commits when the power fails.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
                file.execute(f"PRAGMA {setting}")
        except BaseException:
            file.close()
            raise
        return file

    def told(self, error: Exception) -> StoreError:
        """What went wrong, in SQLite's own words, which hold no value."""
        return StoreError(f"the data directory can't be used: {error}", fix=FIX)

    def take(self, name: str, on_writer: OnWriter[bool]) -> Callable[[], None] | None:
        """Lock a file of this name; it is free when it is given back, or the process ends."""
        return filelocks.take(self._folder / "locks", name)

    def was_kept(self, transaction: str) -> bool:
        """A file tells at once what became of a change."""
        raise NotImplementedError

    def lease(self, seconds: float, on_writer: OnWriter[None]) -> None:
        """Files stay locked until their process ends."""

    def beat(self, on_writer: OnWriter[None]) -> None:
        """There is nobody to tell."""

    def take_again(self, link: Link) -> None:
        """Files stay locked whatever happens to connections."""


class File(sqlite3.Connection):
    """A connection to the file, which never breaks off."""

    lost = False

    def begin(self) -> None:
        """Begin to write, as soon as no other process does."""
        self.execute("BEGIN IMMEDIATE")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While the block runs, all queries see the same."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("COMMIT")

    def version(self) -> int:
        """The file's `user_version`."""
        (version,) = self.execute("PRAGMA user_version").fetchone()
        return int(version)

    def equip(self) -> None:
        """Nothing: one process hands itself its units."""

    def set_version(self, version: int) -> None:
        """Set the file's `user_version`."""
        self.execute(f"PRAGMA user_version = {version}")

    def recognise(self, key: str) -> None:
        """The key lies beside the file: they come and go together."""

    def spelled(self, statement: str) -> str:
        """The steps are written for SQLite."""
        return statement

    def guards(self) -> set[str]:
        """The names of the triggers."""
        return {name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}

    def number_on(self) -> None:
        """SQLite counts what is put in by itself."""

    def changes(self) -> str:
        """SQLite's own counter, which our changes leave alone."""
        (number,) = self.execute("PRAGMA data_version").fetchone()
        return str(number)

    def checkpoint(self, patience: float) -> bool:
        """Move everything into the main file and empty the journal."""
        (usual,) = self.execute("PRAGMA busy_timeout").fetchone()
        self.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            (busy, _, _) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.execute(f"PRAGMA busy_timeout = {usual}")
        return not busy
