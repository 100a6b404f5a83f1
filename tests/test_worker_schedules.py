"""The worker's scheduled jobs: slots, the cursor, records that fail, are parked and released; in virtual time."""

import pytest
from virtual import NOON, Service, item, made

from runner.errors import StoreError
from runner.guard import Ending

HOURLY = {"cron": "0 * * * *"}


class Killed(Ending):
    """The process is killed here."""


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Reading:
    """An operation that finds these items, by record, and reads up to `newest`; what it was handed is in `given`."""

    def __init__(self, newest=None, **found):
        self.newest = newest
        self.found = found
        self.given = []

    def __call__(self, state):
        self.given.append({key: state[key] for key in ("cursor", "revisit", "data") if state.get(key)})
        state["outcomes"] += [item(outcome, record) for record, outcome in self.found.items()]
        return {**state, "cursor": self.newest} if self.newest else state


def begun(service, job="read"):
    """When the runs of a job began, as day and hour."""
    return [run.started.strftime("%d %H:%M") for run in reversed(service.store.runs(1000, job=job))]


def test_each_slot_runs_once(tmp_path):
    """A schedule fires at each slot, once, and not when the service starts for the first time."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.run(hours=3)
        assert ["02 13:00", "02 14:00", "02 15:00"] == begun(service)


def test_missed_slots_run_once(tmp_path):
    """H15: after two days away, what was missed runs once at the start, then the schedule goes on."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.run(hours=1.5)
        service.clock.pass_by(days=2, minutes=10)
        service.kill()
        service.run(hours=1)
        assert ["02 13:00", "04 13:40", "04 14:00"] == begun(service)


def test_nothing_missed(tmp_path):
    """H15: a start between two slots runs nothing, also when the first slot is still to come."""
    with Service(tmp_path, jobs=[made("read", cron="0 3 * * *")]) as service:
        for _ in range(5):
            service.run(hours=2)
            service.kill()
        assert [] == begun(service)
        service.run(hours=10)
        assert ["03 03:00"] == begun(service)


def test_killed_in_a_scheduled_run(tmp_path):
    """H16: a scheduled run that a kill ended runs again at the start, not at the next slot only."""
    runs = []

    def read(state):
        runs.append(1)
        if len(runs) == 1:
            raise Killed
        return state

    with Service(tmp_path, jobs=[made("read", read, cron="0 13 * * *")]) as service:
        with pytest.raises(Killed):
            service.run(hours=2)
        service.kill()
        service.run(hours=30)
        assert ["02 13:00", "03 13:00"] == begun(service)


def test_store_that_refuses_before_a_scheduled_run(tmp_path):
    """H16 A slot that was taken when the store refuses to be read is run when it can be again, not an hour later."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.settle()
        revisit = service.store.revisit

        def refusing(job):
            service.store.revisit = revisit
            raise StoreError("the disk can't be read")

        service.store.revisit = refusing
        service.clock.pass_by(hours=1)
        with pytest.raises(StoreError):
            service.settle()
        service.settle()
        assert 1 == len(begun(service))


def test_nothing_to_do_any_more(tmp_path):
    """H3 A record that failed and then needs nothing, since people changed it, isn't counted as tried for ever."""
    reading = Reading(c1="failed")
    with Service(tmp_path, jobs=[made("read", reading, **HOURLY)]) as service:
        service.run(hours=1)
        assert {"c1"} == service.store.item_tries("read").keys()
        reading.found = {}
        service.run(hours=1)
        assert {} == service.store.item_tries("read")


def test_no_overlap_with_itself(tmp_path):
    """A job doesn't run beside itself; slots that pass meanwhile are one."""

    lasting = [2.5, 2.5, 0]

    def read(state):
        service.clock.pass_by(hours=lasting.pop(0))
        assert not service.worker.step(), "nothing else is due, and this job runs already"
        return state

    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.run(hours=1)
        assert ["02 13:00", "02 15:30", "02 18:00"] == begun(service)


