"""What came of each day: counts that are kept as runs are, and that need nobody to look through them."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from runner.store import DayCount
from tests.kept import DAY, HOUR, NOON, run

TODAY = NOON.date()


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def keep(store, name, *outcomes, **more):
    """Keep a run, as the worker does."""
    store.settle_scheduled(more.get("job", "sort"), run(name, *outcomes, **more), now=NOON)


def test_counts_by_day(store):
    """Runs and their items are counted by day, job and outcome; items that changed nothing are not."""
    keep(store, "r1", "done", "done", "unchanged")
    keep(store, "r2", "done", "parked", outcome="needs_person")
    keep(store, "r3", outcome="failed", job="other", ended=NOON + DAY)
    assert [
        DayCount(TODAY, "sort", "item", "done", 3), DayCount(TODAY, "sort", "item", "parked", 1),
        DayCount(TODAY, "sort", "run", "needs_person", 1), DayCount(TODAY, "sort", "run", "succeeded", 1),
        DayCount((NOON + DAY).date(), "other", "run", "failed", 1),
    ] == store.days(TODAY)  # fmt: skip
    assert ["other"] == [each.job for each in store.days((NOON + DAY).date())]


def test_day_of_utc(store):
    """A day is one of UTC, whichever zone the clock is told in."""
    late = (NOON + 11.5 * HOUR).astimezone(ZoneInfo("Africa/Addis_Ababa"))
    assert TODAY < late.date()
    keep(store, "r1", ended=late)
    assert [TODAY] == [each.day for each in store.days(date.min)]


def test_no_run_is_counted_twice(store):
    """A run that is refused, since it is kept already, is counted once."""
    keep(store, "r1", "done")
    with pytest.raises(Exception, match="kept already"):
        keep(store, "r1", "done")
    assert [1, 1] == [each.count for each in store.days(TODAY)]
