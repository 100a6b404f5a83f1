"""Mentions: which items of runs name an id, so that what became of somebody's referral is found among a million.

An item holds its ids as they are. Here each stands as the store's own key makes it, beside the number of the run and
the item's place in it: nobody reads an id from this table, and whoever knows one finds its items.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runner.store.connection import Transaction
from runner.store.records import ItemRecord

Row = tuple[str, int, int]

_DIGITS = 32  # hexadecimal
_AT_ONCE = 500  # runs


def mark(sealed: Callable[[str], str], name: str) -> str:
    """What stands for an id; `sealed` is that of the store.

    >>> mark(lambda text: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "GAM-26-00901")
    '9f86d081884c7d659a2feaa0c55ad015'
    """
    return sealed(f"mention {name}")[:_DIGITS]


def names_in(ids: Mapping[str, Any]) -> set[str]:
    """The names by which an item can be looked for: each of several ids in one field, and what stands before a `#`.

    >>> sorted(names_in({"kind": "answer", "key": "INT-1#accepted", "cases": "c-1 c-2", "who": "(7 characters)"}))
    ['INT-1', 'INT-1#accepted', 'c-1', 'c-2']
    """
    words = {word for value in ids.values() for word in str(value).split() if not str(value).startswith("(")}
    found = words | {word.partition("#")[0] for word in words}
    return {word for word in found if any(map(str.isdigit, word))}


def keep_mentions(db: Transaction, run: int, items: Iterable[ItemRecord]) -> None:
    """Note whom these items of a run name, within the transaction at hand; `run` is its number."""
    _insert(db, (row for item in items for row in _rows(db, run, item.index, item.ids)))


def forget_mentions(db: Transaction, items: Iterable[tuple[int, int, str]]) -> None:
    """Forget whom items name, by the number of their run, their place in it, and their ids as they are kept."""
    rows = (row for run, position, ids in items for row in _rows(db, run, position, json.loads(ids)))
    db.executemany("DELETE FROM mentions WHERE name = ? AND run = ? AND position = ?", rows)


def forget_runs(db: Transaction, runs: Iterable[tuple[str]]) -> None:
    """The same for all items of runs, by the ids of these."""
    for run in runs:
        forget_mentions(db, db.execute("SELECT run_number, position, ids FROM items WHERE run = ?", run).fetchall())


def note_all(db: Transaction) -> None:
    """Note whom the items name that were kept before there were mentions, some at a time."""
    (last,) = db.execute("SELECT coalesce(max(number), 0) FROM runs").fetchone()
    for first in range(1, last + 1, _AT_ONCE):
        items = db.execute(
            """SELECT items.run_number, items.position, items.ids FROM runs JOIN items ON items.run = runs.id
               WHERE runs.number BETWEEN ? AND ?""",
            (first, first + _AT_ONCE - 1),
        ).fetchall()
        _insert(db, (row for run, position, ids in items for row in _rows(db, run, position, json.loads(ids))))


def _rows(db: Transaction, run: int, position: int, ids: Mapping[str, Any]) -> Iterator[Row]:
    return ((mark(db.sealed, name), run, position) for name in names_in(ids))


def _insert(db: Transaction, rows: Iterable[Row]) -> None:
    db.executemany("INSERT INTO mentions (name, run, position) VALUES (?, ?, ?)", rows)
