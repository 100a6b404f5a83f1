"""The specification as pages, one for each exchange and each value table: what every format shows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runner.mapping.specification import HEADINGS, Exchange
from runner.mapping.tables import Entries

KEY, VALUE, CHANGE = "Key", "Value", "Change"


@dataclass(frozen=True)
class Page:
    """A table under headings. `facts` say what it is of, such as `("Exchange", "north_to_south")`; where the page tells
    of changes, `marks` has `added`, `removed`, `changed` or nothing for each row."""

    title: str
    facts: tuple[tuple[str, str], ...]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    marks: Sequence[str] = ()


def pages(exchanges: Iterable[Exchange]) -> list[Page]:
    """The pages of a specification: each exchange, followed by its tables.

    >>> [page.title for page in pages([Exchange("calls", "Carries calls.", (), {"KINDS": {"a": "b"}})])]
    ['calls', 'KINDS, calls']
    """
    return list(_pages(exchanges))


def overview(facts: Iterable[tuple[str, str | None]], exchanges: Iterable[Exchange]) -> Page:
    """The first page: whose specification it is, as far as that is known, and which exchanges there are.

    >>> overview([("Project", "gambella"), ("Agreement", None)], []).facts
    (('Project', 'gambella'),)
    """
    rows = [[each.job, each.summary, str(len(each.rows)), ", ".join(each.tables)] for each in exchanges]
    known = tuple((name, value) for name, value in facts if value)
    return Page("Overview", known, ["Exchange", "What it does", "Fields", "Value tables"], rows)


def exchange_facts(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    """What the page of an exchange is of."""
    return (("Exchange", exchange.job), ("What it does", exchange.summary))


def table_facts(job: str, table: str) -> tuple[tuple[str, str], ...]:
    """What the page of a value table is of, so that the table is found again when the page comes back."""
    return (("Exchange", job), ("Value table", table))


def table_headings(entries: Entries) -> list[str]:
    """The headings of a value table; a list has keys only."""
    return [KEY] if entries and None in entries.values() else [KEY, VALUE]


def _pages(exchanges: Iterable[Exchange]) -> Iterator[Page]:
    for exchange in exchanges:
        rows = [[getattr(row, name) for name in HEADINGS] for row in exchange.rows]
        yield Page(exchange.job, exchange_facts(exchange), list(HEADINGS.values()), rows)
        for name, entries in exchange.tables.items():
            headings = table_headings(entries)
            listed = [[key, value or ""][: len(headings)] for key, value in entries.items()]
            yield Page(f"{name}, {exchange.job}", table_facts(exchange.job, name), headings, listed)
