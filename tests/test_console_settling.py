"""The console's To settle: each cause in words, the oldest of it first, and what no job waited for routed anew."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from runner.console import settling
from runner.project import Job
from runner.store import ItemRecord, Parked
from runner.triggers import Trigger
from tests.consoles import Console
from tests.kept import DAY, HOUR, NOON, claim, post, run, unit

REFERRAL, CANARY = "GAM-26-00901", "Nyaruot Beispiel"
UNIT = "0123456789abcdef0123456789abcdef"
MESSAGE = {"type": "late", "name": CANARY, "referral": REFERRAL}
LATE = Job("late", Path("late.py"), (Trigger("late", "message", {"type": "late"}),))


@pytest.fixture
def console(tmp_path):
    with Console(tmp_path / "data") as console:
        console.enter(role="operator")
        yield console


def park(console, *records, code="no_service"):
    """Park records, one an hour."""
    for hours, record in enumerate(records):
        parked = Parked("sort", record, {"id": record}, code, CANARY, "Add the service.")
        done = replace(run(f"r-{code}-{record}"), items=())
        console.store.settle_scheduled("sort", done, parked=[parked], now=NOON + hours * HOUR)


def quarantine(console, *messages):
    """Post messages that no job waits for; their ids."""
    return [console.intake().take(json.dumps(message).encode(), "unhcr").id for message in messages]


def ids(text):
    """The ids of what a page can retry, in order."""
    return re.findall(r'action="/retry">.*?name="id" value="([^"]+)"', text)


def test_a_cause_in_words(console):
    """Each cause says what it means and what to do, on the page itself, and how many there are since when."""
    park(console, "c-1", "c-2")
    for path in ("/settle", "/settle/no_service"):
        text = console.get(path).text
        assert "The referral is of the whole case, or of a service that is gone." in text
        assert "Let the caseworker refer one service" in text
    assert "parked: 2; the oldest since 2026-03-01 12:00 UTC" in console.get("/settle").text


def test_a_code_of_a_jobs_own(console):
    """What only a job script can know is said to be so."""
    park(console, "c-1", code="our_own")
    assert "A code of the job script" in console.get("/settle/our_own").text


def test_the_oldest_come_first(console, monkeypatch):
    """However many there are, the oldest are shown, and what comes meanwhile takes nobody's place."""
    monkeypatch.setattr(settling, "_SHOWN", 2)
    park(console, "c-1", "c-2", "c-3")
    shown = ids(console.get("/settle/no_service").text)
    assert [console.vault.keyed(f"sort/c-{number}") for number in (1, 2)] == shown
    park(console, *[f"c-{number}" for number in range(4, 7)])
    assert 303 == console.act("/retry", id=shown[1], code="no_service").status_code
    assert ["c-2"] == console.store.revisit("sort")


def test_what_a_job_has_parked(console):
    """Of a message that its job has parked, the last run tells which record it was, and what to do."""
    post(console.store, "m1", unit(UNIT))
    item = ItemRecord(0, "parked", {"referral": REFERRAL}, "ambiguous", CANARY, f"Merge the cases of {REFERRAL}.")
    parked = replace(run("r1", unit_id=UNIT, outcome="needs_person", code="ambiguous"), items=(item,))
    console.store.park(claim(console.store), parked, expires=NOON + DAY, now=NOON)
    text = console.get("/settle/ambiguous").text
    keyed = f"keyed:{console.vault.keyed(REFERRAL)[:12]}"
    assert [UNIT] == ids(text)
    assert [] == [each for each in (f"referral {keyed}", "Merge the cases of") if each not in text]
    assert [] == [canary for canary in (REFERRAL, CANARY) if canary in text]


def test_what_no_job_waited_for(console):
    """H37 A message that no job waited for is routed anew by a person, once there is one; until then it stays."""
    first, second = quarantine(console, MESSAGE, {"type": "unheard of"})
    assert "/keys" == console.get("/settle/quarantined").headers["location"]
    assert (
        "No job waits for them yet, or they are more than a message may be: 1" in console.act("/retry", id=first).text
    )
    assert ["quarantined"] * 2 == [console.store.message(each).status for each in (first, second)]
    console.jobs = (*console.jobs, LATE)
    text = console.act("/retry-all", code="quarantined").text
    assert "A job has them now: 1." in text
    assert CANARY not in text
    assert ["pending", "quarantined"] == [console.store.message(each).status for each in (first, second)]
    assert [("amal (console)", first)] == [
        (line.who, line.about["id"]) for line in console.store.audit_log(event="retried")
    ]


def test_what_has_a_job_already(console):
    """A message that isn't quarantined any more is routed nowhere again."""
    (message,) = quarantine(console, MESSAGE)
    console.jobs = (*console.jobs, LATE)
    assert [200, 404] == [console.act("/retry", id=message).status_code for _ in range(2)]
    assert 1 == len(console.store.units(message=message))


def test_a_message_is_given_up(console):
    """A message that no job waits for is discarded with a reason, and its payload is gone."""
    (message,) = quarantine(console, MESSAGE)
    assert 303 == console.act("/discard", id=message, reason="posted by mistake").status_code
    assert ("discarded", None) == (console.store.message(message).status, console.store.envelope(message))
