"""What commands show: counts, units and runs, without a payload."""

import pytest

from runner.errors import StoreError
from runner.store import Parked
from tests.kept import DAY, ERROR, HOUR, NOON, claim, message, post, run, sealed, unit


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def test_counts(store):
    """`status` counts what waits, by what for, and since when."""
    post(store, "m1", unit("u1"), unit("u2", job="other"))
    store.give_up(claim(store), run("r1"), error=ERROR, expires=NOON + DAY, now=NOON)
    post(store, "m2", now=NOON + HOUR)
    store.accept(message("m3", envelope=sealed()), [], now=NOON)
    store.settle_scheduled("sort", run("r2"), parked=[Parked("sort", "c-1", {}, "x")], now=NOON)
    store.outbox().append({"system": "south", "kind": "answer", "key": "1", "value": "", "send": {}})
    found = store.counts()
    assert {"dead": 1, "pending": 2} == found.units
    assert {"sort": {"dead": 1, "pending": 1}, "other": {"pending": 1}} == found.jobs
    assert (1, 1, 1, NOON) == (found.quarantined, found.parked, found.outbox, found.oldest)


def test_units(store):
    """Units are listed by status, message and job, the newest first, without what is in them."""
    post(store, "m1", unit("u1"), unit("u2", job="other"))
    post(store, "m2", unit("u3"))
    claim(store)
    assert ["u3", "u2", "u1"] == [line.id for line in store.units()]
    assert ["u3", "u2"] == [line.id for line in store.units(status="pending")]
    assert [["u2", "u1"], ["u3", "u1"], ["u3"]] == [
        [line.id for line in store.units(**only)] for only in ({"message": "m1"}, {"job": "sort"}, {"limit": 1})
    ]
    assert not any(isinstance(value, bytes) for value in vars(store.unit("u1")).values())
    assert store.unit("nobody") is None


def test_run_with_its_items(store):
    """A run is kept with its items; those that changed nothing are counted only."""
    kept = run("r1", "done", "unchanged", "refused", outcome="needs_person", code="x")
    store.settle_scheduled("sort", kept, now=NOON)
    found = store.run("r1")
    assert ({"done": 1, "unchanged": 1, "refused": 1}, "needs_person", "x") == (found.counts, found.outcome, found.code)
    assert (kept.items[0], kept.items[2]) == found.items
    assert (NOON - HOUR, NOON) == (found.started, found.ended)
    assert store.run("nobody") is None


def test_runs(store):
    """The last runs come first, of one job if wanted."""
    for number, job in enumerate(["sort", "other", "sort"]):
        store.settle_scheduled(job, run(f"r{number}", job=job), now=NOON)
    assert ["r2", "r1", "r0"] == [found.id for found in store.runs()]
    assert ["r2"] == [found.id for found in store.runs(1, job="sort")]


def test_last_success(store):
    """The last success of each job, and of no job that had none."""
    for hours, outcome in enumerate(["succeeded", "succeeded", "failed"]):
        store.settle_scheduled("sort", run(f"r{hours}", outcome=outcome, ended=NOON + hours * HOUR), now=NOON)
    store.settle_scheduled("other", run("r9", job="other", outcome="failed"), now=NOON)
    assert {"sort": NOON + HOUR} == store.last_success()


def test_rerun_is_refused(store):
    """A run's record is written once; a second one under its id doesn't replace it."""
    store.settle_scheduled("sort", run("r1"), now=NOON)
    with pytest.raises(StoreError):
        store.settle_scheduled("sort", run("r1", outcome="failed"), cursor="2026", now=NOON)
    assert ("succeeded", None) == (store.run("r1").outcome, store.cursor("sort"))
