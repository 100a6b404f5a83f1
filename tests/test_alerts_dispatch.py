"""Dispatch, in virtual time: who is told, how often it is tried, and that nothing of a child is ever in it."""

import contextlib
import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from virtual import NOON, Clock, Service, made

from runner.alerts.conditions import Condition, conditions
from runner.alerts.delivery import NotDelivered
from runner.alerts.dispatch import Dispatch
from runner.alerts.rules import as_told
from runner.alerts.settings import Digest, Recipient, Settings
from runner.alerts.sight import Sight
from runner.errors import StoreError
from runner.logs.log import Log, as_json
from runner.report import shown
from runner.store import Store
from runner.triggers import Trigger
from tests.canaries import forms

CANARY = "Nyaruot Beispiel"
DAILY = Digest(Trigger("digest", "cron", "0 7 * * *"), "info")
OFFICE = Recipient("office", "mail", "mail", at_once="warning")
DEAD = Condition("given_up", "sort", "unreachable", "error", step=1, since=NOON, ids=("0" * 32,), jobs=("sort",))
DISK = Condition("disk_short", severity="warning", count=300)


class Box:
    """What a recipient gets; while it is `shut`, nothing arrives."""

    def __init__(self):
        self.got = []
        self.tries = 0
        self.shut = None

    def send(self, notice):
        self.tries += 1
        if self.shut:
            raise self.shut
        self.got.append(notice)
        return "250"

    @property
    def codes(self):
        """Of each notice, what it tells."""
        return [[each.code for each in notice.began] for notice in self.got]


