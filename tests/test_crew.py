"""The crew: nothing that is due is slept over, and nothing is looked for in vain (runner/work/crew.py)."""

import threading
import time
from datetime import timedelta

import pytest
from virtual import NOON

from runner.errors import StoreError, VaultError
from runner.logs.log import SILENT
from runner.store import Store
from runner.work import crew
from runner.work.bell import Bell
from tests.threads import alive


class Listened(Bell):
    """A bell at which nobody really sleeps: it keeps how long they wanted to, and ends after so many times."""

    def __init__(self, times=1):
        super().__init__()
        self.pauses = []
        self._times = times

    def wait(self, heard, seconds):
        self.pauses.append((seconds, self.rings - heard))
        if len(self.pauses) == self._times:
            self.stop()


class Due:
    """A worker that has so many things to do now, and the next one at a later time."""

    def __init__(self, *steps, due=None):
        self.steps = list(steps)
        self.due = due
        self.stopped = False

    def step(self):
        step = self.steps.pop(0) if self.steps else False
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def next_due(self):
        return self.due

    def stop(self):
        self.stopped = True


def work(worker, bell, lost=None):
    crew.work(worker, bell, lambda: NOON, (lost if lost is not None else []).append, SILENT)


@pytest.mark.parametrize(
    ("due", "seconds"),
    [(None, 60), (timedelta(minutes=5), 60), (timedelta(seconds=7), 7), (timedelta(0), 1), (timedelta(hours=-1), 1)],
    ids=["never", "late", "soon", "now", "before"],
)
def test_sleeps_until_something_is_due(due, seconds):
    """It sleeps for exactly what `next_due` says, a minute at most, and never not at all."""
    bell = Listened()
    work(Due(due=None if due is None else NOON + due), bell)
    assert [(seconds, 0)] == bell.pauses


def test_does_all_before_it_sleeps():
    """While there is something to do it doesn't sleep; and it rings each time, for who could help."""
    bell, worker = Listened(), Due(True, True, True)
    work(worker, bell)
    assert ([], [(60, 0)], 3) == (worker.steps, bell.pauses, bell.rings)


def test_a_message_that_comes_while_it_looks():
    """R-WH1: what is posted between its look and its sleep is not slept over."""
    bell = Listened()

    def look_in_vain():
        bell.ring()  # the inbox
        return False

    work(Due(look_in_vain), bell)
    assert [(60, 1)] == bell.pauses


@pytest.mark.parametrize("trouble", [StoreError("full"), ValueError("a slip")], ids=["foreseen", "not"])
def test_trouble_is_tried_again(trouble):
    """R-WH2: what the store refuses, and what nobody foresaw, is tried again after ten seconds."""
    bell, worker = Listened(times=2), Due(trouble)
    work(worker, bell)
    assert [(10, 0), (60, 0)] == bell.pauses


def test_keys_that_are_lost():
    """R-RT4: when a key is gone while the service runs, it gives up and says so, instead of trying for ever."""
    lost = []
    work(Due(VaultError("the epoch key is missing", fix="Put it back.")), Listened(), lost)
    assert ["the epoch key is missing"] == [str(error) for error in lost]


def test_the_crew_comes_and_goes(tmp_path):
    """All its threads begin, whoever rings is heard, and at the end none is left."""
    bell, did = Bell(), threading.Event()
    worker = Due(due=None)
    with (
        Store.open(tmp_path) as store,
        crew.at_work(worker, store, bell, number=3, now=lambda: NOON, give_up=print, log=SILENT),
    ):
        assert 4 == len(alive("crew"))
        worker.steps.append(lambda: did.set() or True)
        bell.ring()
        assert did.wait(60)
    assert (True, set()) == (worker.stopped, alive("crew"))


def test_the_crew_ends_after_what_is_at_hand(tmp_path):
    """Who stops the crew waits until the operation that is under way is done."""
    begun, done = threading.Event(), []

    def take_long():
        begun.set()
        time.sleep(0.2)  # the longer, the surer this fails if nobody waits; it passes however long it takes
        done.append("all")
        return False

    with (
        Store.open(tmp_path) as store,
        crew.at_work(Due(take_long), store, Bell(), number=1, now=lambda: NOON, give_up=print, log=SILENT),
    ):
        assert begun.wait(60)
    assert ["all"] == done


def test_others_are_noticed(tmp_path):
    """A command beside the service changes the store: its version changes, and changes of our own leave it."""
    with Store.open(tmp_path) as service, Store.open(tmp_path) as command:
        before = service.version()
        service.set_setting("ours", "1")
        assert before == service.version()
        command.set_setting("theirs", "1")
        assert before != service.version()


def test_the_bell_rings_for_others(tmp_path, monkeypatch):
    """Who listens rings once when another process has changed the store, and again when it has once more."""
    monkeypatch.setattr(crew, "_OTHERS", 0.001)
    bell = Bell()
    with Store.open(tmp_path) as service, Store.open(tmp_path) as command:
        listener = threading.Thread(target=crew.listen, args=(service, bell))
        listener.start()
        for number in range(3):
            heard = bell.rings
            command.set_setting("theirs", str(number))
            bell.wait(heard, 60)
            assert heard < bell.rings
        bell.stop()
        listener.join(60)
        assert not listener.is_alive()
