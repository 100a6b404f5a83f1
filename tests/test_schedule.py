"""Schedules: when cron triggers are due, over time zones, summer time and long absences."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.triggers import Trigger
from runner.work.schedule import missed_slot, next_slot


def cron(fields, timezone="UTC"):
    return Trigger("t", "cron", fields, timezone=timezone)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def coming(trigger, after, number):
    slots = []
    for _ in range(number):
        after = next_slot([trigger], after)
        slots.append(after.strftime("%d %H:%M"))
    return slots


def test_time_zone():
    """A time is meant in the trigger's own zone; slots are instants in UTC."""
    assert at("2026-03-01T23:30") == next_slot([cron("30 2 * * *", "Africa/Addis_Ababa")], at("2026-03-01T00:00"))


def test_earliest_of_several():
    """A job with two schedules fires at whichever comes first."""
    assert at("2026-03-01T12:15") == next_slot([cron("0 13 * * *"), cron("15 12 * * *")], at("2026-03-01T12:00"))
    assert next_slot([Trigger("t", "success", "other")], at("2026-03-01T12:00")) is None


@pytest.mark.parametrize(
    ("fields", "timezone", "after", "slots"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["29 01:00", "30 00:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["25 00:30", "26 01:30"]),
        ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00", ["28 22:00", "29 21:00"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45", ["25 00:00", "25 00:30", "25 01:00", "25 01:30"]),
        ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30", ["29 01:00", "29 02:00"]),
    ],
)
def test_summer_time(fields, timezone, after, slots):
    """A fixed time comes once on both days of change, even in the hour that isn't there; an interval in real time."""
    assert slots == coming(cron(fields, timezone), at(after), len(slots))


@pytest.mark.parametrize(
    ("fields", "after", "latest"),
    [
        ("0 * * * *", "2026-03-01T12:00", "2026-03-04T05:00"),
        ("* * * * *", "2016-03-01T12:00", "2026-03-04T05:06"),
        ("0 0 29 2 *", "2016-03-01T12:00", "2024-02-29T00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00", None),
        ("6 5 * * *", "2026-03-04T05:05", "2026-03-04T05:06"),
        ("6 5 * * *", "2026-03-04T05:06", None),
    ],
)
def test_only_the_latest_of_what_was_missed(fields, after, latest):
    """H15: of all slots since the last one that ran, only the latest is caught up with, however long it has been."""
    assert (at(latest) if latest else None) == missed_slot([cron(fields)], at(after), at("2026-03-04T05:06"))


@settings(deadline=None)
@given(
    fields=st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 */5 * * 1", "15 0 1 * *", "59 23 * * 0"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Beirut", "Africa/Addis_Ababa", "Australia/Lord_Howe"]),
    minute=st.integers(0, 60 * 24 * 365),
    gap=st.integers(1, 60 * 24 * 9),
)
def test_missed_is_the_last_of_those_to_come(fields, timezone, minute, gap):
    """H15: going from slot to slot ends at just the slot that is found to be missed."""
    after = at("2026-01-01T00:00") + timedelta(minutes=minute)
    now, last = after + timedelta(minutes=gap), None
    while (slot := next_slot([cron(fields, timezone)], last or after)) <= now:
        last = slot
    assert last == missed_slot([cron(fields, timezone)], after, now)
