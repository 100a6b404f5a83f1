"""Finding values in a document: names with dots in them, and JSONPath from `$`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

from adaptors.agreed import Record
from adaptors.errors import JobError


class _Missing:
    """The one value that says: not there. Absent is not the same as null."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()

_PLAIN = re.compile(r"\$(?:\.[A-Za-z_]\w*|\[\d+\]|\[\*\])*", re.ASCII)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[(\*)\]", re.ASCII)
_PARSING = Lock()


def find(path: str, document: Any) -> Any:
    """The one value at `path`, or MISSING.

    A path without `$` is a field's name: the longest literal key is tried first, then one dot deeper, since the
    names of proGres contain dots. From `$` on it is JSONPath. Raises JobError when a JSONPath finds several values,
    and when what it looks for in a Record is not an agreed field.

    >>> find("individuals.progres_id", {"individuals.progres_id": "GAM-1"})
    'GAM-1'
    >>> find("user.progres_partner.Name", {"user.progres_partner": {"Name": "Plan"}})
    'Plan'
    >>> find("$.services[0].type", {"services": [{"type": "food"}]})
    'food'
    >>> find("absent", {})
    MISSING
    """
    if not path.startswith("$"):
        return _walk_names(path, document)
    found = list(find_all(path, document))
    if len(found) > 1:
        raise JobError(
            f"the path {path} finds {len(found)} values where one is needed",
            fix="Say which one, for example with [0], or go through them with each().",
        )
    return found[0] if found else MISSING


def find_all(path: str, document: Any) -> Iterator[Any]:
    """Every value at a JSONPath that begins with `$`, in order. Null counts as a value.

    >>> list(find_all("$.cases[*].age", {"cases": [{"age": 7}, {}, {"age": None}]}))
    [7, None]
    """
    steps = _plain_steps(path)
    if steps is None:
        return iter([match.value for match in _compiled(path).find(document)])
    return _walk_steps(steps, document)


def check_path(path: Any) -> None:
    """Raise JobError when `path` is no path, so that a slip shows when the job is loaded and not at the first child.

    >>> check_path("$.interventions[*]")
    """
    if not isinstance(path, str) or not path.strip():
        raise JobError("a path must be a text that is not empty", fix='Write it in quotes, such as "case.name_first".')
    if path.startswith("$") and _plain_steps(path) is None:
        _compiled(path)


def _walk_names(name: str, document: Any) -> Any:
    if not isinstance(document, dict):
        return MISSING
    if name in document:
        return document[name]
    end = name.rfind(".")
    while end > 0:
        if name[:end] in document:
            found = _walk_names(name[end + 1 :], document[name[:end]])
            if found is not MISSING:
                return found
        end = name.rfind(".", 0, end)
    if isinstance(document, Record):
        document.check(name)
    return MISSING


@lru_cache(maxsize=1024)
def _plain_steps(path: str) -> tuple[str | int | None, ...] | None:
    """Names, numbers and None (for `[*]`) of a path that needs no JSONPath engine; else None."""
    if not _PLAIN.fullmatch(path):
        return None
    return tuple(name if name else int(number) if number else None for name, number, _star in _STEP.findall(path, 1))


def _walk_steps(steps: tuple[str | int | None, ...], document: Any) -> Iterator[Any]:
    for place, step in enumerate(steps):
        if step is None:
            inside = document.values() if isinstance(document, dict) else document
            if isinstance(document, (dict, list)):
                for value in inside:
                    yield from _walk_steps(steps[place + 1 :], value)
            return
        if isinstance(step, str):
            if not isinstance(document, dict):
                return
            if step not in document:
                if isinstance(document, Record):
                    document.check(step)
                return
        elif not isinstance(document, list) or step >= len(document):
            return
        document = document[step]
    yield document


@lru_cache(maxsize=1024)
def _compiled(path: str) -> Any:
    # Parsing costs 150 times an evaluation, and the parser is not safe for threads.
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    with _PARSING:
        try:
            return parse(path)
        except (JSONPathError, TypeError, AttributeError) as error:
            raise JobError(
                f"the path {path} is no JSONPath: {error}", fix="See docs/writing-jobs.md, section Paths."
            ) from None
