"""One caller's change, among those that are committed together."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from runner.errors import Unconfirmed
from runner.store.connection import Link, Transaction

T = TypeVar("T")
Work = Callable[[Transaction], T]


class Change(Generic[T]):
    """What somebody wants to have done, and what became of it."""

    def __init__(self, work: Work[T]) -> None:
        self.settled = False
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None

    def make(self, db: Transaction, link: Link, *, alone: bool) -> None:
        """Do the work. If it fails, it alone is undone, unless the database has given up the whole transaction."""
        if alone:
            self._result = self._work(db)
            return
        db.execute("SAVEPOINT one")
        try:
            self._result = self._work(db)
        except Exception as error:
            if not link.in_transaction:
                raise
            self._error = error
            db.execute("ROLLBACK TO one")
        db.execute("RELEASE one")

    def settle(self, failed: BaseException | None) -> None:
        """The transaction was committed, or failed for all."""
        if isinstance(failed, Unconfirmed) and self._error is None:
            failed = Unconfirmed(str(failed), fix=failed.fix, transaction=failed.transaction, result=self._result)
        self._error = failed or self._error
        self.settled = True

    def outcome(self) -> T:
        """What the work gave, or raise what went wrong."""
        if self._error:
            raise self._error
        result: T = self._result
        return result
