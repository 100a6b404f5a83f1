"""The retry table: when what failed is tried again, by cause."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from runner.errors import Cause
from runner.work.retry import RetryTable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWAY = Cause("unreachable", "Unreachable", "send")
MISTAKE = Cause("unforeseen", "KeyError", "send", retryable=False)


def tries_of(cause, table, *, arrived=NOON, first=NOON, most=1000, **more):
    """The minutes after the first try at which each further try falls."""
    now, moments = first, []
    for tries in range(1, most):
        due = table.next_try([cause], tries=tries, arrived=arrived, now=now, chance=random.Random(1), **more)
        if due is None:
            return moments
        now = due
        moments.append((now - first) / timedelta(minutes=1))
    return moments


def test_spacing_of_a_message():
    """R-DL2: after 1, 2, 5, 15 and 60 minutes, then hourly, the last time when the 72 hours are over."""
    moments = tries_of(AWAY, RetryTable(jitter=0))
    assert [1, 3, 8, 23, 83, 143] == moments[:6]
    assert {60} == {after - before for before, after in pairwise(moments[4:-1])}
    assert 72 * 60 == moments[-1]


def test_numbers_of_the_project_file():
    """R-DL2: attempts, spacing, ceiling and window come from the project file."""
    table = RetryTable.of({"minutes": [10], "every": 20, "hours": 1, "jitter": 0})
    assert [10, 30, 50, 60] == tries_of(AWAY, table)


def test_jitter_is_seeded():
    """R-DL2: a pause is longer by chance, never shorter, and the same for the same seed."""
    pauses = {RetryTable().pause([], 1, random.Random(seed)) for seed in range(50)}
    assert 40 < len(pauses)
    assert all(timedelta(minutes=1) <= pause <= timedelta(minutes=1.1) for pause in pauses)
    assert RetryTable().pause([], 1, random.Random(7)) == RetryTable().pause([], 1, random.Random(7))


def test_a_mistake_is_not_tried_for_days():
    """R-DL1: what waiting doesn't mend has its short pauses only, in case the job is mended soon."""
    assert [1, 3, 8, 23, 83] == tries_of(MISTAKE, RetryTable(jitter=0))


def test_what_waited_long_has_its_short_pauses():
    """H36: a message that could begin only after the agreed time isn't given up at its first failure."""
    late = NOON + timedelta(hours=100)
    assert [1, 3, 8, 23, 83] == tries_of(AWAY, RetryTable(jitter=0), first=late)


def test_last_word_has_no_end():
    """Nobody is left without an answer: a last word is tried for months, while only the far side hinders it."""
    moments = tries_of(AWAY, RetryTable(jitter=0), endless=True, most=2000)
    assert 1999 == len(moments)
    assert 80 * 24 * 60 < moments[-1]
    assert [1, 3, 8, 23, 83] == tries_of(MISTAKE, RetryTable(jitter=0), endless=True)


@pytest.mark.parametrize(("asked", "minutes"), [(None, 1), (30, 1), (600, 10), (10**12, 24 * 60)])
def test_retry_after(asked, minutes):
    """R-DL1: the far side's Retry-After is respected, for a day at most."""
    cause = Cause("too_many_requests", "Unreachable", "send", retry_after=asked)
    assert minutes == tries_of(cause, RetryTable(jitter=0), most=2)[0]


def test_after_a_refused_credential():
    """R-DL1: what met 401 or 403 comes after the rest of the credential, behind all that waited for its end."""
    refused = Cause("not_allowed", "NotAllowed", "send", credential="north")
    assert [31] == tries_of(refused, RetryTable(jitter=0), most=2)


def test_tries_of_an_item():
    """R-DL6: an item of a scheduled job is parked after so many tries; a mistake in the job sooner."""
    assert (72, 6) == (RetryTable().tries_of_item(AWAY), RetryTable().tries_of_item(MISTAKE))
