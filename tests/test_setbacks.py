"""A clock that ran ahead and was set right: nothing waits until it has caught up; in virtual time."""

import pytest
from virtual import NOON, Service, made

from runner.errors import StoreError
from runner.logs.log import Log

HOURLY = {"cron": "0 * * * *"}


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Sending:
    """An operation that fails until it is told that the far side is `back`; `tries` are the times of all tries."""

    def __init__(self, **error):
        self.tries = []
        self.back = False
        self._error = error

    def __call__(self, state):
        self.tries.append(state["runtime"].now())
        if self.back:
            return state
        error = Away()
        vars(error).update(self._error)
        raise error


@pytest.fixture(params=["running", "started again"])
def set_right(request):
    """Sets a clock right that ran ahead, while the service runs, or while it doesn't."""

    def set_it(service, days=5):
        service.clock.pass_by(days=-days)
        if request.param == "started again":
            service.kill()

    return set_it


def test_message_that_is_tried_again(tmp_path, set_right):
    """H16 What is to be tried again a little later is, though the clock ran days ahead when that was decided."""
    send = Sending()
    with Service(tmp_path, jobs=[made("sort", send, on="x")]) as service:
        service.clock.pass_by(days=5)
        service.post({"type": "x"})
        service.settle()
        set_right(service)
        send.back = True
        service.settle()
        assert 2 == len(send.tries)


def test_schedule(tmp_path, set_right):
    """H15 A job runs at times at which it ran before, by a clock that ran ahead; it doesn't wait for newer ones."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.run(days=5)
        set_right(service)
        before = len(service.outcomes("read"))
        service.run(hours=3)
        assert 3 == len(service.outcomes("read")) - before


def test_credential_that_rests(tmp_path, set_right):
    """R-DL1 A refused credential rests for half an hour from then on at most, and for no less."""
    send = Sending(credential="north")
    with Service(tmp_path, jobs=[made("sort", send, on="x", credentials={"north": "north"})]) as service:
        service.clock.pass_by(days=5)
        service.post({"type": "x"})
        service.settle()
        set_right(service)
        service.run(minutes=29)
        assert 1 == len(send.tries)
        service.run(minutes=2)
        assert 2 == len(send.tries)


def test_answers_that_wait(tmp_path, set_right):
    """H36 An answer whose delivery failed by a clock that ran ahead is tried again soon."""
    send = Sending()
    job = made("answers", send, outbox="south")
    waiting = {"system": "south", "kind": "answer", "key": "INT-1", "value": "", "send": {}}
    with Service(tmp_path, jobs=[job]) as service:
        service.clock.pass_by(days=5)
        service.store.outbox().append(waiting)
        service.settle()
        set_right(service)
        service.run(minutes=3)
        assert 1 < len(send.tries)


def test_what_nobody_settles(tmp_path, set_right):
    """R-ER4 R-DL4 Housekeeping goes on: what nobody settles in time is erased when its time has come."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        service.clock.pass_by(days=20)
        service.settle()
        set_right(service, 20)
        service.post({"type": "quarantined"})
        service.run(days=7, hours=2)
        assert ["expired"] == [message.status for message in service.store.messages()]


def test_nothing_is_done_twice_in_a_slot(tmp_path):
    """H15 A clock that is corrected by seconds lets no job run twice."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.run(hours=1)
        service.clock.pass_by(seconds=-20)
        service.run(minutes=30)
        assert 1 == len(service.outcomes("read"))


def test_it_is_told(tmp_path):
    """R-LG1 That the clock was set back is an event, once, with by how much."""
    lines = []
    log = Log(lambda _, line: lines.append(line), now=lambda: NOON)
    with Service(tmp_path, jobs=[made("read", **HOURLY)], log=log) as service:
        service.run(hours=3)
        service.clock.pass_by(hours=-2)
        service.run(minutes=30)
    assert 1 == len([line for line in lines if "clock_set_back by=7200" in line])


def test_store_that_refuses(tmp_path):
    """H16 Where the store refuses just when the clock is set back, it is mended at the next step."""
    with Service(tmp_path, jobs=[made("read", **HOURLY)]) as service:
        service.run(hours=3)
        service.clock.pass_by(hours=-3)
        kept, service.store.set_back = service.store.set_back, refusing
        with pytest.raises(StoreError):
            service.settle()
        service.store.set_back = kept
        service.run(hours=3)
        assert 6 == len(service.outcomes("read"))


def refusing(*_, **__):
    raise StoreError("the disk can't be written")
