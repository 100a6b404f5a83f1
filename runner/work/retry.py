"""When what failed is tried again: the table `retry` of the project file, by cause.

| cause | what is done |
|---|---|
| no connection, time-out, 429, 5xx | tried again until the agreed time is over |
| 401, 403 | the same, and nothing is asked with that credential for a while |
| 400, 404, 409, 422 | not tried again: the record is refused or parked |
| a mistake in the job script | tried again as often as `minutes` has entries, in case it is mended soon |
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runner.errors import Cause

_LONGEST_WAIT = 24 * 60 * 60  # seconds, whatever a far side asks for


@dataclass(frozen=True)
class RetryTable:
    """The numbers of the project file: `minutes` and then `every` (minutes) are the pauses between the tries of a
    message, `hours` the agreed time, `tries` those of one item of a scheduled job, `jitter` the part by which a pause
    may be longer, and `rest` the minutes for which a refused credential is left alone."""

    minutes: tuple[float, ...] = (1, 2, 5, 15, 60)
    every: float = 60
    hours: float = 72
    tries: int = 72
    jitter: float = 0.1
    rest: float = 30

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "RetryTable":
        """Read the project file's table, which fits the schema.

        >>> RetryTable.of({"minutes": [1], "hours": 2}).minutes
        (1,)
        """
        table: dict[str, Any] = dict(settings)
        return cls(**{**table, "minutes": tuple(table.get("minutes", cls.minutes))})

    def tries_of_item(self, cause: Cause) -> int:
        """How often one item of a scheduled job is tried before it is parked."""
        return self.tries if cause.retryable else len(self.minutes) + 1

    def pause(self, causes: Sequence[Cause], tries: int, chance: random.Random) -> timedelta:
        """The pause after so many tries, a little longer by chance, so that not all come back at once.

        It is longer where the far side asks for it, or where a credential must rest: then by that rest, so that all
        that wait for its end come before what caused it.

        >>> RetryTable(jitter=0).pause([], 3, random.Random(1))
        datetime.timedelta(seconds=300)
        """
        minutes = self.minutes[tries - 1] if tries <= len(self.minutes) else self.every
        own = timedelta(minutes=minutes * (1 + self.jitter * chance.random()))
        asked = max((cause.retry_after or 0 for cause in causes), default=0)
        rest = timedelta(minutes=self.rest if any(cause.credential for cause in causes) else 0)
        return max(own, timedelta(seconds=min(asked, _LONGEST_WAIT))) + rest

    def next_try(
        self,
        causes: Sequence[Cause],
        *,
        tries: int,
        arrived: datetime,
        now: datetime,
        chance: random.Random,
        endless: bool = False,
    ) -> datetime | None:
        """When to try again after `tries` tries; None when it is to be given up.

        The last try falls on the end of the agreed time, so that whoever is back just in time is found. What had to
        wait for its turn until then still has all its short pauses. `endless` is for a last word to a sender: what only
        the far side hinders is tried for ever.

        >>> failed, noon = [Cause("unreachable", "Unreachable", "send")], datetime(2026, 3, 1, 12)
        >>> RetryTable(jitter=0).next_try(failed, tries=1, arrived=noon, now=noon, chance=random.Random(1)).minute
        1
        """
        worth_it = any(cause.retryable for cause in causes)
        quick = tries <= len(self.minutes)
        end = arrived + timedelta(hours=self.hours)
        over = now >= end and not endless
        if not quick and (over or not worth_it):
            return None
        due = now + self.pause(causes, tries, chance)
        return due if over or endless else min(due, end)
