"""Errors that nobody foresaw: their class and their place are told, never their text, which may hold data (H41)."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Any


def place_of(error: BaseException) -> dict[str, Any]:
    """Class, file and line of an error, as the fields of an event.

    >>> place_of(ValueError("Nyaruot"))
    {'type': 'ValueError', 'file': None, 'line': None}
    """
    frames = extract_tb(error.__traceback__)
    file, line = (Path(frames[-1].filename).name, frames[-1].lineno) if frames else (None, None)
    return {"type": type(error).__name__, "file": file, "line": line}


def told(error: BaseException) -> str:
    """The same in words.

    >>> told(ValueError("Nyaruot"))
    'ValueError'
    """
    place = place_of(error)
    return f"{place['type']} in {place['file']}, line {place['line']}" if place["file"] else str(place["type"])


def watch(tell: Callable[[BaseException], object]) -> None:
    """Have this told from now on of what nothing catches: in the main thread, in others, and while objects are cleared.

    Python itself would print text and traceback.
    """

    def caught(error: BaseException | None) -> None:
        if error is not None and not isinstance(error, SystemExit):
            tell(error)

    sys.excepthook = lambda _type, error, _trace: caught(error)
    threading.excepthook = lambda arguments: caught(arguments.exc_value)
    sys.unraisablehook = lambda unraisable: caught(unraisable.exc_value)
