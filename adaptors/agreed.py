"""Agreed fields: a record that another system gave is cut down to them before any mapping sees it (R-LP3)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from adaptors.errors import JobError

_NAMES = re.compile(r"\$\.(\w+)(?:\.(\w+))?")


class Record(dict[str, Any]):
    """A record with the agreed fields only. To read another is JobError, and not a silent None.

    >>> record = keep({"sex": "female", "protection_concerns": ["…"]}, ["sex", "age"])
    >>> record, record.get("age")
    ({'sex': 'female'}, None)
    """

    __slots__ = ("fields",)
    fields: frozenset[str]

    def __missing__(self, name: str) -> Any:
        self.check(name)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The field's value, or the default when it is absent. Raises JobError when it is not an agreed one."""
        if name in self:
            return self[name]
        self.check(name)
        return default

    def check(self, name: str) -> None:
        """Raise JobError unless the field is an agreed one, or lies around or within one."""
        if not _overlaps(name, self.fields):
            raise JobError(
                f"{name} is read from a record, but nobody asked for it",
                code="not_agreed_field",
                fix=f'Add "{name}" to fields= of what reads the record, or to reads= of the function that needs it.',
            )


def keep(record: dict[str, Any], fields: Iterable[str]) -> Record:
    """The record with these fields only; `subform.column` keeps a column of a subform, `subform` all of it.

    >>> keep({"services": [{"type": "food", "note": "…"}], "sex": "female"}, ["services.type"])
    {'services': [{'type': 'food'}]}
    """
    wanted = frozenset(fields)
    kept = Record()
    kept.fields = wanted
    for name, value in record.items():
        within = _within(name, wanted)
        if within is not None:
            kept[name] = _cut(value, within) if within else value
    return kept


def fields_in(reads: Iterable[str]) -> frozenset[str] | None:
    """Which fields of the record in `data` are read by these paths; None when that may be any.

    >>> sorted(fields_in({"data.sex", "$.services[0].type", "case.owned_by"}))
    ['services', 'sex']
    >>> fields_in({"$"})
    """
    fields: set[str] = set()
    for path in reads:
        name = _NAMES.match(path)
        whole = name[0] == "$.data" if name else path == "data" or path.startswith("$")
        if whole:
            return None
        if path.startswith("data."):
            fields.add(path.removeprefix("data."))
        elif name:  # whether it begins at the record or at the state can't be seen
            fields |= {name[1], name[2] or name[1]}
    return frozenset(fields)


def _cut(value: Any, fields: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return keep(value, fields)
    if isinstance(value, list):
        return [_cut(inside, fields) for inside in value]
    return value


@lru_cache(maxsize=4096)
def _within(name: str, fields: frozenset[str]) -> frozenset[str] | None:
    """Which fields within the field of this name are agreed: None when nothing of it is, empty when all of it is."""
    if name in fields:
        return frozenset()
    return frozenset(field[len(name) + 1 :] for field in fields if field.startswith(f"{name}.")) or None


@lru_cache(maxsize=4096)
def _overlaps(name: str, fields: frozenset[str]) -> bool:
    return any(name == field or field.startswith(f"{name}.") or name.startswith(f"{field}.") for field in fields)
