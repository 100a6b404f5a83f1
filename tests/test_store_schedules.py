"""Scheduled runs: each slot once, and what a run leaves behind kept all at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.errors import EpochRetired
from runner.store import Parked
from tests.kept import DAY, HOUR, NOON, claim, run, sealed, unit


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def parked(record_id, code="no_service"):
    return Parked("sort", record_id, {"id": record_id}, code, "it has no service", "Add one.")


def test_slot_once(database, store):
    """H15: of many who would take a slot one gets it, also after a restart."""
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: store.take_slot("sort", NOON, now=NOON), range(16)))
    assert 1 == sum(taken)
    with database.open(store.folder) as restarted:
        assert not restarted.take_slot("sort", NOON, now=NOON)
        assert (NOON, None) == (restarted.slot("sort"), restarted.slot("other"))
        assert restarted.take_slot("sort", NOON + HOUR, now=NOON)
        assert NOON + HOUR == restarted.slot("sort")


def test_interrupted(database, store):
    """H16: a slot that was taken but not settled is known after a crash, until its job's run is settled."""
    store.take_slot("sort", NOON, now=NOON)
    store.take_slot("other", NOON, now=NOON)
    store.settle_scheduled("other", run("r1", job="other"), now=NOON)
    with database.open(store.folder) as restarted:
        assert {"sort": NOON} == restarted.interrupted()
        restarted.settle_scheduled("sort", run("r2"), now=NOON)
        assert {} == restarted.interrupted()


def test_cursor_moves_only_when_given(store):
    """H3: a run that gives no cursor leaves it where it was."""
    store.settle_scheduled("sort", run("r1"), cursor="2026-03-01T10:00:00Z", now=NOON)
    store.settle_scheduled("sort", run("r2", outcome="failed"), now=NOON)
    assert "2026-03-01T10:00:00Z" == store.cursor("sort")


def test_all_at_once(store):
    """H3: when one thing that a run leaves can't be kept, none is: neither cursor nor run."""
    store.retire("2026-02-28")
    stale = unit("then", envelope=sealed(epoch="2026-02-28"))
    with pytest.raises(EpochRetired):
        store.settle_scheduled(
            "sort", run("r1"), cursor="2026", parked=[parked("c-1")], tries={"c-2": 1}, next_units=[stale], now=NOON
        )
    left = (store.cursor("sort"), store.run("r1"), store.parked(), store.item_tries("sort"), store.units())
    assert (None, None, [], {}, []) == left


def test_tries_of_records(store):
    """Tries are counted per record across runs, until it is settled or parked."""
    store.settle_scheduled("sort", run("r1"), tries={"c-1": 1, "c-2": 1, "c-3": 1}, now=NOON)
    store.settle_scheduled("sort", run("r2"), tries={"c-1": 2}, settled=["c-2"], parked=[parked("c-3")], now=NOON)
    assert ({"c-1": 2}, {}) == (store.item_tries("sort"), store.item_tries("other"))


def test_parked_and_revisited(store):
    """H52: a parked record is handed to the job again once a person released it, until it is settled."""
    store.settle_scheduled("sort", run("r1"), parked=[parked("c-1"), parked("c-2")], now=NOON)
    assert (["sort/c-1", "sort/c-2"], []) == ([line.id for line in store.parked("sort")], store.revisit("sort"))
    assert 1 == store.retry("sort/c-1", now=NOON + HOUR)
    assert (["sort/c-2"], ["c-1"]) == ([line.id for line in store.parked()], store.revisit("sort"))
    store.settle_scheduled("sort", run("r2"), tries={"c-1": 1}, now=NOON)  # it failed, and stays released
    assert ["c-1"] == store.revisit("sort")
    store.settle_scheduled("sort", run("r3"), settled=["c-1"], now=NOON)
    assert ([], ["c-2"]) == (store.revisit("sort"), [line.record_id for line in store.parked("sort")])


def test_parked_again(store):
    """What is parked again tells the newer reason, and since when it has been."""
    store.settle_scheduled("sort", run("r1"), parked=[parked("c-1")], now=NOON)
    store.retry(code="no_service", now=NOON)
    store.settle_scheduled("sort", run("r2"), parked=[parked("c-1", "two_services")], now=NOON + DAY)
    (line,) = store.parked()
    assert ("two_services", NOON, {"id": "c-1"}, "Add one.") == (line.code, line.since, line.ids, line.fix)
    assert [] == store.revisit("sort")


def test_what_follows_a_scheduled_run(store):
    """The jobs that a scheduled run's success starts are units without a message."""
    store.settle_scheduled("sort", run("r1"), next_units=[unit("then", started_by="success")], now=NOON)
    work = claim(store)
    assert ("then", None, "success") == (work.id, work.message_id, work.started_by)
    store.succeed(work, run("r2"), now=NOON)
    assert "succeeded" == store.unit("then").status