def test_not_beside_a_run_by_hand(tmp_path):
    """A slot waits while the same job runs on the command line."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.settle()
        service.clock.pass_by(hours=1)
        with service.store.lock("job/read"):
            service.settle()
            assert [] == begun(service)
        service.settle()
        assert ["02 13:00"] == begun(service)


def test_others_run_beside_a_run_by_hand(tmp_path):
    """R-DL6: a job that runs by hand holds up itself only, not the other jobs of that slot."""
    with Service(tmp_path, jobs=[made("read", cron="0 * * * *"), made("other", cron="0 * * * *")]) as service:
        service.clock.pass_by(hours=1)
        with service.store.lock("job/read"):
            service.settle()
            assert ([], ["02 13:00"]) == (begun(service), begun(service, "other"))
        service.settle()
        assert (["02 13:00"], ["02 13:00"]) == (begun(service), begun(service, "other"))


def test_rests_with_its_credential(tmp_path):
    """R-DL1: a slot that comes while the credential rests runs when the rest is over."""
    away = Away()
    away.credential = "north"

    def read(state):
        raise away

    with Service(tmp_path, jobs=[made("read", read, cron="*/10 * * * *", credentials={"north": "north"})]) as service:
        service.run(minutes=75)
        assert ["02 12:10", "02 12:40", "02 13:10"] == begun(service)


def test_first_run_asks_for_a_start(tmp_path):
    """H6: without a cursor the job is handed none, whatever our clock says; it must ask for a date."""
    read = Reading()
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.run(hours=1)
        assert [{}] == read.given


def test_cursor_is_the_servers(tmp_path):
    """H2: the next run gets what this one read, as the far side stamped it, whatever our own clock says."""
    read = Reading("2026-02-01T00:00:00Z", c1="done", c2="withheld")
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.store.move_cursor("read", "2026-01-01T00:00:00Z")
        service.run(hours=2)
        assert ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"] == [given["cursor"] for given in read.given]


@pytest.mark.parametrize(("outcome", "moved"), [("done", True), ("parked", True), ("refused", True), ("failed", False)])
def test_cursor_moves_when_all_is_settled(tmp_path, outcome, moved):
    """H3: the cursor moves with the run's settlement, and only when every item has an outcome other than failed."""
    read = Reading("2026-02-01T00:00:00Z", c1="done", c2=outcome)
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.run(hours=1)
        assert ("2026-02-01T00:00:00Z" if moved else None) == service.store.cursor("read")


def test_item_that_always_fails(tmp_path):
    """R-DL6: an item that always fails is parked when its tries are used up; then the cursor moves, and goes on to."""
    read = Reading("2026-02-01T00:00:00Z", c1="done", c2="failed")
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)], retry={"tries": 5}) as service:
        service.run(hours=4)
        assert (None, []) == (service.store.cursor("read"), service.store.parked("read"))
        service.run(hours=1)
        assert ["c2"] == [record.record_id for record in service.store.parked("read")]
        read.newest = "2026-02-02T00:00:00Z"
        service.run(hours=1)
        assert "2026-02-02T00:00:00Z" == service.store.cursor("read")


def test_parked_and_away(tmp_path):
    """H3 A record that is parked for one thing is tried again for another, which only the far side hinders."""

    def read(state):
        state["outcomes"] += [item("parked", "c-1"), item("failed", "c-1", code="unreachable", retryable=True)][:some]
        return state

    some = 1
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.run(hours=1)
        assert ["parked"] == [record.code for record in service.store.parked()]
        some = 2
        service.run(hours=1)
        assert (["parked"], {"c-1": 0}) == (
            [record.code for record in service.store.parked()], service.store.item_tries("read")
        )  # fmt: skip


def test_far_side_away_for_long(tmp_path):
    """H3: while nothing gets through, nothing is parked and the cursor stays; afterwards all goes by itself."""
    read = Reading("2026-02-01T00:00:00Z", c1="failed", c2="failed")
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)], retry={"tries": 5}) as service:
        service.run(days=10)
        assert (None, []) == (service.store.cursor("read"), service.store.parked("read"))
        read.found = {"c1": "done", "c2": "done"}
        service.run(hours=1)
        assert ("2026-02-01T00:00:00Z", {}) == (service.store.cursor("read"), service.store.item_tries("read"))


def test_released_records_are_read_again(tmp_path):
    """H52: `retry` hands a parked record to its job again until it is settled, wherever the cursor stands."""
    read = Reading("2026-02-01T00:00:00Z", c2="parked")
    with Service(tmp_path, jobs=[made("read", read, **HOURLY)]) as service:
        service.run(hours=1)
        assert 1 == service.store.retry("read/c2", now=service.clock())
        read.found = {"c2": "failed"}
        service.run(hours=1)
        read.found = {"c2": "done"}
        service.run(hours=2)
        assert [None, ["c2"], ["c2"], None] == [given.get("revisit") for given in read.given]
        assert [] == service.store.parked("read")


def test_success_of_a_scheduled_job(tmp_path):
    """The success of a scheduled run starts its chain with the final state of that run."""
    read, after = Reading("2026-02-01T00:00:00Z", c1="done"), Reading()
    jobs = [
        made("read", read, lambda state: {**state, "data": {"made": 1}}, **HOURLY),
        made("next", after, success="read"),
    ]
    with Service(tmp_path, jobs=jobs) as service:
        service.run(hours=1)
        assert [{"data": {"made": 1}, "cursor": "2026-02-01T00:00:00Z"}] == after.given


def test_next_due(tmp_path):
    """The worker knows when the next slot comes, and that one is due now."""
    with Service(tmp_path, jobs=[made("read", cron="5 12 * * *")]) as service:
        service.settle()
        assert NOON.replace(minute=5) == service.worker.next_due()


@pytest.mark.parametrize("restarted", [False, True])
def test_clock_set_back(tmp_path, restarted):
    """H15 A clock that ran days ahead and was set right keeps no job from running in between."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.clock.pass_by(days=5)
        service.settle()
        service.clock.pass_by(days=-5)
        if restarted:
            service.kill()
        service.run(hours=3)
        assert 1 + 3 == len(service.outcomes("read"))
