"""What a service that watches itself remembers: signs, recipients, what they were told; and tallies of runs."""

from dataclasses import replace

import pytest

from runner.store import Tally, Telling, Told
from runner.store.copies import KEPT
from tests.kept import DAY, HOUR, NOON, run

WORSE = Told("given_up", "sort", "unreachable", "error", 2)


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def test_signs(store):
    """A sign is counted when it is seen again, forgotten when it is over, and deleted when it is old."""
    store.note_sign("clock_jumped", now=NOON)
    store.note_sign("clock_jumped", now=NOON + HOUR)
    store.note_sign("not_delivered", about="office", why="unreachable", now=NOON)
    jumped, failed = store.signs(NOON)
    assert (NOON, NOON + HOUR, 2) == (jumped.first, jumped.last, jumped.times)
    assert ("office", "unreachable") == (failed.about, failed.why)
    assert [jumped] == store.signs(NOON + HOUR)
    store.forget_signs("not_delivered", about="office")
    assert [jumped] == store.signs(NOON)
    store.forget_old_signs(NOON + DAY)
    assert [] == store.signs(NOON)


def test_recipients(database, store):
    """Who was told what outlives the process; what has ended isn't told a second time, and what is graver is."""
    office = Telling("office", digested=NOON, counted=7)
    assert store.telling("office") is None
    store.keep_telling(office, began=[replace(WORSE, step=1), replace(WORSE, about="read")], now=NOON)
    store.keep_telling(replace(office, tries=2, due=NOON + HOUR, sent=3), began=[WORSE], now=NOON)
    with database.open(store.folder) as restarted:
        assert Telling("office", NOON, 7, sent=3, tries=2, due=NOON + HOUR) == restarted.telling("office")
        assert [replace(WORSE, about="read"), WORSE] == restarted.told("office")
        assert [] == restarted.told("nobody")
    store.keep_telling(office, ended=[WORSE], now=NOON)
    assert [replace(WORSE, about="read")] == store.told("office")


def test_tallies(store):
    """Runs after a number are summed up by job and outcome, each once, whatever their times are."""
    store.settle_scheduled("read", run("r0", "done", job="read"), now=NOON)
    before = store.last_run()
    for number in range(2):
        store.settle_scheduled("read", run(f"r1-{number}", "done", "parked", job="read"), now=NOON)
    store.settle_scheduled("read", run("r2", job="read", outcome="failed", ended=NOON - DAY), now=NOON)
    last, found = store.tallies(before)
    assert [
        Tally("read", "succeeded", 2, 7200, {"done": 2, "parked": 2}), Tally("read", "failed", 1, 3600, {}),
    ] == found  # fmt: skip
    assert (last, []) == store.tallies(last)
    assert store.last_run() == last


def test_not_in_a_backup():
    """A restored store tells anew what needs a look."""
    assert {"signs", "recipients", "told"}.isdisjoint(KEPT)
