"""Charts of the last days, as shapes that a template draws: a bar for what went well, a triangle above it for what was
left to a person, a square at the top for runs that failed. So nobody needs colours to tell them apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from runner.store import DayCount

DAYS = 30
WIDTH, HEIGHT = 300, 64

_STEP = WIDTH // DAYS
_SQUARES, _TRIANGLES = 2, 12  # where their rows begin, from above
_MARK = 8  # wide, as bars are; the rest of a step is empty
_BARS = 24  # above, where bars end at the longest

# What counts as what, by kind and outcome; items that failed are tried again, and their runs are counted.
_WORDS = {
    ("item", "done"): "done", ("item", "withheld"): "withheld",
    ("item", "refused"): "to_person", ("item", "parked"): "to_person", ("run", "failed"): "failed",
}  # fmt: skip


@dataclass(frozen=True)
class Day:
    """What came of one day: items that were carried (`done`), that were not to be carried (`withheld`), that were left
    `to_person`, and runs that `failed`."""

    day: date
    done: int = 0
    withheld: int = 0
    to_person: int = 0
    failed: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing ended on that day."""
        return not (self.done or self.withheld or self.to_person or self.failed)


@dataclass(frozen=True)
class Chart:
    """The days of one job, the oldest first, and what is drawn of them: the paths of all bars, triangles, squares."""

    days: tuple[Day, ...]
    bars: str
    triangles: str
    squares: str

    @property
    def today(self) -> Day:
        """The last of them."""
        return self.days[-1]

    @property
    def all(self) -> Day:
        """All of them together, under the first day."""
        totals = {name: sum(getattr(day, name) for day in self.days) for name in dict.fromkeys(_WORDS.values())}
        return Day(self.days[0].day, **totals)


def first_day(today: date) -> date:
    """The day with which charts begin.

    >>> first_day(date(2026, 3, 30)).isoformat()
    '2026-03-01'
    """
    return today - timedelta(days=DAYS - 1)


def charts(counted: Iterable[DayCount], jobs: Iterable[str], today: date) -> Mapping[str, Chart]:
    """The chart of each job.

    >>> day = date(2026, 3, 30)
    >>> charts([DayCount(day, "sort", "item", "done", 3)], ["sort"], day)["sort"].bars
    'M291 24h8v40h-8z'
    """
    found: dict[tuple[str, date], Counter[str]] = {}
    for each in counted:
        if word := _WORDS.get((each.kind, each.outcome)):
            found.setdefault((each.job, each.day), Counter())[word] += each.count
    days = [first_day(today) + timedelta(days=number) for number in range(DAYS)]
    return {job: _drawn(tuple(Day(day, **found.get((job, day), Counter())) for day in days)) for job in jobs}


def _drawn(days: tuple[Day, ...]) -> Chart:
    highest = max(day.done for day in days)
    bars = triangles = squares = ""
    for number, day in enumerate(days):
        left = number * _STEP + 1
        if day.done:
            height = max(round(day.done / highest * (HEIGHT - _BARS)), 1)  # one child is seen beside a thousand
            bars += f"M{left} {HEIGHT - height}h{_MARK}v{height}h-{_MARK}z"
        if day.to_person:
            triangles += f"M{left} {_TRIANGLES + _MARK}h{_MARK}l-{_MARK // 2}-{_MARK}z"
        if day.failed:
            squares += f"M{left} {_SQUARES}h{_MARK}v{_MARK}h-{_MARK}z"
    return Chart(days, bars, triangles, squares)
