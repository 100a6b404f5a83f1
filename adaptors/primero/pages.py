"""Lists are read to their end, in an order that doesn't move, although records come and go meanwhile (H1)."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from adaptors.errors import Untrustworthy

LARGEST_PAGE = 1_000  # Primero gives no more, whatever is asked for
REREADS = 3

Record = dict[str, Any]
Ask = Callable[[int, int], tuple[list[Record], int, int]]


def every_record(ask: Ask, largest: int = LARGEST_PAGE) -> Iterator[Record]:
    """Each record of a list once. `ask(page, per)` gives the rows, the total, and the `per` that was granted;
    `largest` is the most that is asked for at a time.

    Page sizes are chosen so that each page begins a little before the end of the one before it: if the overlap holds
    other records than it did, or the total is another, the list has shifted under us and is read again from the first
    page, three times. Records already given are not given again. Raises Untrustworthy when the list doesn't rest.

    >>> rows = [{"id": str(n)} for n in range(5)]
    >>> len(list(every_record(lambda page, per: (rows[(page - 1) * per : page * per], 5, per))))
    5
    """
    given: set[str] = set()
    met = given  # at the first reading these are the same; a large caseload needs no second list of ids
    for _ in range(1 + REREADS):
        if (yield from _one_pass(ask, given, met, largest)):
            return
        met = set()
    raise Untrustworthy(
        f"the list shifted each time it was read, {1 + REREADS} times",
        code="pages_shifted",
        fix="It will be tried again; if it is always so, give a narrower --since.",
    )


def _one_pass(ask: Ask, given: set[str], met: set[str], largest: int) -> Generator[Record, None, bool]:
    """Read from the first page to the last; say whether every record was met."""
    page, per = 1, largest
    overlap: list[str] = []
    before: int | None = None  # the total that the page before told
    while True:
        rows, total, granted = ask(page, per)
        if page == 1 and granted < per:  # a server that gives less at a time than Primero's usual limit
            largest = per = max(granted, 1)
        ids = [row["id"] for row in rows]
        if ids[: len(overlap)] != overlap or before not in (None, total):
            return False
        rows.reverse()
        while rows:  # each is let go when the next is wanted, so that no two pages are held at once
            row = rows.pop()
            if row["id"] not in given:
                given.add(row["id"])
                yield row
        met.update(ids)
        start, before = (page - 1) * per, total
        end = start + len(ids)
        if not ids or end >= total:
            return len(met) == total
        page, per = _next_page(end, largest)
        overlap = ids[(page - 1) * per - start :]


def _next_page(end: int, largest: int) -> tuple[int, int]:
    """The page and size that begin before `end` and reach furthest beyond it; right at it where none can."""
    per = max(range(largest // 2 + 1, largest + 1), key=lambda size: -(-end // size) * size)
    page = -(-end // per)
    return (page, per) if page * per > end else (end // per + 1, per)
