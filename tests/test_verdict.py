"""What becomes of the work after a run: units of work, and the windows that scheduled runs read."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import Cause, JobFailed, Stopped
from runner.outcome import Run
from runner.work.retry import RetryTable
from runner.work.verdict import on_unit
from runner.work.windows import record_of, window_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLE = RetryTable(jitter=0)


def item(outcome, record="c-1", **more):
    return {"outcome": outcome, "ids": {"id": record} if record else {}, "code": "c", **more}


def run(*items, error=None, cursor="2026-03-01T11:00:00Z"):
    return Run("sort", {"outcomes": list(items), "cursor": cursor}, tuple(items), (), error)


def raised(**cause):
    return JobFailed("it went wrong", cause=Cause("x", "Error", "send", **cause))


def after(ended, *, tries=1, hours=0, endless=False):
    now = NOON + timedelta(hours=hours)
    return on_unit(
        ended, TABLE, tries=tries, arrived=NOON, now=now, chance=random.Random(1), endless=endless
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        (run(), "succeeded"),
        (run(item("done"), item("unchanged"), item("withheld"), item("refused")), "succeeded"),
        (run(item("done"), item("parked")), "parked"),
        (run(item("parked"), item("failed")), "again"),
        (run(item("failed", retryable=False)), "again"),
        (run(error=raised(retryable=True)), "again"),
        (run(error=raised(outcome="parked")), "parked"),
        (run(error=raised(outcome="refused", retryable=False)), "given_up"),
        (run(error=Stopped("it took too long")), "again"),
    ],
)
def test_table_of_the_engine(ended, kind):
    """R-DL1: engine.md's table: one item that failed means again; what a far side refused is not tried again."""
    assert kind == after(ended).kind


@pytest.mark.parametrize(
    ("ended", "tries", "hours", "kind"),
    [
        (run(item("failed", retryable=True)), 70, 71.5, "again"),
        (run(item("failed", retryable=True)), 75, 72, "given_up"),
        (run(item("failed", retryable=False)), 5, 1, "again"),
        (run(item("failed", retryable=False)), 6, 2, "given_up"),
        (run(item("failed", retryable=False), item("failed", retryable=True)), 6, 2, "again"),
    ],
)
def test_when_it_is_given_up(ended, tries, hours, kind):
    """R-DL3: a unit is given up when the agreed time is over; one that no waiting mends, after its short pauses."""
    assert kind == after(ended, tries=tries, hours=hours).kind


@pytest.mark.parametrize(("retryable", "says"), [(True, "retry it when its cause is mended"), (False, "Wait.")])
def test_last_try(retryable, says):
    """R-DL3 What was given up after its last try isn't said to be tried again; a fix that still holds stays."""
    ended = run(item("failed", retryable=retryable, fix="Wait."))
    assert "Wait." == after(ended).cause.fix
    assert says in after(ended, tries=100, hours=100).cause.fix


def test_last_word_is_not_given_up():
    """H36: what tells a sender that we gave up is tried until the far side is back."""
    assert "again" == after(run(item("failed", retryable=True)), tries=500, hours=500, endless=True).kind


def test_why():
    """A verdict tells the cause: what a failure job finds in its state."""
    failed = item("failed", code="unreachable", type="Unreachable", operation="send", fix="Wait.", retryable=True)
    assert {
        "code": "unreachable", "type": "Unreachable", "operation": "send", "item": {"id": "c-1"}, "fix": "Wait.",
        "retryable": True,
    } == after(run(failed)).cause.record  # fmt: skip


def test_cursor_moves_when_all_is_settled():
    """H3: done, withheld and parked let the cursor move; the parked record is kept by its id."""
    window = window_of(run(item("done", "a"), item("withheld", "b"), item("parked", "c")), TABLE, tries={})
    assert ("2026-03-01T11:00:00Z", ["c"], {}) == (window.cursor, list(window.parked), window.tries)
    assert {"a", "b"} == window.settled


def test_cursor_stays_when_an_item_failed():
    """H3: an item that is to be tried again holds the cursor, and its try is counted."""
    window = window_of(run(item("done", "a"), item("failed", "b")), TABLE, tries={"b": 3})
    assert (None, {"b": 4}, {"a"}) == (window.cursor, window.tries, window.settled)


def test_cursor_stays_when_the_run_broke_off():
    """H3: after an error that ended the run nothing is known of what it didn't come to."""
    window = window_of(run(item("done", "a"), error=raised()), TABLE, tries={"b": 3}, revisited=["r"])
    assert (None, {"b": 3}, {"a"}) == (window.cursor, window.tries, window.settled)


def test_item_that_used_up_its_tries_is_parked():
    """R-DL6: an item that fails while others get through is parked in the end, and the cursor moves."""
    window = window_of(run(item("done", "a"), item("failed", "b")), TABLE, tries={"b": 71})
    assert ("2026-03-01T11:00:00Z", ["b"], {}) == (window.cursor, list(window.parked), window.tries)


def test_mistake_in_the_job_is_parked_sooner():
    """H5: an item that the job doesn't expect is parked after a few runs, also when it is the only one."""
    window = window_of(run(item("failed", "b", retryable=False)), TABLE, tries={"b": 5})
    assert ["b"] == list(window.parked)


def test_no_try_counts_while_a_far_side_is_away():
    """H3: while nothing gets through to anybody, no record is at fault, however long it lasts."""
    window = window_of(run(item("failed", "a"), item("failed", "b"), item("unchanged", "c")), TABLE, tries={"a": 71})
    assert (None, {}, {"a": 71, "b": 0}) == (window.cursor, window.parked, window.tries)


def test_parked_record_met_again_in_the_overlap():
    """H22: a parked record that the overlap shows again stays parked and holds up nothing."""
    window = window_of(run(item("failed", "b")), TABLE, tries={}, parked={"b": item("failed", "b")["code"]})
    assert ("2026-03-01T11:00:00Z", ["b"]) == (window.cursor, list(window.parked))


def test_revisited_records_are_settled():
    """H52: a released record is settled when it was read again, or not found any more; not while it fails."""
    window = window_of(run(item("done", "a"), item("failed", "b")), TABLE, tries={}, revisited=["a", "b", "gone"])
    assert {"a", "gone"} == window.settled


def test_two_items_of_one_record():
    """A record of which one item is to be tried again is not parked for the other; the next run meets both."""
    window = window_of(run(item("parked", "a"), item("failed", "a")), TABLE, tries={})
    assert ({}, {"a": 0}, frozenset()) == (window.parked, window.tries, window.settled)


def test_name_of_a_record():
    """A record is known by its `id`; without one, by all ids it has."""
    assert ["c-1", "call=7 day=2", ""] == [
        record_of({"ids": ids}) for ids in ({"id": "c-1", "x": "y"}, {"call": "7", "day": "2"}, None)
    ]