class Office:
    """A dispatch with boxes, a store and a clock."""

    def __init__(self, folder, *recipients, clock=None):
        self.clock = clock or Clock()
        self.store = Store.open(folder, now=self.clock)
        self.boxes = {each.name: Box() for each in recipients}
        self.events = []
        log = Log(lambda _, line: self.events.append(json.loads(line)), now=self.clock, form=as_json)
        self.dispatch = Dispatch(
            self.store, Settings(recipients, "https://bridge.example.org/look"), "test",
            lambda recipient: self.boxes[recipient.name], now=self.clock, log=log, chance=random.Random(1),
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def round(self, *on, **lasting):
        """One round, after so much time."""
        self.clock.pass_by(**lasting)
        self.dispatch.round(on)


def test_once_and_its_end(tmp_path):
    """What lasts is told once, in however many rounds and lives of the service; its end is told, once."""
    with Office(tmp_path, OFFICE) as office:
        for _ in range(3):
            office.round(DEAD, minutes=1)
        assert [["given_up"]] == office.boxes["office"].codes
    with Office(tmp_path, OFFICE) as office:
        office.round(DEAD, minutes=1)
        office.round(minutes=1)
        office.round(minutes=1)
        (notice,) = office.boxes["office"].got
        assert ("test: 1 ended", ["given_up"]) == (notice.subject, [each.code for each in notice.ended])
        assert ["alert_sent"] == [event["event"] for event in office.events]


def test_tried_again(tmp_path):
    """An alert that doesn't arrive is tried again with growing pauses, tells then what is so then, and holds up
    nobody."""
    other = Recipient("other", "webhook", "hook", at_once="error")
    with Office(tmp_path, OFFICE, other) as office:
        box, told = office.boxes["office"], office.boxes["other"]
        box.shut = NotDelivered("unreachable", "it can't be reached")
        office.round(DEAD)
        assert (0, [["given_up"]]) == (len(box.got), told.codes)
        for _ in range(60 * 24):
            office.round(DEAD, minutes=1)
        assert 5 + 23 >= box.tries >= 5 + 20
        failed = [event for event in office.events if event["event"] == "alert_failed"]
        assert {"unreachable"} == {event["code"] for event in failed}
        assert sorted(event["tries"] for event in failed) == [event["tries"] for event in failed]
        box.shut = None
        office.round(DISK, hours=2)
        assert [["disk_short"]] == box.codes
        assert [] == office.store.signs(NOON)


def test_failing_is_a_condition(tmp_path):
    """That somebody can't be told is told to the others, and that it works again; not to themselves."""
    other = Recipient("other", "webhook", "hook", at_once="error")
    with Office(tmp_path, OFFICE, other) as office:

        def round(**lasting):
            on = conditions(Sight(office.store, (), office.clock()))
            office.round(*on, *lasting.pop("on", ()), **lasting)

        office.boxes["office"].shut = NotDelivered("rejected", "the server refused it (550)")
        round(on=[DISK])
        round(minutes=1)
        (notice,) = office.boxes["other"].got
        assert [("not_delivered", "office", "rejected")] == [each.cause for each in notice.began]
        office.boxes["office"].shut = None
        round(on=[DISK], hours=2)
        round(minutes=1)
        assert ["not_delivered"] == [each.code for each in office.boxes["other"].got[-1].ended]
        assert [["disk_short"]] == office.boxes["office"].codes[:1]


def test_an_error_that_nobody_foresaw(tmp_path):
    """H35 H41 Whatever goes wrong on the way is tried again, told by its class, and the next recipient is told."""
    other = Recipient("other", "mail", "mail", at_once="error")
    with Office(tmp_path, OFFICE, other) as office:
        office.boxes["office"].shut = ValueError(CANARY)
        office.round(DEAD)
        assert [["given_up"]] == office.boxes["other"].codes
        assert CANARY not in json.dumps(office.events)
        assert ["unforeseen", "alert_failed"] == [each["event"] for each in office.events][:2]


def test_store_that_refuses(tmp_path):
    """While the disk is full, each is told all the same, though nobody can remember it: each hour, not each minute."""
    other = Recipient("other", "mail", "mail", at_once="error")
    with Office(tmp_path, OFFICE, other) as office:
        office.round()
        keep, office.store.keep_telling = office.store.keep_telling, _refuses
        for _ in range(90):
            with contextlib.suppress(StoreError):
                office.round(DEAD, minutes=1)
        assert [2, 2] == [len(box.got) for box in office.boxes.values()]
        office.store.keep_telling = keep
        for _ in range(90):
            office.round(DEAD, minutes=1)
        assert [3, 3] == [len(box.got) for box in office.boxes.values()]


def _refuses(*_, **__):
    raise StoreError("the data directory can't be used")


def test_clock_that_ran_ahead(tmp_path):
    """A pause that was begun by a clock a day ahead ends when the clock is set right."""
    with Office(tmp_path, OFFICE, clock=Clock(NOON + timedelta(days=1))) as office:
        office.boxes["office"].shut = NotDelivered("unreachable", "it can't be reached")
        office.round(DEAD)
        office.boxes["office"].shut = None
        office.clock.time = NOON
        office.round(DEAD, minutes=1)
        assert [["given_up"]] == office.boxes["office"].codes


def test_killed_in_between(tmp_path):
    """Killed between sending and remembering, a notice comes twice, never not at all, and under the same id."""
    with Office(tmp_path, OFFICE) as office:
        office.round()
        office.store.keep_telling = lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            office.round(DEAD)
        first = office.boxes["office"].got
    with Office(tmp_path, OFFICE, clock=office.clock) as office:
        office.round(DEAD, minutes=5)
        assert [each.id for each in first] == [each.id for each in office.boxes["office"].got]


def test_the_same_again_is_another_notice(tmp_path):
    """What ended and began anew is a notice of its own, which no mail server takes for a repetition."""
    with Office(tmp_path, OFFICE) as office:
        for on in ([DISK], [], [DISK], []):
            office.round(*on, minutes=1)
        assert 4 == len({notice.id for notice in office.boxes["office"].got})
        assert [1, 2, 3, 4] == [notice.number for notice in office.boxes["office"].got]


def test_digest(tmp_path):
    """A digest comes at its time, tells all that needs a look and what was done, also when that is nothing."""
    daily = Recipient("office", "mail", "mail", digest=DAILY)
    with Office(tmp_path, daily) as office:
        for _ in range(24 * 4):
            office.round(DISK, minutes=15)
        for _ in range(24 * 4):
            office.round(minutes=15)
        first, second = office.boxes["office"].got
    assert ("digest", NOON + timedelta(hours=19), ["disk_short"]) == (
        first.kind, first.time, [each.code for each in first.began],
    )  # fmt: skip
    assert "test: nothing needs a look" == second.subject


def test_digest_and_alert_in_one(tmp_path):
    """What is new when the digest is due is in it, whatever its least severity, and isn't told once more."""
    both = Recipient("office", "mail", "mail", at_once="warning", digest=Digest(DAILY.trigger, "error"))
    with Office(tmp_path, both) as office:
        office.round()
        office.round(DISK, hours=19)
        office.round(DISK, minutes=1)
        assert [["disk_short"]] == office.boxes["office"].codes
        assert [as_told(DISK)] == office.store.told("office")


def test_missed_digests(tmp_path):
    """After days without service one digest comes, not one for each day."""
    daily = Recipient("office", "mail", "mail", digest=DAILY)
    with Office(tmp_path, daily) as office:
        office.round()
        office.round(days=5)
        office.round(minutes=1)
        assert 1 == len(office.boxes["office"].got)


def test_no_child_in_any_notice(tmp_path):
    """H41 R-LG8 Whatever a service meets, no name, payload or free text of it is in a notice, in any form."""
    service_jobs = [made("sort", _dies, on="x"), made("read", _parks, cron="0 * * * *")]
    with (
        Service(tmp_path, jobs=service_jobs, retry={"hours": 1}) as service,
        Office(
            tmp_path / "told", Recipient("office", "mail", "mail", at_once="info", digest=DAILY), clock=service.clock
        ) as office,
    ):
        service.post({"type": "x", "name": CANARY})
        service.post({"type": "unheard of", "name": CANARY})
        for _ in range(30):
            service.run(hours=1)
            office.round(*conditions(Sight(service.store, list(service.project.jobs.values()), service.clock())))
        got = office.boxes["office"].got
        codes = {each.code for notice in got for each in notice.began}
        assert {"given_up", "records_to_settle", "not_routed", "run_failed"} <= codes
        for notice in got:
            told = [*notice.lines(), notice.subject, json.dumps(notice.document(), default=shown)]
            everything = "\n".join(told).encode()
            assert [] == [name for name, form in forms(CANARY) if form in everything]
            assert b"GAM-1" not in everything


def _dies(state):
    """A job that ends with an error about the child."""
    raise ValueError(f"no such child: {state['data']['name']}")


def _parks(state):
    """A job that finds a record for a person to settle."""
    state["outcomes"].append(
        {
            "outcome": "parked",
            "ids": {"id": "GAM-1"},
            "code": CANARY,
            "message": CANARY,
            "fix": None,
            "operation": "find",
        }
    )
    return state


def test_runbook_has_each():
    """Every notice names a section that is there."""
    page = Path("docs/runbook.md").read_text("utf-8")
    assert f"### {DEAD.runbook.partition('#')[2]}\n" in page
