"""One database, open for one process: changes that wait together are committed together, and reading never waits for
writing.

There is one writing connection. Whoever comes first writes for all who wait, in one transaction, and each call
returns when its own change is committed and flushed. That is as fast as a thread that only writes, and does the same
when a whole service runs in one thread.
"""

import os
import pwd
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from runner import keyfile
from runner.errors import StoreError, Unconfirmed
from runner.logs import audit
from runner.store import ownership, whereabouts
from runner.store.change import Change, Work
from runner.store.connection import Engine, Link, Transaction
from runner.store.migrations import WITH_KEY, migrate
from runner.store.readers import Readers
from runner.store.sqlite import FIX, Sqlite
from runner.store.turns import Turns

KEY = "store.key"

T = TypeVar("T")


def wall_clock() -> datetime:
    """The time."""
    return datetime.now(UTC)


def _system_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


class Database:
    """The database of a data directory: the SQLite file in it, or with `at` a PostgreSQL database, whose address that
    is. `patience` is how many seconds another process may keep it locked; `who` is the name in the audit log of the one
    who changes it, the system's user if not given.

    The store has a key of its own in the directory, which seals its audit log and keys what was erased from its ledger.

    Every change goes through `change`: a simulation that wants to die before or after one overrides it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        at: str | None = None,
        patience: float = 5.0,
        now: Callable[[], datetime] = wall_clock,
        who: str | None = None,
        moving: bool = False,
    ) -> None:
        self.folder = folder
        self.now = now
        self.who = who or _system_user()
        self.session = 0  # how many connections for writing there have been before this one
        self._waiting: deque[Change[Any]] = deque()
        self._turns = Turns()
        self._readers = Readers(self._connect)
        self._closed = False
        self._lost: dict[str, Unconfirmed] = {}
        try:
            ownership.check(folder)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not moving:
                whereabouts.check(folder, in_file=at is None)
            self._engine = _engine(folder, at, patience)
        except StoreError:
            raise
        except OSError as error:
            raise _told_of_folder(error, folder) from None
        self._failures: tuple[type[Exception], ...] = (StoreError, *self._engine.errors)
        with self._told():
            self._writer = self._connect()
        try:
            with self._told():
                self._key = self._own_key()
                self._transaction = Transaction(self._writer, self.sealed, self.who)
            self.change(lambda db: migrate(db, self._writer))
            if at is not None and not moving:
                with self._told():
                    whereabouts.put_note(folder)
        except BaseException:
            self.close()
            raise

    def read(self, statement: str, *values: Any) -> list[Any]:
        """All rows of one query, fetched at once: who keeps on reading keeps deleted bytes in the file."""
        with self.reading() as db:
            return db.execute(statement, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[Link]:
        """A connection for queries only; there are as many as readers at once."""
        with self._told(), self._readers.one() as link:
            yield link

    @contextmanager
    def snapshot(self) -> Iterator[Link]:
        """The same, and all queries in the block see the same."""
        with self.reading() as link, link.snapshot():
            yield link

    def change(self, work: Work[T]) -> T:
        """Do the work in a transaction; its result, once that is committed and flushed. All of it or nothing."""
        return self.change_each([work])[0]()

    def change_each(self, works: Sequence[Work[T]]) -> list[Callable[[], T]]:
        """The same for several works, in one transaction: each is done or not by itself, and its outcome is asked for
        by itself."""
        mine = [Change(work) for work in works]
        self._waiting.extend(mine)
        with self._turns.one(unless=lambda: all(change.settled for change in mine)) as ours:
            if ours:
                self._commit_waiting()
        return [partial(self._outcome, change) for change in mine]

    def change_known(self, name: str, work: Work[T]) -> T:
        """The same, for what nobody would notice otherwise: where its outcome is unknown, `recalled` tells it later."""
        try:
            return self.change(work)
        except Unconfirmed as lost:
            self._lost[name] = lost
            raise

    def recalled(self, name: str) -> Any:
        """What a change of this name gave whose outcome was unknown, when it was kept after all, else None.

        Raises Unconfirmed while nobody can tell; `forget` it when what follows is done.
        """
        lost = self._lost.get(name)
        with self._told():
            return lost.result if lost and self._engine.was_kept(lost.transaction) else None

    def forget(self, name: str) -> None:
        """What was recalled is dealt with."""
        self._lost.pop(name, None)

    def sealed(self, text: str) -> str:
        """A text's seal, made with the store's own key: nobody else makes it, or guesses the text from it."""
        return audit.sealed(self._key, text)

    def refuse_since(self, session: int) -> None:
        """Within a change: raise StoreError when the connection is another by now, since locks that were taken when
        that one was there may be somebody else's."""
        if session != self.session:
            fix = "It is tried again; look after the network if this comes often."
            raise StoreError("the connection to the database broke off, and with it the locks of this run", fix=fix)

    def refuse_unheld(self, session: int) -> None:
        """The same outside of a change, when the database itself was asked just now. Raises StoreError."""
        self.beat()
        self.refuse_since(session)

    def lease(self, seconds: float) -> None:
        """From now on let what this process holds be free again when it doesn't `beat` for so long, as one that was
        stopped; where processes of several machines share the database."""
        with self._told():
            self._engine.lease(seconds, self._on_writer)

    def beat(self) -> None:
        """Tell the database that this process is at work. Raises StoreError."""
        with self._told():
            self._engine.beat(self._on_writer)

    @property
    def overwrites(self) -> bool:
        """Whether `checkpoint` makes what was deleted vanish; else only the end of its key does."""
        return self._engine.overwrites

    def number_on(self) -> None:
        """Within a change: after rows were put in with their numbers, go on behind the last."""
        self._writer.number_on()

    def take(self, name: str) -> Callable[[], None] | None:
        """Hold a name among all processes; how to give it back, or None when somebody has it."""
        with self._told():
            return self._engine.take(name, self._on_writer)

    def version(self) -> str:
        """A text that is another whenever another process has changed something."""
        with self._told():
            return self._on_writer(lambda link: link.changes())

    def checkpoint(self, *, patience: float = 0.25) -> bool:
        """Overwrite what was deleted in all files; False when somebody was reading meanwhile."""
        with self._told():
            return self._on_writer(lambda link: link.checkpoint(patience))

    def close(self) -> None:
        """Close the database."""
        with self._turns.one():
            self._closed = True
            self._writer.close()
            self._readers.close()

    def _connect(self) -> Link:
        self._refuse_closed()
        return self._engine.connect()

    def _own_key(self) -> bytes:
        path = self.folder / KEY
        if not path.exists():
            if self._writer.version() >= WITH_KEY:
                raise StoreError(f"the store's own key, {KEY}, is missing", fix="Put it back, or restore a backup.")
            keyfile.make(path)
        key = path.read_bytes()
        if len(key) != keyfile.BYTES:
            raise StoreError(f"{KEY} is no key", fix="Put it back as it was.")
        return key

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError("the store is closed", fix="Open it again.")

    def _on_writer(self, do: Callable[[Link], T]) -> T:
        """Do something outside of a transaction, as the only one who writes."""
        with self._turns.one():
            return self._do(do)

    def _do(self, do: Callable[[Link], T]) -> T:
        """Do something that may be done twice: where the connection broke off unseen, with another."""
        self._refuse_closed()
        try:
            return do(self._writer)
        except self._engine.errors:
            if not self._writer.lost:
                raise
        self._connect_again()
        return do(self._writer)

    def _connect_again(self) -> None:
        self._readers.drop()
        fresh = self._connect()
        self._writer.close()
        self._writer, self._transaction = fresh, Transaction(fresh, self.sealed, self.who)
        self.session += 1
        self._engine.take_again(fresh)

    def _outcome(self, change: Change[T]) -> T:
        with self._told():
            return change.outcome()

    def _commit_waiting(self) -> None:
        group: list[Change[Any]] = []
        failed: BaseException | None = StoreError("the change was interrupted", fix="Try again.")
        try:
            while self._waiting:
                group.append(self._waiting.popleft())
            self._do(lambda link: link.begin())
            for change in group:
                change.make(self._transaction, self._writer, alone=len(group) == 1)
            self._writer.commit()
            failed = None
        except self._failures as error:
            failed = error
        finally:
            with suppress(*self._engine.errors):
                if failed:
                    self._writer.rollback()
            for change in group:
                change.settle(failed)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the database or the folder refuses becomes a StoreError."""
        try:
            yield
        except StoreError:
            raise
        except self._engine.errors as error:
            raise self._engine.told(error) from None
        except OSError as error:
            raise _told_of_folder(error) from None


def _engine(folder: Path, at: str | None, patience: float) -> Engine:
    if at is None:
        return Sqlite(folder, patience)
    try:
        from runner.store.postgres import Postgres  # here, since one machine alone needs nothing of it
    except ModuleNotFoundError:
        fix = "pip install 'primero-progres-bridge[postgres]'"
        raise StoreError("what PostgreSQL needs is not installed", fix=fix) from None
    return Postgres(at, patience)


def _told_of_folder(error: OSError, folder: Path | None = None) -> StoreError:
    which = f"the data directory {folder}" if folder else "the data directory"
    return StoreError(f"{which} can't be used: {error.strerror or error}", fix=FIX)
