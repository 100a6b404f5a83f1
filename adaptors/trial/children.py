"""What a synthetic child is for: the rows that it exercises, and the outcomes that are right for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adaptors.promises import State
from adaptors.trial.script import Script
from adaptors.trial.watched import Row
from adaptors.trial.ways import Changes, Way, changed, resolved, rows_of, tables_of, ways

DONE = ("done", "unchanged")
REFUSED = ("refused", "parked")  # parked where nobody is told
WITHHELD = ("withheld",)


@dataclass(frozen=True)
class Child:
    """A child of a trial. `mark` is the id by which the run's report names it; `outcomes` are those that are right,
    with this `code` unless it is `""`; an empty tuple means that it must not be met at all. `refused` is what people
    couldn't do in Primero before.
    """

    mark: str
    says: str
    outcomes: tuple[str, ...] = DONE
    code: str = ""
    rows: frozenset[Row] = frozenset()
    refused: str = ""


@dataclass(frozen=True)
class Exercise:
    """What to change in a record so that it exercises something, as `says` tells; `code` where it is refused then."""

    says: str
    changes: Changes
    rows: frozenset[Row] = frozenset()
    code: str = ""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Those that are right."""
        return REFUSED if self.code else DONE


def exercises(script: Script, operation: Any, base: State, roots: tuple[str, ...] = ("data",)) -> Iterator[Exercise]:
    """One for every row of the tables by which an operation's fields are made, and one for each value that is absent.

    Rows to which no way leads have none.
    """
    met: set[Row] = set()
    absent: set[str] = set()
    for field in operation.sends.values():
        found = ways(script, field, base, roots)
        for row in _in_order(script, tables_of(script, field), rows_of(found) - met):
            way = _shortest(found, row)
            met.add(row)
            yield Exercise(_told(script, row), way.changes, frozenset({row}), way.code)
        for path in sorted({path for way in found for path in way.changes} - absent):
            absent.add(path)
            required = path.partition(".")[2] in script.requires
            code = "missing_fields" if required else resolved(field, changed(base, {path: None}))[1]
            yield Exercise(f"no {path.partition('.')[2]}", {path: None}, code=code)


def usual(script: Script, operation: Any, base: State, roots: tuple[str, ...] = ("data",)) -> Changes:
    """What to change in each record because this job's tables don't know what stands there."""
    changes: dict[str, Any] = {}
    for field in operation.sends.values():
        if resolved(field, changed(base, changes))[1]:
            way = next((way for way in ways(script, field, base, roots) if not way.code), None)
            changes |= way.changes if way else {}
    return changes


def _in_order(script: Script, tables: list[str], rows: set[Row]) -> list[Row]:
    """As they are written; what no key holds comes after, then the constants."""
    written = [Row(name, key) for name in tables for key in (*script.tables[name], "")]
    return [*(row for row in written if row in rows), *sorted(rows - set(written))]


def _shortest(found: list[Way], row: Row) -> Way:
    return min((way for way in found if row in way.rows), key=lambda way: (bool(way.code), len(way.changes)))


def _told(script: Script, row: Row) -> str:
    return f"{row.table}: what no key holds" if row.table in script.tables and not row.key else str(row)
