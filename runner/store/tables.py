"""Whole tables, copied from one database into another: by the names of their columns, so that older ones fit."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from runner.store.connection import Connection

# All there are, each behind those that it refers to.
TABLES = (
    "settings", "keys", "circuits", "cursors", "ledger", "outbox", "messages", "units", "envelopes", "wrapped_keys",
    "receipts", "runs", "items", "mentions", "days", "slots", "item_tries", "parked", "audit", "audit_end",
    "signs", "recipients", "told", "accounts", "sessions", "sign_ins",
)  # fmt: skip
_AT_ONCE = 500

Row = tuple[Any, ...]


def rows(db: Connection, table: str) -> tuple[list[str], Iterator[Row]]:
    """The names of a table's columns, and its rows one by one."""
    found = db.execute(f"SELECT * FROM {table}")
    return [column[0] for column in found.description], iter(found)


def insert(db: Connection, table: str, names: Sequence[str], values: Iterable[Row]) -> int:
    """Insert rows; how many there were."""
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    waiting, count = iter(values), 0
    while batch := list(islice(waiting, _AT_ONCE)):
        db.executemany(statement, batch)
        count += len(batch)
    return count


def copy(source: Connection, target: Connection, table: str) -> int:
    """Copy a table; how many rows it has."""
    return insert(target, table, *rows(source, table))
