"""The order of a list, and one page of it (primero-api §2.1, §2.5).

Ties have no order of their own, so each answer shuffles them. A key that no case has at all is another matter: there
PostgreSQL returns the rows as they lie in the table, except that its sort for a short page of a long table puts the
first row last (vectors order-015, order-016).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from adaptors.sandbox.primero.memory import Case, Memory

_Rank = tuple[Any, ...]
Ranked = tuple[_Rank, Case]
_COLUMNS = {"age", "created_at", "registration_date"}


@dataclass(frozen=True)
class Page:
    """`number` counts from 1; `size` is how many rows a page has at most."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows lie before the page; negative for a page number below 1."""
        return (self.number - 1) * self.size

    @property
    def end(self) -> int:
        """The number of rows up to the end of the page."""
        return self.offset + self.size


class Order:
    """Keeps the sorted cases of a memory until the next change."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._sorted: dict[tuple[str, bool], list[Ranked]] = {}
        self._version = -1

    def ranked(self, name: str, descending: bool) -> list[Ranked]:
        """All cases with what they are ranked by, in order."""
        if self._version != self._memory.version:
            self._sorted.clear()
            self._version = self._memory.version
        if (name, descending) not in self._sorted:
            ranked = [(_rank(case, name), case) for case in self._memory.cases.values()]
            self._sorted[name, descending] = sorted(ranked, key=lambda entry: entry[0], reverse=descending)
        return self._sorted[name, descending]

    def page(self, ranked: list[Ranked], page: Page) -> list[Case]:
        """The rows of one page, ties shuffled."""
        cases = [case for _, case in ranked]
        if ranked and ranked[0][0] == ranked[-1][0] == _MISSING:
            cases = _as_they_lie(cases, page.end)
        else:
            self._shuffle_ties(ranked, cases, page)
        return cases[page.offset : page.end]

    def _shuffle_ties(self, ranked: list[Ranked], cases: list[Case], page: Page) -> None:
        start = _start_of_tie(ranked, page.offset)
        for _, group in groupby(range(start, len(ranked)), key=lambda index: ranked[index][0]):
            indices = list(group)
            if indices[0] >= page.end:
                return
            if len(indices) > 1:
                mixed = cases[indices[0] : indices[-1] + 1]
                self._memory.chance.shuffle(mixed)
                cases[indices[0] : indices[-1] + 1] = mixed


_MISSING: _Rank = (9,)


def _rank(case: Case, name: str) -> _Rank:
    value = case.data.get(name)
    if name == "id" or name not in case.data or (value is None and name in _COLUMNS):
        return _MISSING
    if value is None:
        return (0,)
    if isinstance(value, str):
        return (1, value.casefold(), value)
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, int | float):
        return (2, value)
    return (4, str(value))


def _start_of_tie(ranked: list[Ranked], offset: int) -> int:
    start = min(offset, len(ranked))
    while 0 < start < len(ranked) and ranked[start - 1][0] == ranked[start][0]:
        start -= 1
    return start


def _as_they_lie(cases: list[Case], bound: int) -> list[Case]:
    if 0 < bound and 2 * bound < len(cases):
        return [*cases[1:bound], cases[0], *cases[bound:]]
    return cases
