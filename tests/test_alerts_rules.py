"""Rules: what a recipient is told at once, in quiet hours, and what they need not hear again."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from runner.alerts.conditions import Condition
from runner.alerts.rules import as_told, digest_due, news
from runner.alerts.settings import Digest, Quiet, Recipient
from runner.triggers import Trigger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
OFFICE = Recipient("office", "mail", "mail", at_once="warning")
DEAD = Condition("given_up", "sort", "unreachable", "error", step=1, jobs=("sort",))
FAILED = Condition("run_failed", "sort", "unreachable", "info", jobs=("sort",))
DISK = Condition("disk_short", severity="warning")


def codes(found):
    return [each.code for each in found.began], [each.code for each in found.ended]


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        ("error", ["given_up"]),
        ("warning", ["given_up", "disk_short"]),
        ("info", ["given_up", "disk_short", "run_failed"]),
    ],
)
def test_by_severity(least, expected):
    """Each is told from the severity on that they want to hear of at once."""
    assert (expected, []) == codes(news(replace(OFFICE, at_once=least), [DEAD, DISK, FAILED], [], NOON))


def test_by_job():
    """Who wants to hear of one flow hears of it, and of what is about all."""
    office = replace(OFFICE, jobs=frozenset({"read"}))
    assert (["disk_short"], []) == codes(news(office, [DEAD, DISK], [], NOON))
    assert (["given_up"], []) == codes(news(office, [replace(DEAD, jobs=("sort", "read"))], [], NOON))


def test_never_twice():
    """Of the same cause nothing is told again while it lasts, however the count changes; of another it is."""
    told = [as_told(DEAD)]
    assert not news(OFFICE, [replace(DEAD, count=7, since=NOON)], told, NOON)
    assert (["given_up"], []) == codes(news(OFFICE, [DEAD, replace(DEAD, why="rejected")], told, NOON))


def test_graver_is_told():
    """What gets graver is told again; what gets less grave isn't, and has not ended either."""
    for worse in (replace(DEAD, step=2), replace(DEAD, severity="error", step=11)):
        assert (["given_up"], []) == codes(news(OFFICE, [worse], [as_told(DEAD)], NOON))
    assert not news(OFFICE, [replace(DEAD, severity="info")], [as_told(DEAD)], NOON)
    assert not news(OFFICE, [replace(DISK, severity="warning")], [as_told(replace(DISK, severity="error"))], NOON)


def test_it_works_again():
    """What was told is told to have ended, once it has; what wasn't told isn't."""
    assert ([], ["given_up"]) == codes(news(OFFICE, [DISK], [as_told(DEAD), as_told(DISK)], NOON))
    assert not news(OFFICE, [], [], NOON)


NIGHT = replace(OFFICE, quiet=Quiet(time(20), time(6)), zone=ZoneInfo("Africa/Addis_Ababa"))


@pytest.mark.parametrize(("hour", "told"), [(16, True), (17, False), (23, False), (2, False), (3, True)])
def test_quiet_hours(hour, told):
    """While it is quiet nothing is told at once, by the clock of the recipients; what lasts is told afterwards."""
    now = NOON.replace(hour=hour)
    assert told == bool(news(NIGHT, [DEAD], [], now))
    assert told == bool(news(NIGHT, [], [as_told(DEAD)], now))


def test_grave_enough_for_the_night():
    """What is as grave as they said is told in quiet hours, too; that it ended waits for the morning."""
    night = replace(NIGHT, quiet=replace(NIGHT.quiet, unless="error"))
    assert (["given_up"], []) == codes(news(night, [DEAD], [as_told(DISK)], NOON.replace(hour=23)))
    assert not news(night, [DISK], [], NOON.replace(hour=23))


def test_digest_only():
    """Who wants digests only is told nothing at once."""
    assert not news(replace(OFFICE, at_once=None), [DEAD], [], NOON)


def test_digest():
    """A digest is due once for each of its times; of several that were missed, for the last one."""
    daily = Digest(Trigger("digest", "cron", "0 7 * * *", timezone="Africa/Addis_Ababa"), "info")
    office = replace(OFFICE, digest=daily)
    seven = NOON.replace(hour=4)
    assert digest_due(office, seven - timedelta(hours=1), seven - timedelta(seconds=1)) is None
    assert seven == digest_due(office, seven - timedelta(hours=1), seven)
    assert digest_due(office, seven, seven + timedelta(hours=23)) is None
    assert seven + timedelta(days=3) == digest_due(office, seven, seven + timedelta(days=3, hours=1))
    assert digest_due(OFFICE, seven, NOON) is None
