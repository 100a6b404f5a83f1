"""The file: changes that wait together are committed together, and reading never waits for writing.

There is one writing connection. Whoever comes first writes for all who wait, in one transaction, and each call
returns when its own change is committed and flushed. That is as fast as a thread that only writes, and does the same
when a whole service runs in one thread.
"""

import os
import pwd
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from runner import keyfile
from runner.errors import StoreError
from runner.logs import audit
from runner.store import ownership
from runner.store.migrations import WITH_KEY, migrate

FILE = "runner.sqlite"
KEY = "store.key"
FIX = "Check that the folder is yours, its disk not full, and no other program keeps the file locked."

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _system_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


class Database:
    """One SQLite file, open for one process. `patience` is how many seconds another process may keep it locked; `who`
    is the name in the audit log of the one who changes it, the system's user if not given.

    The store has a key of its own beside the file, which seals its audit log and keys what was erased from its ledger.
    SQL of the writing connection can call `sealed(text)` and `acting()`, who it is.

    Every change goes through `change`: a simulation that wants to die before or after one overrides it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        patience: float = 5.0,
        now: Callable[[], datetime] = _wall_clock,
        who: str | None = None,
    ) -> None:
        self.folder = folder
        self.now = now
        self.who = who or _system_user()
        self._patience = patience
        self._waiting: deque[_Change[Any]] = deque()
        self._turns = threading.Condition()
        self._busy = False
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        try:
            ownership.check(folder)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path = folder / FILE
            self._path.touch(mode=0o600)
            self._writer = self._connect()
        except StoreError:
            raise
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the data directory {folder} can't be used: {_why(error)}", fix=FIX) from None
        try:
            with told():
                self._key = self._own_key()
            self._writer.create_function("sealed", 1, self.sealed, deterministic=True)
            self._writer.create_function("acting", 0, lambda: self.who)
            self.change(migrate)
        except BaseException:
            self.close()
            raise

    def read(self, statement: str, *values: Any) -> list[Any]:
        """All rows of one query, fetched at once: who keeps on reading keeps deleted bytes in the file."""
        with self.reading() as db:
            return db.execute(statement, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries only; there are as many as readers at once."""
        with told():
            db = self._reader()
            try:
                yield db
            finally:
                db.close() if self._closed else self._idle.append(db)

    def change(self, work: Work[T]) -> T:
        """Do the work in a transaction; its result, once that is committed and flushed. All of it or nothing."""
        mine = _Change(work)
        self._waiting.append(mine)
        with self._turn(unless=lambda: mine.settled) as ours:
            if ours:
                self._commit_waiting()
        return mine.outcome()

    def sealed(self, text: str) -> str:
        """A text's seal, made with the store's own key: nobody else makes it, or guesses the text from it."""
        return audit.sealed(self._key, text)

    def version(self) -> int:
        """A number that changes whenever another process has changed the file."""
        with told(), self._turn():
            ((number,),) = self._writer.execute("PRAGMA data_version").fetchall()
        return int(number)

    def checkpoint(self, *, patience: float = 0.25) -> bool:
        """Move everything into the main file and empty the journal; False when somebody was reading meanwhile."""
        with told(), self._turn():
            self._writer.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            try:
                (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {int(self._patience * 1000)}")
        return not busy

    def close(self) -> None:
        """Close the file."""
        with self._turn():
            self._closed = True
            self._writer.close()
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _turn(self, unless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Be the only one who writes; False when that isn't needed any more.

        Whoever is done wakes all who wait: those whose change was settled leave, so that the next group is a large one.
        """
        ours = False
        try:
            with self._turns:
                self._turns.wait_for(lambda: unless() or not self._busy)
                ours = not unless()
                self._busy = self._busy or ours
            yield ours
        finally:
            if ours:
                with self._turns:
                    self._busy = False
                    self._turns.notify_all()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None, check_same_thread=False)
        try:
            # FULL: in WAL mode a lesser setting loses the last commits when the power fails.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
                db.execute(f"PRAGMA {setting}")
        except BaseException:
            db.close()
            raise
        return db

    def _own_key(self) -> bytes:
        path = self.folder / KEY
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if not path.exists():
            if version >= WITH_KEY:
                raise StoreError(f"the store's own key, {KEY}, is missing", fix="Put it back, or restore a backup.")
            keyfile.make(path)
        key = path.read_bytes()
        if len(key) != keyfile.BYTES:
            raise StoreError(f"{KEY} is no key", fix="Put it back as it was.")
        return key

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("it is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _commit_waiting(self) -> None:
        group: list[_Change[Any]] = []
        failed: BaseException | None = sqlite3.OperationalError("interrupted")
        try:
            while self._waiting:
                group.append(self._waiting.popleft())
            self._writer.execute("BEGIN IMMEDIATE")
            for change in group:
                change.make(self._writer)
            self._writer.execute("COMMIT")
            failed = None
        except sqlite3.Error as error:
            failed = error
        finally:
            with suppress(sqlite3.Error):  # SQLite may have ended it itself
                if failed:
                    self._writer.execute("ROLLBACK")
            for change in group:
                change.settle(failed)


class _Change(Generic[T]):
    """One caller's change among those that are committed together."""

    def __init__(self, work: Work[T]) -> None:
        self.settled = False
        self._work = work
        self._result: T
        self._error: BaseException | None = None

    def make(self, db: sqlite3.Connection) -> None:
        """Do the work. If it fails, it alone is undone, unless SQLite has given up the whole transaction."""
        db.execute("SAVEPOINT one")
        try:
            self._result = self._work(db)
        except Exception as error:
            if not db.in_transaction:
                raise
            self._error = error
            db.execute("ROLLBACK TO one")
        db.execute("RELEASE one")

    def settle(self, failed: BaseException | None) -> None:
        """The transaction was committed, or failed for all."""
        self._error = failed or self._error
        self.settled = True

    def outcome(self) -> T:
        """What the work gave, or raise what went wrong."""
        with told():
            if self._error:
                raise self._error
        return self._result


@contextmanager
def told() -> Iterator[None]:
    """Whatever the file or its folder refuses becomes a StoreError."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the data directory can't be used: {_why(error)}", fix=FIX) from None


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
