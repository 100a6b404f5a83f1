"""What many requests bring at once is taken in together, and each is told what became of its own."""

import asyncio
import json
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from inboxes import Inbox

from runner import custody
from runner.errors import StoreError
from runner.inbox.answers import Refusal
from runner.inbox.reception import Reception
from runner.store import Accepted

_PATIENCE = 20  # seconds, so that who is never answered fails a test instead of stopping it


class Intake:
    """Takes what it is given, when it is let; remembers how much it was given at a time."""

    def __init__(self):
        self.given, self.begun, self.may_end = [], Event(), Event()

    def take_each(self, bodies):
        self.begun.set()
        assert self.may_end.wait(_PATIENCE)
        self.given.append([body.decode() for body, _ in bodies])
        return [partial(self.outcome, body.decode()) for body, _ in bodies]

    def outcome(self, name):
        if name == "bad":
            raise Refusal("not_json")
        return Accepted(name, 1, duplicate=False)


@pytest.fixture
def intake():
    return Intake()


def brought(intake, *groups, told=lambda *_: None):
    """Bring these in, each group while the one before is under way; what became of each."""

    async def bring():
        reception = Reception(intake, told)
        found = []
        for names in groups:
            found += [asyncio.create_task(reception.take(name.encode(), "unhcr")) for name in names]
            await asyncio.sleep(0)
            await asyncio.to_thread(intake.begun.wait, _PATIENCE)
        intake.may_end.set()
        return await asyncio.wait_for(asyncio.gather(*found, return_exceptions=True), _PATIENCE)

    return asyncio.run(bring())


def test_those_who_wait_go_together(intake):
    """R-WH1 While one is taken in the next ones gather; then these are taken at once, in the order they came in."""
    outcomes = brought(intake, "a", "bcdef")
    assert [["a"], list("bcdef")] == intake.given
    assert list("abcdef") == [outcome.id for outcome in outcomes]


def test_no_group_without_end(intake):
    """R-WH9 A flood is taken in by groups of a bounded size, so that the first ones needn't wait for the last."""
    names = [str(number) for number in range(200)]
    outcomes = brought(intake, ["a"], names)
    assert [1, 64, 64, 64, 8] == [len(group) for group in intake.given]
    assert names == [name for group in intake.given[1:] for name in group] == [outcome.id for outcome in outcomes[1:]]


def test_no_group_without_measure(intake):
    """R-WH5 Of large bodies fewer are taken in at once, and the largest alone, so that memory stays bounded."""
    names = [letter * size for letter, size in zip("abcdef", (900_000, 900_000, 900_000, 3_000_000, 5, 5), strict=True)]
    brought(intake, ["first"], names)
    assert [["first"], ["a", "b"], ["c"], ["d"], ["e", "f"]] == [
        [name if name == "first" else name[0] for name in group] for group in intake.given
    ]


def test_one_bad_among_good_ones(intake):
    """R-WH1 One body that is refused is so alone; only those that were kept are told, each with its own body."""
    told = []
    outcomes = brought(intake, "a", ["b", "bad", "c"], told=lambda *what: told.append(what))
    assert ["a", "b", "c"] == [outcome.id for outcome in outcomes if isinstance(outcome, Accepted)]
    assert isinstance(outcomes[2], Refusal)
    assert [("a", b"a"), ("b", b"b"), ("c", b"c")] == [(kept.id, body) for kept, (body, _) in told]


def test_all_fail_together(intake, monkeypatch):
    """R-WH2 When a group can't be kept, all of it are told so, and none that comes after."""
    take_each = intake.take_each

    def fail_first(bodies):
        monkeypatch.setattr(intake, "take_each", take_each)
        intake.begun.set()
        assert intake.may_end.wait(_PATIENCE)
        raise StoreError("the disk is full")

    monkeypatch.setattr(intake, "take_each", fail_first)
    outcomes = brought(intake, "ab", "cd")
    assert [StoreError, StoreError, "c", "d"] == [getattr(outcome, "id", type(outcome)) for outcome in outcomes]


def test_request_that_breaks_off(intake):
    """R-WH1 Who hangs up takes nothing back and nobody along: what was brought is kept, and the others are answered."""

    async def bring():
        reception = Reception(intake, lambda *_: None)
        first, second, third = (asyncio.create_task(reception.take(name, "unhcr")) for name in (b"a", b"b", b"c"))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        intake.may_end.set()
        return [(await third).id, (await reception.take(b"d", "unhcr")).id]

    assert ["c", "d"] == asyncio.run(asyncio.wait_for(bring(), _PATIENCE))
    assert ["a", "b", "c", "d"] == [name for group in intake.given for name in group]


def test_bodies_of_all_sorts_at_once(tmp_path):
    """R-WH2 R-WH8 Of what comes in at once each gets its own answer, and what is kept is told once in the log."""
    with Inbox(tmp_path) as inbox:
        names = [f"n{number}" for number in range(20)]
        good = [inbox.request({"type": "whole", "name": name}) for name in names]
        bad = [
            inbox.request(content=b"{"),
            inbox.request(content=b"\xff"),
            inbox.request({"type": "whole", "a": 1}, key="x"),
        ]
        answers = inbox.run([*good[:10], *bad, *good[10:], good[0]])
        assert [202] * 10 + [400, 400, 401] + [202] * 11 == [answer.status_code for answer in answers]
        ids = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        assert (20, ids[0]) == (len(set(ids)), ids[-1])
        assert sorted(ids) == sorted(line["message"] for line in inbox.told if "message" in line)
        kept = {unit.id: unit for unit in iter(lambda: inbox.store.claim(inbox.time, jobs=inbox.project.jobs), None)}
        states = [json.loads(inbox.vault.open(each.sealed, about=custody.about(each.id))) for each in kept.values()]
        assert sorted(names) == sorted(state["data"]["name"] for state in states)


def test_midnight_among_them(tmp_path, monkeypatch):
    """R-WH1 R-RT4 What was sealed just before the day's key is retired is sealed again, each by itself, and kept."""
    with Inbox(tmp_path) as inbox:
        inbox.post({"type": "whole", "name": "yesterday"})
        accept_each = inbox.store.accept_each

        def late(messages, **more):
            monkeypatch.setattr(inbox.store, "accept_each", accept_each)
            inbox.time += timedelta(days=1)
            custody.rotate(inbox.store, inbox.vault)
            return accept_each(messages, **more)

        monkeypatch.setattr(inbox.store, "accept_each", late)
        answers = inbox.run([inbox.request({"type": "whole", "name": str(number)}) for number in range(5)])
        assert [202] * 5 == [answer.status_code for answer in answers]
        custody.check(inbox.store, inbox.vault)
        assert 6 == len(inbox.store.messages())
        assert ["2026-03-02"] == inbox.store.pending_epochs()
