"""Paths in a message, as `split` and `subject` of a trigger are written.

A plain subset of JSONPath: `$`, `.name`, `['any name']`, `[0]` and `[*]`. project.schema.json refuses anything else
when the project file is read, so that a slip shows there and not at the first message.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

Step = str | int | None  # a name, a place in a list, or each of a list

_STEP = re.compile(r"""\.([A-Za-z_]\w*)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]|\[\*\]""", re.ASCII)


def find(path: str, document: Any) -> list[Any]:
    """Every value at a path, in order.

    >>> find("$.parts[*]['a.b']", {"parts": [{"a.b": 1}, {}, {"a.b": 2}]})
    [1, 2]
    """
    found = [document]
    for step in _steps(path):
        found = [inner for value in found for inner in _inside(value, step)]
    return found


def split(path: str, document: Any) -> Iterator[Any]:
    """The document once for each value at a path, the lists on the way holding only the one that leads there.

    >>> list(split("$.parts[*]", {"type": "x", "parts": [1, 2]}))
    [{'type': 'x', 'parts': [1]}, {'type': 'x', 'parts': [2]}]
    """
    return _split(_steps(path), document)


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[Step, ...]:
    return tuple(_step(match) for match in _STEP.finditer(path))


def _step(match: re.Match[str]) -> Step:
    name, quoted, double_quoted, place = match.groups()
    return int(place) if place else name or quoted or double_quoted


def _inside(value: Any, step: Step) -> Sequence[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    return value if step is None else value[step : step + 1]


def _split(steps: Sequence[Step], document: Any) -> Iterator[Any]:
    if not steps:
        yield document
        return
    step, *rest = steps
    for inner in _inside(document, step):
        for part in _split(rest, inner):
            yield {**document, step: part} if isinstance(step, str) else [part]
