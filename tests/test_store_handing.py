"""Jobs of procrastinate for what waits in PostgreSQL: a unit has one exactly while it needs one."""

from datetime import timedelta

import pytest

from runner.store import held_as, units
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, unit


@pytest.fixture
def store(in_postgres, tmp_path):
    with in_postgres.open(tmp_path, now=lambda: NOON) as store:
        yield store


def jobs(store):
    """The units that are to be handed out, and whether later."""
    found = store.read("SELECT args ->> 'unit', scheduled_at IS NOT NULL FROM procrastinate_jobs ORDER BY id")
    return [tuple(row) for row in found]


def test_message_and_job_together(store):
    """R-WH1 A message that is kept has a job for each of its units, with nothing in it but the unit's id."""
    post(store, "m1", unit("u1"), unit("u2"))
    assert [("u1", False), ("u2", False)] == jobs(store)
    assert [(["unit"],)] * 2 == store.read("SELECT array(SELECT jsonb_object_keys(args)) FROM procrastinate_jobs")


def test_no_message_no_job(store):
    """R-WH1 Where a unit isn't kept after all, there is no job for it either."""

    def work(db):
        units.add(db, [unit("u1")], message=None, turn=1, now=NOON)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.change(work)
    assert [] == jobs(store)
    store.change(lambda db: units.add(db, [unit("u1")], message=None, turn=1, now=NOON))
    assert [("u1", False)] == jobs(store)


def test_first_of_its_subject_only(store):
    """H18 Only the first of a subject is handed out; the next is when that is settled."""
    post(store, "m1", unit("u1", subject="child"))
    post(store, "m2", unit("u2", subject="child"))
    assert [("u1", False)] == jobs(store)
    begun = claim(store)
    assert [] == jobs(store)
    store.succeed(begun, run("r1"), now=NOON)
    assert [("u2", False)] == jobs(store)


def test_later(store):
    """What is tried again later is handed out then; what a person lets go earlier, at once."""
    post(store, "m1", unit("u1"))
    tomorrow = store.now() + timedelta(days=36_500)
    store.try_again(claim(store), run("r1", "failed"), due=tomorrow, error=ERROR, now=NOON)
    assert [("u1", True)] == jobs(store)
    store.change(lambda db: db.execute("UPDATE units SET due = ?", (NOON.isoformat(),)))
    assert [("u1", False)] == jobs(store)


def test_parked_and_retried(store):
    """What needs a person isn't handed out, until a person lets it be tried again."""
    post(store, "m1", unit("u1"))
    store.park(claim(store), run("r1"), expires=NOON + DAY, now=NOON)
    assert [] == jobs(store)
    store.retry("u1", now=NOON + HOUR)
    assert [("u1", False)] == jobs(store)


def test_offered_again(store):
    """What was handed to somebody who could not begin it is offered again, once, and only for jobs that may run."""
    post(store, "m1", unit("u1"))
    store.change(lambda db: db.execute("DELETE FROM procrastinate_jobs"))
    assert (0, 0) == (store.offer(NOON, jobs=[]), store.offer(NOON, jobs=["another"]))
    assert (1, 0) == (store.offer(NOON, jobs=["sort"]), store.offer(NOON, jobs=["sort"]))
    assert [("u1", False)] == jobs(store)


def test_released_when_nobody_holds_it(store, in_postgres, tmp_path):
    """R-ID2 What runs is left alone while its worker holds it, and handed out again when nobody does."""
    post(store, "m1", unit("u1"))
    with in_postgres.open(tmp_path, now=lambda: NOON) as other:
        give_back = other.take(held_as("u1"))
        claim(other)
        assert (0, []) == (store.release_unheld(NOON), jobs(store))
        give_back()
    assert (1, [("u1", False)]) == (store.release_unheld(NOON), jobs(store))


def test_a_lease_ends_with_silence(store, in_postgres, tmp_path):
    """R-ID2 Who is silent for longer than its lease loses its locks, and what it wrote for them is refused."""
    with in_postgres.open(tmp_path, now=lambda: NOON) as other:
        other.lease(0.2)
        other.take("job/sort")
        ledger = other.ledger()
        ledger.fence()
        while (give_back := store.take("job/sort")) is None:
            pass
        give_back()
        with pytest.raises(OSError, match="the locks of this run"):
            ledger.fence()
