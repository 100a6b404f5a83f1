"""Which keys of a write are taken and which values are refused (primero-api §4.1 and §15).

Three things happen to a body, in this order: texts that look like a date become one; what does not have the shape of
its field (list or single value) is dropped without a word; what has the shape but not the type is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adaptors.sandbox.primero.config import Document, Field
from adaptors.sandbox.primero.errors import Broken, Invalid
from adaptors.sandbox.primero.values import UUID, iso, moment_of

WRITABLE_TYPES = frozenset(
    {"text_field", "textarea", "numeric_field", "date_field", "tick_box", "select_box", "radio_button", "subform"}
)
_UNIQUE_ID = Field("unique_id", "uuid", False, False, None)
_DESTROY = Field("_destroy", "boolean_or_null", False, False, None)


def accepted(body: Any, fields: Mapping[str, Field], *, check_options: bool, refuse_unknown: bool) -> Document:
    """The part of a body that is stored, with dates in their stored form.

    Raises Broken where `data` is a list or a single value, Invalid with the pointers of wrong values.
    """
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise Broken("no implicit conversion of Symbol into Integer")
    shaped = {name: _shaped(body[name], fields[name]) for name in body if name in fields}
    kept = {name: value for name, value in shaped.items() if value is not _DROPPED}
    pointers = _unknown(body, fields) if refuse_unknown else []
    pointers += [pointer for field in fields.values() for pointer in _problems(kept, field, "", check_options)]
    if pointers:
        raise Invalid.schema(pointers)
    return {name: _stored(value) for name, value in kept.items()}


def refuse_future_birth(data: Document, today: str) -> None:
    """A date of birth in a year to come is an error of the model, reported only when the schema holds."""
    if str(data.get("date_of_birth") or "")[:4] > today[:4]:
        raise Invalid.model({"date_of_birth": "Please enter a valid date of birth for this case record"})


def refuse_nul(value: Any) -> None:
    """A NUL character in a text breaks the database."""
    if isinstance(value, str) and "\0" in value:
        raise Broken("string contains null byte")
    if isinstance(value, dict):
        for item in value.values():
            refuse_nul(item)
    if isinstance(value, list):
        for item in value:
            refuse_nul(item)


_DROPPED: Any = object()


def _unknown(body: Document, fields: Mapping[str, Field], where: str = "") -> list[str]:
    pointers = [f"{where}/{name}" for name in body if name not in fields]
    for name, field in fields.items():
        entries = body.get(name) if field.type == "subform" else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                pointers += _unknown(entry, _by_name(_entry_fields(field)), f"{where}/{name}/{index}")
    return pointers


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _shaped(value: Any, field: Field) -> Any:
    if field.type == "subform":
        return _shaped_subform(value, field)
    if field.multi_select:
        return _shaped_list(value)
    return _DROPPED if isinstance(value, list | dict) else _read(value)


def _shaped_list(value: Any) -> Any:
    if not isinstance(value, list) or any(isinstance(item, list | dict) for item in value):
        return _DROPPED
    return [_read(item) for item in value]


def _shaped_subform(value: Any, field: Field) -> Any:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return _DROPPED
    columns = _by_name(_entry_fields(field))
    return [_shaped_entry(entry, columns) for entry in value if isinstance(entry, dict)]


def _shaped_entry(entry: Document, columns: Mapping[str, Field]) -> Document:
    shaped = {name: _shaped(value, columns[name]) for name, value in entry.items() if name in columns}
    return {name: value for name, value in shaped.items() if value is not _DROPPED}


def _read(value: Any) -> Any:
    found = moment_of(value) if isinstance(value, str) else None
    return value if found is None else found


def _entry_fields(field: Field) -> list[Field]:
    return [*(column for column in field.columns if column.type in WRITABLE_TYPES), _DESTROY, _UNIQUE_ID]


def _problems(data: Document, field: Field, where: str, check_options: bool) -> list[str]:
    if field.name not in data:
        return []
    value, pointer = data[field.name], f"{where}/{field.name}"
    if field.type == "subform":
        return _subform_problems(value, field, pointer, check_options)
    if field.multi_select:
        items = enumerate(value)
        return [f"{pointer}/{index}" for index, item in items if not _is_option(item, field, check_options)]
    return [] if _fits(value, field, check_options) else [pointer]


def _subform_problems(value: Any, field: Field, pointer: str, check_options: bool) -> list[str]:
    if not isinstance(value, list):
        return [pointer]
    return [
        problem
        for index, entry in enumerate(value)
        for column in _entry_fields(field)
        for problem in _problems(entry, column, f"{pointer}/{index}", check_options)
    ]


def _fits(value: Any, field: Field, check_options: bool) -> bool:
    if value is None:
        return field.type not in ("tick_box", "uuid", "boolean", "text", "time", "module", "status")
    match field.type:
        case "text_field" | "textarea" | "text":
            return isinstance(value, str)
        case "numeric_field":
            return _is_integer(value)
        case "date_field" | "time":
            return isinstance(value, date) and isinstance(value, datetime) is field.with_time
        case "tick_box" | "boolean" | "boolean_or_null":
            return isinstance(value, bool)
        case "radio_button":
            return isinstance(value, bool) or _is_option(value, field, check_options)
        case "uuid":
            return isinstance(value, str) and UUID.fullmatch(value) is not None
        case "module":
            return isinstance(value, str) and value in (field.options or ())
        case _:
            return _is_option(value, field, check_options)


def _is_option(value: Any, field: Field, check_options: bool) -> bool:
    return isinstance(value, str) and (not check_options or field.options is None or value in field.options)


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value % 1 == 0 and -(2**31) <= value < 2**31


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [_stored(item) for item in value]
    if isinstance(value, dict):
        return {name: _stored(item) for name, item in value.items()}
    return value
