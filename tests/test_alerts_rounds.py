"""Rounds: what only a running service can see, in virtual time, and that nothing stops them."""

import json
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta

import pytest
from virtual import NOON, Clock, Service, made

from runner.alerts.conditions import Condition
from runner.alerts.dispatch import Dispatch
from runner.alerts.rounds import Rounds, at_work
from runner.alerts.settings import Recipient, Settings
from runner.alerts.sight import Sight
from runner.errors import StoreError
from runner.logs.log import Log, as_json
from runner.store import FILE, Store
from tests.test_alerts_dispatch import Box

CANARY = "Nyaruot Beispiel"


class Watched:
    """Rounds over a store, with a clock that can be set, another that can't, and one recipient's box."""

    def __init__(self, folder):
        self.clock, self.steady, self.box, self.events = Clock(), 0.0, Box(), []
        self.store = Store.open(folder, now=self.clock)
        self.log = Log(lambda _, line: self.events.append(json.loads(line)), now=self.clock, form=as_json)
        told = Settings((Recipient("office", "mail", "mail", at_once="warning"),))
        dispatch = Dispatch(self.store, told, "test", lambda _: self.box, now=self.clock, log=self.log)
        self.rounds = Rounds(
            self.store, dispatch, lambda findings: Sight(self.store, (), self.clock(), findings), list,
            now=self.clock, passed=lambda: self.steady, log=self.log,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def pass_by(self, *, clock=None, **lasting):
        """So much time passes, and a round is made; the wall clock goes on by `clock` instead."""
        self.steady += timedelta(**lasting).total_seconds()
        self.clock.time += timedelta(**lasting) if clock is None else clock
        self.rounds.step()
        return {each.code for each in self.rounds.on}


def test_a_clock_that_runs(tmp_path):
    """While the clock goes on as time does, however slowly rounds come, there is nothing to tell."""
    with Watched(tmp_path) as watched:
        for minutes in (1, 1, 60, 1, 600):
            assert set() == watched.pass_by(minutes=minutes)


@pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2), timedelta(seconds=-31)])
def test_a_clock_that_jumps(tmp_path, by):
    """A clock that was set is told, by whichever way it went, for a day."""
    with Watched(tmp_path) as watched:
        assert "clock_jumped" in watched.pass_by(minutes=1, clock=timedelta(minutes=1) + by)
        (event,) = [event for event in watched.events if event["event"] == "clock_jumped"]
        assert by.total_seconds() == event["seconds"]
        assert "clock_jumped" in watched.pass_by(hours=23)
        assert "clock_jumped" not in watched.pass_by(hours=2)


def test_audit_log(tmp_path):
    """R-AU1: the audit log is verified each day; that it was changed needs a look as long as it doesn't verify."""
    with Watched(tmp_path) as watched:
        watched.store.record("log_exported", count=1, now=NOON)
        assert set() == watched.pass_by(minutes=1)
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            db.execute("DROP TRIGGER audit_stays")
            db.execute("UPDATE audit SET who = 'somebody'")
            db.commit()
        seen = [watched.pass_by(hours=1) for _ in range(72)]
        assert {"audit_broken"} == seen[13] == seen[-1]
        assert 1 == sum("audit_broken" in [each.code for each in notice.began] for notice in watched.box.got)
        assert {2} == {event["count"] for event in watched.events if event["event"] == "audit_broken"}


def test_old_signs_are_deleted(tmp_path):
    """What was seen long ago is forgotten."""
    with Watched(tmp_path) as watched:
        watched.store.note_sign("run_remarked", about="sort", why="secondary_key", now=NOON)
        watched.pass_by(days=8)
        assert [] == watched.store.signs(NOON - timedelta(days=1))


def test_remarks_of_runs(tmp_path):
    """R-RT2: that a run had to take the second key is a condition, told by job and code."""

    def second_key(state):
        state["outcomes"].append(
            {"outcome": "done", "ids": {"id": "c-1"}, "code": None, "message": CANARY, "fix": None, "operation": "send",
             "remarks": ["secondary_key"]}
        )  # fmt: skip
        return state

    jobs = [made("sort", second_key, on="x"), made("read", second_key, cron="0 * * * *")]
    with Service(tmp_path, jobs=jobs) as service:
        service.post({"type": "x", "name": CANARY})
        service.run(hours=1)
        told = {(sign.code, sign.about, sign.why) for sign in service.store.signs(NOON)}
    assert {("run_remarked", job, "secondary_key") for job in ("sort", "read")} == told


def test_nothing_stops_the_rounds(tmp_path):
    """H41 A store that can't be used, or an error of our own, is an event; the next round comes all the same."""
    ended, steps, events = threading.Event(), [], []

    class Failing:
        def step(self):
            steps.append(1)
            if len(steps) == 3:
                ended.set()
            raise [StoreError(CANARY), ValueError(CANARY), KeyError(CANARY)][len(steps) - 1]

    log = Log(lambda _, line: events.append(json.loads(line)), now=Clock(), form=as_json)
    with at_work(Failing(), ended, log, every=0.001):
        assert ended.wait(30)
    assert 3 == len(steps)
    assert ["trouble", "unforeseen", "unforeseen"] == [event["event"] for event in events]
    assert {"alerts"} == {event["part"] for event in events}
    assert CANARY not in json.dumps(events)


def test_who_cannot_be_told_holds_up_nobody(tmp_path):
    """A delivery that hangs doesn't keep the service from stopping."""
    entered, let_go, waited = threading.Event(), threading.Event(), []

    class Hanging:
        def step(self):
            entered.set()
            waited.append(let_go.wait(60))

    with at_work(Hanging(), threading.Event(), Log(now=Clock()), farewell=0.01):
        assert entered.wait(30)
    assert [] == waited
    let_go.set()


def test_what_the_last_round_found(tmp_path):
    """Metrics read what the last round found; nothing is derived for them."""
    with Watched(tmp_path) as watched:
        watched.store.note_sign("clock_jumped", now=NOON)
        watched.pass_by(minutes=1)
        assert [Condition("clock_jumped", severity="warning", since=NOON)] == watched.rounds.on
