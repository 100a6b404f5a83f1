"""Moments and plain data as texts: UTC with milliseconds, so that they sort as they passed."""

import json
from datetime import UTC, datetime
from typing import Any


def text(moment: datetime) -> str:
    """A moment as it is kept.

    >>> text(datetime(2026, 3, 1, 10, tzinfo=UTC))
    '2026-03-01T10:00:00.000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def optional_text(moment: datetime | None) -> str | None:
    """A moment as it is kept, or None."""
    return None if moment is None else text(moment)


def optional_moment(kept: str | None) -> datetime | None:
    """The moment, or None."""
    return None if kept is None else datetime.fromisoformat(kept)


def document(value: Any) -> str:
    """Plain data as JSON, the same text for the same data."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
