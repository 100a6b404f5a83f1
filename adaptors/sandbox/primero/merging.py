"""How what was sent is laid over what is stored: subform entries by `unique_id` (primero-api §5)."""

from __future__ import annotations

from typing import Any

from adaptors.sandbox.primero.config import Document


def merged(stored: Document, sent: Document) -> Document:
    """The stored data with what was sent (primero-api §5): subform entries are merged by `unique_id` or appended.

    >>> merged({"s": [{"unique_id": "1", "a": 1}]}, {"s": [{"unique_id": "1", "b": 2}, {"b": 3}]})
    {'s': [{'unique_id': '1', 'a': 1, 'b': 2}, {'b': 3}]}
    """
    return stored | {name: _merged_value(stored.get(name), value) for name, value in sent.items()}


def _merged_value(stored: Any, sent: Any) -> Any:
    if not isinstance(sent, list) or not _is_subform(stored, sent):
        return sent
    entries = stored or []
    known = {entry.get("unique_id") for entry in entries if entry.get("unique_id")}
    changes = [entry for entry in sent if entry.get("unique_id") in known]
    added = [entry for entry in sent if entry.get("unique_id") not in known]
    if stored is not None:
        added = [entry for entry in added if entry.get("_destroy") is not True]
    doomed = {change["unique_id"] for change in changes if change.get("_destroy") is True}
    return [_merged_entry(entry, changes) for entry in entries if entry.get("unique_id") not in doomed] + added


def _is_subform(stored: Any, sent: list[Any]) -> bool:
    return all(isinstance(entry, dict) for entry in (*(stored or ()), *sent)) and bool(stored or sent)


def _merged_entry(entry: Document, changes: list[Document]) -> Document:
    for change in changes:
        if change["unique_id"] == entry.get("unique_id"):
            entry = merged(entry, change)
    return entry
