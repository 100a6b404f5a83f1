"""Dates, times, ids and other values as Primero reads and writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ANY_UUID = re.compile(r"\{?((?:[0-9a-fA-F]{4}-?){8})\}?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T \t]+(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d*))?[ \t]*(Z|[-+]\d{2}(?::?\d{2})?)?"
)


def iso(moment: datetime) -> str:
    """UTC with milliseconds and `Z`.

    >>> iso(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment_of(text: str) -> date | datetime | None:
    """The date or the UTC time that a text as a whole looks like, else None; a time without a zone is UTC.

    >>> moment_of("2026-01-02T03:04:05+03:00")
    datetime.datetime(2026, 1, 2, 0, 4, 5, tzinfo=datetime.timezone.utc)
    >>> moment_of("2016-02-30") is None
    True
    """
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        found = _DATE_TIME.fullmatch(text)
        return _time_of(found) if found else None
    except ValueError:
        return None


def _time_of(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    microsecond = int((found[7] or "").ljust(6, "0")[:6])
    naive = datetime(year, month, day, hour, minute, second, microsecond, UTC)
    if found[8] in (None, "Z"):
        return naive
    digits = found[8].replace(":", "").ljust(5, "0")
    offset = datetime.strptime(digits, "%z").utcoffset()
    return naive - offset if offset else naive


def uuid_text(text: str) -> str | None:
    """An id in any spelling that PostgreSQL takes, in lower case with dashes; None where it is no UUID.

    >>> uuid_text("{3C6B8ECE524A5E38AB36CFA03780C76F}")
    '3c6b8ece-524a-5e38-ab36-cfa03780c76f'
    """
    found = _ANY_UUID.fullmatch(text)
    if not found:
        return None
    digits = found[1].replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def leading_integer(text: str | None, default: int) -> int:
    """A number as Ruby reads it from the start of a text; no number is 0, no text the default.

    >>> leading_integer("12abc", 20), leading_integer("abc", 20), leading_integer(None, 20)
    (12, 0, 20)
    """
    if text is None:
        return default
    found = re.match(r"\s*[-+]?\d+", text)
    return int(found[0]) if found else 0


def truth(value: Any) -> bool:
    """A value as a database column of booleans takes it.

    >>> truth("false"), truth(1), truth(None)
    (False, True, False)
    """
    return value not in (None, "", False, 0, "0", "f", "F", "false", "FALSE", "off", "OFF")
