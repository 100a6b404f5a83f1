"""Triggers in words, and which times can be read."""

import pytest

from runner.triggers import Trigger, matches, unreadable_time


@pytest.mark.parametrize("alias", ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly"])
def test_aliases(alias):
    """The six aliases that cron knows are read as five fields."""
    assert unreadable_time(Trigger.read("t", {"cron": alias})) is None


@pytest.mark.parametrize("fields", ["0 0 * * * *", "* * * *", "61 * * * *", "@reboot", "", "0 0 30 2 *"])
def test_times_that_never_come(fields):
    """Six fields (seconds first in some dialects), wrong ones, and dates that don't exist are refused."""
    assert "cron" == unreadable_time(Trigger.read("t", {"cron": fields}))[0]


@pytest.mark.parametrize("zone", ["Gambella", "Africa", "../etc", "utc+3"])
def test_unknown_time_zone(zone):
    """A time zone is one that the tables know."""
    assert "timezone" == unreadable_time(Trigger.read("t", {"cron": "@daily", "timezone": zone}))[0]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"cron": "30 2 * * *", "timezone": "Africa/Addis_Ababa"}, "At 02:30 every day (Africa/Addis_Ababa)"),
        ({"message": {"type": "referral", "who": {"a": 1}}}, "message type referral, who …"),
        ({"message": {}}, "message (all)"),
        ({"outbox": "south"}, "answers that wait for south"),
        ({"failure": "referrals"}, "failure of referrals"),
    ],
)
def test_in_words(entry, words):
    """A trigger reads as a person would say it."""
    assert words == str(Trigger.read("t", entry))


@pytest.mark.parametrize(
    ("wanted", "message", "fits"),
    [
        ({}, {"any": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": {"b": "x"}}, {"a": {"b": "x", "c": 0}}, True),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 1, "c": 3}]}, True),
        ({"a": [1, 2]}, {"a": [2]}, False),
        ({"a": None}, {}, False),
        ({"a": 1}, ["a"], False),
    ],
)
def test_a_filter_is_contained_in_its_messages(wanted, message, fits):
    """A message fits when the filter is contained in it: values and types equal, more keys and elements allowed."""
    assert fits == matches(Trigger.read("t", {"message": wanted}), message)


def test_except_takes_messages_away():
    """The opposite filter."""
    trigger = Trigger.read("t", {"message": {"type": "x"}, "except": {"test": True}})

    assert [True, False] == [matches(trigger, {"type": "x"}), matches(trigger, {"type": "x", "test": True})]
