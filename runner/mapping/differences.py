"""What differs between two versions of a specification: rows and entries that were added, removed or changed."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from runner.mapping.pages import Page, exchange_facts, table_facts, table_headings
from runner.mapping.specification import HEADINGS, Exchange, Row

Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Change:
    """One row of a mapping or one entry of a value table that differs; `was` and `now` tell the columns that do.

    `kind` is `added`, `removed` or `changed`; `place` names the row (`to desk, by post: id`) or the entry's key.
    """

    job: str
    table: str
    kind: str
    place: str
    was: Mapping[str, str]
    now: Mapping[str, str]


def changes(old: Iterable[Exchange], new: Iterable[Exchange]) -> list[Change]:
    """All that differs, exchange by exchange; labels and summaries are nobody's agreement and don't count.

    >>> before, after = Exchange("calls", "", (), {"KINDS": {"a": "b"}}), Exchange("calls", "", (), {"KINDS": {}})
    >>> [(change.kind, change.place) for change in changes([before], [after])]
    [('removed', 'a')]
    """
    return [change for one, other in _pairs(old, new) for change in _changes(one, other)]


def pages(old: Iterable[Exchange], new: Iterable[Exchange]) -> list[Page]:
    """The pages of the new version, each row marked, with those that are gone and what was there before."""
    return [page for one, other in _pairs(old, new) for page in _pages(one, other)]


def sentence(change: Change) -> str:
    """One line for people.

    >>> sentence(Change("calls", "KINDS", "changed", "a", {"value": "b"}, {"value": "c"}))
    'changed  KINDS, a  value: b → c'
    """
    where = f"{change.table}, {change.place}" if change.table else change.place
    if change.kind == "changed":
        told = "; ".join(f"{name}: {change.was[name] or '-'} → {change.now[name] or '-'}" for name in change.now)
    else:
        held = change.now or change.was
        told = "; ".join(f"{name}: {value}" for name, value in held.items() if value)
    return f"{change.kind:<7}  {where}  {told}".rstrip()


def _pairs(old: Iterable[Exchange], new: Iterable[Exchange]) -> Iterator[tuple[Exchange, Exchange]]:
    before, after = {each.job: each for each in old}, {each.job: each for each in new}
    for job in {**after, **before}:
        yield before.get(job, Exchange(job, "", (), {})), after.get(job, Exchange(job, "", (), {}))


def _changes(old: Exchange, new: Exchange) -> Iterator[Change]:
    for place, was, now in _beside(_rows(old), _rows(new)):
        yield from _change(new.job, "", f"{place[0]}, by {place[1]}: {place[2]}", _agreed(was), _agreed(now))
    for table in {**new.tables, **old.tables}:
        for key, before, after in _beside(_entries(old, table), _entries(new, table)):
            yield from _change(new.job, table, key, before or {}, after or {})


def _change(job: str, table: str, place: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    kind = _kind(was, now)
    if kind == "changed":
        names = [name for name in now if was.get(name) != now[name]]
        was, now = {name: was.get(name, "") for name in names}, {name: now[name] for name in names}
    if kind:
        yield Change(job, table, kind, place, was, now)


def _kind(was: Any, now: Any) -> str:
    if not was or not now:
        return "added" if now else "removed" if was else ""
    return "" if was == now else "changed"


def _agreed(row: Row | None) -> Mapping[str, str]:
    return row.agreed if row else {}


def _rows(exchange: Exchange) -> dict[tuple[str, str, str, int], Row]:
    """The rows by their place; where several have the same, such as two answers, they are counted."""
    seen: Counter[Hashable] = Counter()
    found = {}
    for row in exchange.rows:
        found[(*row.place, seen[row.place])] = row
        seen[row.place] += 1
    return found


def _entries(exchange: Exchange, table: str) -> dict[str, Mapping[str, str]]:
    return {key: {"value": value or ""} for key, value in exchange.tables.get(table, {}).items()}


def _beside(old: Mapping[Any, Shown], new: Mapping[Any, Shown]) -> Iterator[tuple[Any, Shown | None, Shown | None]]:
    for place in {**new, **old}:
        yield place, old.get(place), new.get(place)


def _pages(old: Exchange, new: Exchange) -> Iterator[Page]:
    headings = [*HEADINGS.values(), "Was"]
    rows, marks = [], []
    for _, was, now in _beside(_rows(old), _rows(new)):
        shown = now or was
        kind = _kind(_agreed(was), _agreed(now))
        rows.append([*(getattr(shown, name) for name in HEADINGS), _was(_agreed(was), _agreed(now), kind)])
        marks.append(kind)
    facts = exchange_facts(new if new.summary else old)
    yield Page(new.job, facts, headings, rows, marks)
    for table in {**new.tables, **old.tables}:
        yield _table_page(old, new, table)


def _table_page(old: Exchange, new: Exchange, table: str) -> Page:
    before, after = _entries(old, table), _entries(new, table)
    listed = table_headings(new.tables.get(table) or old.tables.get(table, {}))
    rows, marks = [], []
    for key, was, now in _beside(before, after):
        kind = _kind(was, now)
        shown = [key, (now or was or {})["value"]][: len(listed)]
        rows.append([*shown, _was(was or {}, now or {}, kind)])
        marks.append(kind)
    return Page(f"{table}, {new.job}", table_facts(new.job, table), [*listed, "Was"], rows, marks)


def _was(was: Mapping[str, str], now: Mapping[str, str], kind: str) -> str:
    """What stood there before, column by column, of a row that has changed."""
    if kind != "changed":
        return ""
    return "\n".join(f"{name}: {was.get(name) or '-'}" for name in now if was.get(name) != now[name])
