"""Units of work: who is next, and what settling one leaves behind."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from runner.errors import EpochRetired, TakenOver
from runner.store import Store
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, sealed, unit


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def claimed(store, count, now=NOON, jobs=("sort",)):
    """The ids of what is claimed, one after the other."""
    return [work and work.id for work in (claim(store, now, jobs) for _ in range(count))]


def test_in_order_of_arrival(store):
    """What arrived first is done first; of one message, in its order."""
    post(store, "m1", unit("b"), unit("a"))
    post(store, "m2", unit("c"), now=NOON + HOUR)
    assert [None, "b", "a", None] == [*claimed(store, 1, NOON - HOUR), *claimed(store, 3)]
    assert ["c", None] == claimed(store, 2, NOON + HOUR)


def test_what_is_claimed(store):
    """A claim tells what to do, for the how-manieth time, since when, and holds the envelope."""
    post(store, "m1", unit("u1", subject="child", envelope=sealed("state")))
    work = claim(store, NOON + HOUR)
    assert ("u1", "m1", "sort", "child", "message") == (
        work.id, work.message_id, work.job, work.subject, work.started_by,
    )  # fmt: skip
    assert (1, NOON, NOON, sealed("state")) == (work.tries, work.arrived, work.since, work.sealed)


def test_only_jobs_that_may(store):
    """R-DL1: a job that isn't asked for, for its credential rests, holds up none of the others."""
    post(store, "m1", unit("u1", job="resting"))
    post(store, "m2", unit("u2"))
    assert ["u2", None] == claimed(store, 2)
    assert ["u1"] == claimed(store, 1, jobs=("sort", "resting"))


def test_one_at_a_time_per_subject(store):
    """H18: while something is done for a child, nothing else is for it, whatever the job; others go on."""
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A", job="other"), unit("u3", subject="B"), unit("u4"))
    first = claim(store)
    assert ["u1", "u3", "u4", None] == [first.id, *claimed(store, 3, jobs=("sort", "other"))]
    store.succeed(first, run("r1"), now=NOON)
    assert ["u2"] == claimed(store, 1, jobs=("sort", "other"))


def test_later_ones_wait_for_the_next_try(store):
    """H23: while a message waits for another try, no later one of the same child overtakes it."""
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A"))
    store.try_again(claim(store), run("r1"), due=NOON + HOUR, error=ERROR, now=NOON)
    assert [None, "u1", None] == [*claimed(store, 1), *claimed(store, 2, NOON + HOUR)]


@pytest.mark.parametrize("how", ["parked", "dead", "discarded"])
def test_dead_ones_hold_up_nobody(store, how):
    """R-DL6: what is parked, dead or discarded lets the next of its child pass."""
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A"))
    if how == "discarded":
        store.discard("u1", reason="test", now=NOON)
    elif how == "dead":
        store.give_up(claim(store), run("r1"), error=ERROR, expires=NOON + DAY, now=NOON)
    else:
        store.park(claim(store), run("r1"), expires=NOON + DAY, now=NOON)
    assert ["u2"] == claimed(store, 1)


def test_released_one_waits_for_the_running_one(store):
    """H18: what a person releases goes before what waits, but not beside what runs."""
    for name in ("u1", "u2", "u3"):
        post(store, f"m-{name}", unit(name, subject="A"))
    store.park(claim(store), run("r1"), expires=NOON + DAY, now=NOON)
    running = claim(store)
    assert 1 == store.retry("u1", now=NOON)
    assert ["u2", None] == [running.id, *claimed(store, 1)]
    store.succeed(running, run("r2"), now=NOON)
    assert ["u1"] == claimed(store, 1)


def test_chain_goes_before_the_next_message(store):
    """H51: what follows from a message is done before a later message of the same child."""
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A"))
    store.succeed(claim(store), run("r1"), [unit("u1-then", subject="A", started_by="success")], now=NOON)
    work = claim(store)
    assert ("u1-then", "m1", "success") == (work.id, work.message_id, work.started_by)
    store.give_up(
        work, run("r2"), error=ERROR, expires=NOON + DAY, now=NOON,
        next_units=[unit("u1-failed", subject="A", started_by="failure")],
    )  # fmt: skip
    assert ("dead", "pending") == (store.unit("u1-then").status, store.message("m1").status)
    assert ["u1-failed", None] == claimed(store, 2)


def test_message_succeeds_with_its_chain(store):
    """H16: a message has succeeded when the last of its chain has, and only then nothing of it is left."""
    post(store, "m1")
    store.succeed(claim(store), run("r1"), [unit("then", started_by="success")], now=NOON)
    assert (None, sealed(), "pending") == (
        store.envelope("m1"), store.envelope("then"), store.message("m1").status,
    )  # fmt: skip
    store.succeed(claim(store), run("r2"), now=NOON)
    assert (None, "succeeded", []) == (store.envelope("then"), store.message("m1").status, store.pending_epochs())


