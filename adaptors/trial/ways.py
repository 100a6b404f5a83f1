"""Ways to the rows of a job's tables: which value at which path of a record leads there. Found out by trying.

Nothing is sent for it: a field's promises are resolved over a record that is made up, and its tables are watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from adaptors.errors import AdaptorError
from adaptors.outgoing import Field
from adaptors.promises import State, resolve
from adaptors.runtime import Runtime
from adaptors.trial.script import Script
from adaptors.trial.watched import Row

STRANGE = "Erfunden"  # a value that no table holds

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """What to change in a record, by path, and where that leads: to these rows, and to an error's code or `""`."""

    changes: Changes
    rows: frozenset[Row]
    code: str


def ways(script: Script, field: Field, base: State, roots: tuple[str, ...] = ("data",)) -> list[Way]:
    """All ways to rows that this field is made by, from a state in which all else is as it should be.

    `roots` are the names in the state under which a record can be changed. Where the rows of one table can only be
    reached by those of another, such as a reason by a rejection, the way changes both.
    """
    tables = {name: script.tables[name] for name in tables_of(script, field)}
    constants = {name: script.constants[name] for name in _names(field) if name in script.constants}
    if not tables and not constants:
        return []
    paths = [path for path in sorted(field.reads) if path.partition(".")[0] in roots]
    trial = _Trial(script, field, constants, [(path, value) for path in paths for value in _values(script, tables)])
    found = list(trial.over(base, {}))
    wanted = {Row(name, key) for name, entries in tables.items() for key in entries}
    if wanted - rows_of(found):
        for first in _one_for_each_row(found):
            found += trial.over(base, first.changes)
    return found


def tables_of(script: Script, field: Field) -> list[str]:
    """The names of the tables that a field is made by."""
    return [name for name in _names(field) if name in script.tables]


def rows_of(found: Iterable[Way]) -> set[Row]:
    """All rows to which these ways lead."""
    return {row for way in found for row in way.rows}


def changed(base: State, changes: Changes) -> State:
    """A state with other values at these paths, each in the shape of what stands there: in a list, under `Name`.

    >>> changed({"data": {"a.b": {"Name": "x"}, "c": ["y"]}}, {"data.a.b": "z", "data.c": "z"})
    {'data': {'a.b': {'Name': 'z'}, 'c': ['z']}}
    """
    state = deepcopy(base)
    for path, value in changes.items():
        _put(state, path, value)
    return state


@dataclass(frozen=True)
class _Trial:
    script: Script
    field: Field
    constants: Mapping[str, str]
    places: list[tuple[str, str]]

    def over(self, base: State, changes: Changes) -> Iterator[Way]:
        for path, value in self.places:
            tried = {**changes, path: value}
            way = self._tried(changed(base, tried), tried)
            if way.rows:
                yield way

    def _tried(self, state: State, changes: Changes) -> Way:
        (value, code), rows = self.script.watch.during(lambda: resolved(self.field, state))
        named = {Row(name, "") for name, constant in self.constants.items() if value in (constant, [constant])}
        return Way(changes, rows | named, code)


def resolved(field: Field, state: State) -> tuple[Any, str]:
    """What a field is made of in this state, and "", or None and the code of the error.

    >>> resolved(Field(("open",)), {})
    ('open', '')
    """
    try:
        return resolve(field.values[-1], {"runtime": Runtime(), "item": {}, **state}), ""
    except AdaptorError as error:
        return None, error.code


def _names(field: Field) -> list[str]:
    return list(dict.fromkeys(name for rule in field.rules for name in rule.names))


def _values(script: Script, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    keys = [key for entries in tables.values() for key in entries]
    texts = [value for text in script.texts for value in (text, f"{text}{STRANGE}")]
    return list(dict.fromkeys([*keys, STRANGE, *texts]))


def _one_for_each_row(found: list[Way]) -> list[Way]:
    first: dict[Row, Way] = {}
    for way in found:
        for row in sorted(way.rows):
            first.setdefault(row, way)
    return list({id(way): way for way in first.values() if not way.code}.values())


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    """The longest literal key first, since the names of proGres contain dots."""
    end = path.rfind(".")
    while path not in document and end > 0:
        if isinstance(document.get(path[:end]), dict):
            _put(document[path[:end]], path[end + 1 :], value)
            return
        end = path.rfind(".", 0, end)
    before = document.get(path)
    if isinstance(before, dict) and "Name" in before and value is not None:
        document[path] = {**before, "Name": value}
    elif isinstance(before, list) and value is not None:
        document[path] = [value]
    else:
        document[path] = value
