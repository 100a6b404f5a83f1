"""Comparing what is wanted with what Primero holds."""

from typing import Any

from adaptors.primero.pages import Record
from adaptors.promises import State


def filled(record: Record) -> Record:
    """Without what is absent: Primero refuses null for ticks and drops it for lists."""
    return {field: value for field, value in record.items() if value not in (None, "", [])}


def differing(wanted: Record, held: Record) -> list[str]:
    """The names of the fields in which the two differ; lists are compared without order, absent equals null."""
    return [field for field, value in wanted.items() if not _same(value, held.get(field))]


def mark_unchanged(state: State) -> None:
    """Say of the item that nothing had to be done, unless something else was said of it."""
    item = state.setdefault("item", {})
    if item.get("outcome", "done") == "done":
        item["outcome"] = "unchanged"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _as_moment(one) == _as_moment(other) is not None
    return bool(one == other) or (one in (None, "", []) and other in (None, "", []))


def _as_moment(value: str) -> str | None:
    """Date-times come back with milliseconds."""
    if len(value) < 19 or value[10:11] != "T":
        return None
    return value[:19]