def test_next_units_and_settlement_together(store):
    """H16: when what follows can't be kept, the run is not settled either, and can be settled again."""
    post(store, "m1")
    work = claim(store)
    store.retire("2026-02-28")
    with pytest.raises(EpochRetired):
        store.succeed(work, run("r1"), [unit("then", envelope=sealed(epoch="2026-02-28"))], now=NOON)
    assert (None, "running", sealed()) == (store.run("r1"), store.unit("m1").status, store.envelope("m1"))
    store.succeed(work, run("r1"), [unit("then")], now=NOON)
    assert "succeeded" == store.unit("m1").status


def test_tries_again(store):
    """A failed try is remembered with its cause, counted, and due when it was told to be."""
    post(store, "m1")
    store.try_again(claim(store), run("r1", code="unreachable"), due=NOON + HOUR, error=ERROR, now=NOON)
    line = store.unit("m1")
    assert ("pending", 1, "unreachable", ERROR, NOON + HOUR) == (
        line.status, line.tries, line.code, line.error, line.due,
    )  # fmt: skip
    assert 2 == claim(store, NOON + HOUR).tries


def test_next_due(store):
    """When to look again: the earliest moment at which something can be claimed."""
    assert store.next_due(["sort"]) is None
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A"))
    assert NOON == store.next_due(["sort", "other"])
    work = claim(store)
    assert store.next_due(["sort"]) is None
    store.try_again(work, run("r1"), due=NOON + HOUR, error=ERROR, now=NOON)
    assert (NOON + HOUR, None) == (store.next_due(["sort"]), store.next_due(["other"]))


def test_killed_while_running(database, store):
    """H16: what a killed service was at is due at once after a restart, its try counts, and the order stays."""
    post(store, "m1", unit("u1", subject="A"))
    post(store, "m2", unit("u2", subject="A"))
    claim(store)
    with database.open(store.folder) as after:
        assert (1, 0) == (after.release_abandoned(NOON + HOUR), after.release_abandoned(NOON + HOUR))
        work = claim(after, NOON + HOUR)
        assert ("u1", 2, None) == (work.id, work.tries, claim(after, NOON + HOUR))


def test_worker_that_lost_its_unit(store):
    """H16: a worker that was thought dead can't settle what another has begun since; that one can."""
    post(store, "m1")
    lost = claim(store)
    store.release_abandoned(NOON)
    current = claim(store)
    for settle in (
        lambda: store.succeed(lost, run("lost"), now=NOON),
        lambda: store.try_again(lost, run("lost"), due=NOON, error=ERROR, now=NOON),
        lambda: store.park(lost, run("lost"), expires=NOON, now=NOON),
        lambda: store.give_up(lost, run("lost"), error=ERROR, expires=NOON, now=NOON),
        lambda: store.put_back(lost, now=NOON),
    ):
        with pytest.raises(TakenOver):
            settle()
    assert store.run("lost") is None
    store.succeed(current, run("r1"), now=NOON)
    with pytest.raises(TakenOver):
        store.succeed(current, run("r2"), now=NOON)


def test_lost_unit_that_a_person_released(store):
    """The same when the tries were counted anew in between."""
    post(store, "m1")
    lost = claim(store)
    store.release_abandoned(NOON)
    store.park(claim(store), run("r1"), expires=NOON + DAY, now=NOON)
    store.retry("m1", now=NOON)
    assert lost.tries == claim(store).tries
    with pytest.raises(TakenOver):
        store.succeed(lost, run("lost"), now=NOON)


def test_put_back(store):
    """On a graceful stop a unit goes back, and this try doesn't count."""
    post(store, "m1")
    store.put_back(claim(store), now=NOON + HOUR)
    assert [None, ("m1", 1)] == [claim(store), (claim(store, NOON + HOUR).id, store.unit("m1").tries)]


def test_sorted_whatever_the_zone(store):
    """Moments of other zones are kept as the instants that they are."""
    eastern = NOON.astimezone(ZoneInfo("Africa/Addis_Ababa"))
    post(store, "m1", now=eastern + timedelta(minutes=1))
    assert [None, "m1"] == [*claimed(store, 1), *claimed(store, 1, NOON + timedelta(minutes=1))]


@pytest.mark.parametrize("waiting", ["due", "not due", "behind another"])
def test_claim_costs_the_same_however_many_wait(tmp_path, waiting):
    """With thousands that are due, not due yet, or behind another of their child, the next is found as quickly."""
    with Store.open(tmp_path) as store:
        few, many = costs(store, waiting)
        assert many <= few + 2


def costs(store, waiting):
    """How many hundreds of SQLite's own steps a claim takes when few wait, and when many do."""

    def steps():
        counted = []
        store._writer.set_progress_handler(lambda: counted.append(1), 100)
        work = claim(store)
        store._writer.set_progress_handler(None, 0)
        store.put_back(work, now=NOON)
        return len(counted)

    post(store, "first", unit("first"), unit("head", subject="A"))
    few = steps()
    later = NOON + HOUR if waiting == "not due" else NOON
    subject = "A" if waiting == "behind another" else None
    post(store, "many", *(unit(f"u{number}", subject=subject) for number in range(3000)), now=later)
    return few, steps()
