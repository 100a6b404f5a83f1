"""Turns the parameters of a list call into tests on cases, or drops them without a word (primero-api §2.3, §2.4).

Values are read as Primero reads them: a date, a time, a boolean or a whole number where the whole text looks like
one, else a list where there is a comma, else a range where there are two dots. Some names are columns of the table
(`_COLUMNS`), all others are looked up in the JSON document; the two differ in what a wrong type or a missing value
does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from adaptors.sandbox.primero.config import Config, Document
from adaptors.sandbox.primero.errors import Broken, Invalid
from adaptors.sandbox.primero.profiles import Profile
from adaptors.sandbox.primero.values import iso, moment_of, uuid_text

Test = Callable[[str, Document], bool]

_COLUMNS: dict[str, type] = (
    {"age": int, "created_at": datetime, "registration_date": date, "date_closure": date}
    | dict.fromkeys(("record_state", "flagged", "has_photo", "has_incidents", "not_edited_by_owner"), bool)
    | dict.fromkeys(("status", "sex", "workflow", "owned_by", "owned_by_agency_id", "module_id", "risk_level"), str)
    | dict.fromkeys(("associated_user_names", "owned_by_groups", "referred_users", "current_alert_types"), str)
)


class NothingMatches(Exception):
    """A filter that makes SQL which PostgreSQL refuses: Primero answers 200 with an empty list."""


class EmptyBroken(Exception):
    """The list call that ends in a 500 without a body (vector filter-022)."""


class FilterReader:
    """Reads filters for one configuration and version."""

    def __init__(self, config: Config, profile: Profile) -> None:
        self._config = config
        self._profile = profile

    def tests(self, params: Mapping[str, Any], permitted: frozenset[str]) -> list[Test]:
        """The tests that a case must all pass. Raises NothingMatches, EmptyBroken, Broken."""
        tests = [
            self._test(name, value)
            for name, value in params.items()
            if _location_name(name) in permitted and not self._is_dropped(name, value)
        ]
        return [test for test in tests if test is not None]

    def _is_dropped(self, name: str, value: Any) -> bool:
        if isinstance(value, list):
            if name == "id" and not self._profile.bracket_lists:
                raise EmptyBroken
            return not self._profile.bracket_lists
        return name in self._config.id_fields and isinstance(value, dict)

    def _test(self, name: str, value: Any) -> Test | None:
        _refuse_nul(value)
        if name in self._config.id_fields and isinstance(value, str | None):
            return self._equals(name, value or "")
        return self._built(name, _cast(value))

    def _built(self, name: str, value: Any) -> Test | None:
        if name == "id":
            return _has_id(value)
        if name == "or":
            return self._any_of(value)
        if name == "not":
            return self._negated(value)
        if name.startswith("loc:"):
            return self._at_or_below(_location_name(name), value)
        if isinstance(value, dict):
            return self._between(name, value.get("from"), value.get("to"))
        if isinstance(value, list):
            return self._in_list(name, value)
        return self._equals(name, value)

    def _any_of(self, value: Any) -> Test | None:
        if isinstance(value, list):
            pairs = [next(iter(item.items())) for item in value if isinstance(item, dict) and item]
        else:
            pairs = list(value.items()) if isinstance(value, dict) else []
        tests = [test for test in (self._built(name, inner) for name, inner in pairs) if test is not None]
        return (lambda key, data: any(test(key, data) for test in tests)) if tests else None

    def _negated(self, value: Any) -> Test | None:
        if not isinstance(value, dict) or not value:
            raise Broken("undefined method `keys'")
        name, inner = next(iter(value.items()))
        test = self._built(name, inner)
        return (lambda key, data: not test(key, data)) if test is not None else None

    def _at_or_below(self, name: str, value: Any) -> Test:
        codes = value if isinstance(value, list) else [value]
        inside = {inner for code in codes for inner in self._config.locations_below(str(code))}
        return lambda key, data: any(item in inside for item in _items(data.get(name)))

    def _in_list(self, name: str, values: list[Any]) -> Test | None:
        if not values:
            return None
        if not isinstance(values[0], dict):
            tests = [self._equals(name, value) for value in values]
            return lambda key, data: any(test(key, data) for test in tests)
        ranges = [
            self._between(name, value.get("from"), value.get("to")) for value in values if isinstance(value, dict)
        ]
        if ranges[0] is None:
            raise Invalid({"message": "Filter is not valid"})
        return lambda key, data: any(test is not None and test(key, data) for test in ranges)

    def _between(self, name: str, low: Any, high: Any) -> Test | None:
        if isinstance(low, bool):
            return None
        if isinstance(low, int):
            return self._in_numbers(name, low, high)
        if isinstance(low, date):
            return self._in_time(name, low, high)
        return None

    def _in_numbers(self, name: str, low: int, high: Any) -> Test:
        if high is None and self._profile.open_numeric_ranges:
            return lambda key, data: any(_is_number(item) and low <= item for item in _items(data.get(name)))
        if not _is_number(high):
            raise NothingMatches
        return lambda key, data: any(_is_number(item) and low <= item <= high for item in _items(data.get(name)))

    def _in_time(self, name: str, low: date, high: Any) -> Test:
        if high is not None and not isinstance(high, date):
            raise NothingMatches
        if _COLUMNS.get(name) is datetime and not self._profile.whole_second_columns:
            start, end = iso(_as_time(low)), iso(_as_time(high)) if high else "9"
            return lambda key, data: any(start <= item <= end for item in _texts(data.get(name)))
        length = 19 if isinstance(low, datetime) else 10
        start, end = iso(_as_time(low))[:length], iso(_as_time(high))[:length] if high else "9"

        def test(key: str, data: Document) -> bool:
            return any(start <= _padded(item)[:length] <= end for item in _texts(data.get(name)))

        return test

    def _equals(self, name: str, value: Any) -> Test:
        column = _COLUMNS.get(name)
        if value is None or (column is None and _breaks_json_path(value)):
            raise NothingMatches
        if isinstance(value, date):
            return self._equals_moment(name, value)
        if column is not None and column is not str and type(value) is not column:
            raise NothingMatches
        if isinstance(value, bool):
            matching: tuple[Any, ...] = (value, str(value).lower())
            or_missing = column is None and value is False
            return lambda key, data: _holds_boolean(data.get(name), matching, or_missing)
        return lambda key, data: _holds(data.get(name), value)

    def _equals_moment(self, name: str, value: date) -> Test:
        column = _COLUMNS.get(name)
        if column not in (date, datetime):
            raise NothingMatches
        text = iso(_as_time(value)) if column is datetime else value.isoformat()[:10]
        return lambda key, data: data.get(name) == text


def _cast(value: Any) -> Any:
    if isinstance(value, dict):
        if value and all(key.isdigit() for key in value):
            return [_cast(value[key]) for key in sorted(value, key=int)]
        return {key: _cast(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cast(item) for item in value]
    if not isinstance(value, str):
        return value
    return _cast_text(value) if value else None


def _cast_text(text: str) -> Any:
    moment = moment_of(text)
    if moment is not None:
        return moment
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    if "," in text:
        return [_cast(part) for part in text.rstrip(",").split(",")] if text.strip(",") else []
    if ".." in text:
        low, _, rest = text.partition("..")
        return {"from": _cast(low), "to": _cast(rest.partition("..")[0])}
    return text


def _has_id(value: Any) -> Test:
    texts = value if isinstance(value, list) else [value]
    keys = {uuid_text(text) if isinstance(text, str) else None for text in texts}
    if None in keys:
        raise NothingMatches
    return lambda key, data: key in keys


def _location_name(name: str) -> str:
    return re.sub(r"[0-5]$", "", name.removeprefix("loc:")) if name.startswith("loc:") else name


def _refuse_nul(value: Any) -> None:
    if "\0" in str(value):
        raise Broken("string contains null byte")


def _breaks_json_path(value: Any) -> bool:
    return isinstance(value, str) and ('"' in value or "\\" in value)


def _holds_boolean(stored: Any, matching: tuple[Any, ...], or_missing: bool) -> bool:
    if stored is None:
        return or_missing
    return any(item in matching for item in _items(stored) if isinstance(item, bool | str))


def _holds(stored: Any, value: int | str) -> bool:
    if isinstance(stored, list):
        return value in stored
    return bool(stored == value) and not isinstance(stored, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _items(stored: Any) -> list[Any]:
    return stored if isinstance(stored, list) else [stored]


def _texts(stored: Any) -> list[str]:
    return [item for item in _items(stored) if isinstance(item, str)]


def _padded(text: str) -> str:
    return text if len(text) > 10 else f"{text}T00:00:00"


def _as_time(moment: date) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
