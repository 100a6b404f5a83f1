"""What the store asks of a database, whichever it is, and what a change can do in its transaction.

Statements are written once, as both databases understand them: values as `?`, `?1` or `:name`; `head = 1`, not `head`;
`ON CONFLICT`, not `OR REPLACE`; no functions on JSON. Rows are tuples, moments and documents are texts.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from runner.errors import StoreError

T = TypeVar("T")
OnWriter = Callable[[Callable[["Link"], T]], T]  # do something on the writing connection, when nobody else does


class Rows(Protocol):
    """What a statement has found, or done."""

    @property
    def rowcount(self) -> int:
        """How many rows it has changed."""
        ...

    @property
    def description(self) -> Any:
        """Its columns, each of which begins with its name."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Takes statements."""

    def execute(self, statement: str, values: Any = (), /) -> Rows:
        """One statement with its values, a sequence or a table of names."""
        ...

    def executemany(self, statement: str, values: Iterable[Any], /) -> Rows:
        """The same for many rows of values."""
        ...


class Link(Connection, Protocol):
    """A connection as the engine sees it. What goes wrong is one of its database's `errors`."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    @property
    def lost(self) -> bool:
        """Whether it broke off; another is to be made."""
        ...

    def begin(self) -> None:
        """Begin to write, as the only one among all processes."""
        ...

    def commit(self) -> None:
        """Keep and flush what was written. Raises Unconfirmed when nobody can tell whether that was done."""
        ...

    def rollback(self) -> None:
        """Undo what was written, where a transaction is open."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """While the block runs, all queries see the same."""
        ...

    def close(self) -> None:
        """End it."""
        ...

    def version(self) -> int:
        """How many steps of the tables have been made (migrations.py)."""
        ...

    def set_version(self, version: int) -> None:
        """Remember that, within the transaction at hand."""
        ...

    def recognise(self, key: str) -> None:
        """Within the transaction at hand: refuse a store's own key that isn't the one which this was made with."""
        ...

    def equip(self) -> None:
        """Within the transaction at hand, once the tables are there: make what else it does with them."""
        ...

    def spelled(self, statement: str) -> str:
        """A statement that makes a table, index or trigger, as this database wants it."""
        ...

    def guards(self) -> set[str]:
        """The triggers that are there and at work."""
        ...

    def number_on(self) -> None:
        """Within the transaction at hand: after rows were put in with their numbers, go on behind the last."""
        ...

    def changes(self) -> str:
        """A text that is another whenever another process has changed something."""
        ...

    def checkpoint(self, patience: float) -> bool:
        """Overwrite what was deleted in all files; False when somebody was reading meanwhile (seconds)."""
        ...


class Engine(Protocol):
    """One database, for one process."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its connections raise."""
        ...

    @property
    def overwrites(self) -> bool:
        """Whether a checkpoint makes what was deleted vanish; else only the end of its key does."""
        ...

    def connect(self) -> Link:
        """A connection."""
        ...

    def told(self, error: Exception) -> StoreError:
        """What went wrong, in words without any value."""
        ...

    def take(self, name: str, on_writer: "OnWriter[bool]") -> Callable[[], None] | None:
        """Hold a name among all processes; how to give it back, or None when somebody has it."""
        ...

    def was_kept(self, transaction: str) -> bool:
        """Whether a transaction was committed whose outcome was unknown. Raises Unconfirmed while it is."""
        ...

    def lease(self, seconds: float, on_writer: "OnWriter[None]") -> None:
        """From now on, let what this process holds be free again when it was silent for so long."""
        ...

    def beat(self, on_writer: "OnWriter[None]") -> None:
        """Not be silent; where the connection broke off, there is another afterwards."""
        ...

    def take_again(self, link: Link) -> None:
        """Hold on a new connection what was held on one that broke off, as far as nobody else has it now."""
        ...


class Transaction:
    """The transaction at hand. `sealed` gives a text's seal, made with the store's own key; `who` is the one who
    changes something, as the audit log names them."""

    def __init__(self, link: Link, sealed: Callable[[str], str], who: str) -> None:
        self.execute = link.execute
        self.executemany = link.executemany
        self.sealed = sealed
        self.who = who
