"""What came of each day: counts by job and outcome, kept as runs are, so that nobody counts a million of them.

A day is one of UTC, that on which a run ended. Items that changed nothing aren't counted: there are so many.
"""

from collections import Counter
from datetime import date

from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.lines import DayCount
from runner.store.moments import text
from runner.store.records import RunRecord

_LEFT_OUT = "unchanged"


def count_run(db: Transaction, run: RunRecord) -> None:
    """Add a run and its items to the counts of its day, within the transaction at hand."""
    day = text(run.ended)[:10]
    items = Counter(item.outcome for item in run.items if item.outcome != _LEFT_OUT)
    counted = [(day, run.job, "run", run.outcome, 1)]
    counted += [(day, run.job, "item", outcome, count) for outcome, count in sorted(items.items())]
    db.executemany(
        """INSERT INTO days (day, job, kind, outcome, count) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (day, job, kind, outcome) DO UPDATE SET count = days.count + excluded.count""",
        counted,
    )


class Days(Database):
    """Counts by day."""

    def days(self, since: date) -> list[DayCount]:
        """The counts of this day and the later ones, the oldest first."""
        rows = self.read(
            "SELECT day, job, kind, outcome, count FROM days WHERE day >= ? ORDER BY day, job, kind, outcome",
            since.isoformat(),
        )
        return [DayCount(date.fromisoformat(day), *counted) for day, *counted in rows]
