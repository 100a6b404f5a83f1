"""What only Primero's own screens need: labels, saved filters, column headings, from a file beside the package."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

MADE_AT = "2026-01-01T00:00:00.000Z"
"""When everything that is configured was made."""

_FILE = Path(__file__).parent.parent / "primero_screens.json"


@cache
def screens() -> dict[str, Any]:
    """The whole file; callers must not change what they get."""
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return document


def in_locales(text: str) -> dict[str, str]:
    """A text in the first locale, empty in the others, as Primero stores what was never translated.

    >>> in_locales("Services")
    {'en': 'Services', 'fr': '', 'ar': ''}
    """
    first, *others = screens()["locales"]
    return {first: text} | dict.fromkeys(others, "")


def logo_paths(agency: str) -> tuple[str, str] | None:
    """Where the logo and the icon of an agency lie, None for an agency without."""
    if agency not in screens()["agencies_with_logo"]:
        return None
    return f"/logos/{agency.lower()}-full.png", f"/logos/{agency.lower()}-icon.png"
