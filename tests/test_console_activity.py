"""The console's Activity: runs and items by what is asked for, one run, and what became of a referral."""

import re
from dataclasses import replace

import pytest

from runner.store import ItemRecord, Parked
from tests.consoles import Console
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, unit

UNIT = "0123456789abcdef0123456789abcdef"
RUNS = [f"{number:032x}" for number in range(1, 4)]
NEW = "f" * 32
REFERRAL, CHILD, OTHER = "GAM-26-00901", "GAM-00000417", "GAM-00000999"
CANARY = "Nyaruot Beispiel"


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """A console with three runs about one referral, the last of them kept late, and a message that waits."""
    with Console(tmp_path_factory.mktemp("activity") / "data") as console:
        store = console.store
        post(store, "m1", unit(UNIT, subject=console.vault.keyed(CHILD)))
        failed = about(RUNS[0], "failed", "unreachable", unit_id=UNIT, outcome="failed", code="unreachable")
        failed = replace(failed, steps=(("get_cases", 0.25), ("each", 1.5)), error_type="Unreachable")
        store.try_again(claim(store), failed, due=NOON + HOUR, error=ERROR, now=NOON)
        parked = about(RUNS[1], "parked", "no_service", job="tell", outcome="needs_person", code="no_service")
        records = [Parked("tell", REFERRAL, {"id": REFERRAL}, "no_service", CANARY, f"About {REFERRAL}.")]
        store.settle_scheduled("tell", parked, parked=records, now=NOON)
        store.settle_scheduled("tell", about(RUNS[2], "done", None, job="tell", ended=NOON - DAY), now=NOON)
        post(store, "m2", unit(NEW, subject=console.vault.keyed(OTHER)))
        store.ledger().write("answer", REFERRAL, {"status": "done", "value": CANARY, "answer": {}})
        console.enter(role="viewer")
        yield console


def about(name, outcome, code, /, **more):
    """A run with one item about the referral."""
    item = ItemRecord(0, outcome, {"id": REFERRAL, "child": CHILD}, code, CANARY, f"Ask about {REFERRAL}.")
    return replace(run(name, **more), items=(item,))


def shown(text):
    """The runs that a page links to, in order."""
    return re.findall(r'href="/runs/(\w+)"', text)


def test_what_happened_to_a_referral(console):
    """By the number on paper: what was done by which job and run, what was sent, what waits and why."""
    text = console.act("/find", id=f" {REFERRAL} ").text
    assert [RUNS[2], RUNS[1], RUNS[0]] == shown(text)
    assert [] == [each for each in ("tell", "sort", "parked", "answer", "next try", UNIT) if each not in text]
    assert 'href="/settle/no_service"' in text


def test_what_waits_is_found_by_the_child(console):
    """A message that no run has begun is found by the number that its trigger calls the subject."""
    assert NEW in console.act("/find", id=OTHER).text


def test_the_number_stands_nowhere(console):
    """R-LG5 The number that somebody looks for stands in no page, title, address, header or log, other than keyed."""
    answers = [console.act("/find", id=wanted) for wanted in (REFERRAL, CHILD, f"{REFERRAL}x", "GAM-26-9")]
    assert [200, 200, 404, 404] == [answer.status_code for answer in answers]
    answers += map(console.get, ("/activity?of=items", "/activity.csv?of=items", f"/runs/{RUNS[0]}"))
    for answer in answers:
        told = str(answer.headers) + str(answer.url) + answer.text
        assert [] == [canary for canary in (REFERRAL, CHILD, "GAM-26-9", CANARY) if canary in told]
    keyed = f"keyed:{console.vault.keyed(REFERRAL)[:12]}"
    assert [] == [answer.url for answer in answers[:1] + answers[4:] if keyed not in answer.text]


def test_nobody_has_to_find_by_an_address(console):
    """What is looked for comes in a form: as part of an address it isn't taken."""
    assert 405 == console.get(f"/find?id={REFERRAL}").status_code


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", [2, 1, 0]),
        ("job=tell", [2, 1]),
        ("outcome=failed", [0]),
        ("code=no_service", [1]),
        ("since=2026-03-01", [1, 0]),
        ("until=2026-02-28", [2]),
        ("since=2026-02-28&until=2026-03-01&job=tell&code=no_service", [1]),
        ("of=items", [2, 1, 0]),
        ("of=items&outcome=parked", [1]),
        ("of=items&outcome=done&since=2026-02-28", [2]),
        ("of=items&code=unreachable&job=sort", [0]),
    ],
)
def test_what_is_asked_for(console, asked, expected):
    """Page and table show runs, or items, by job, outcome, code and day, the last day included; the form says so."""
    answer = console.get(f"/activity?{asked}")
    assert (200, [RUNS[number] for number in expected]) == (answer.status_code, shown(answer.text))
    lines = console.get(f"/activity.csv?{asked}").text.splitlines()[1:]
    assert [RUNS[number] for number in expected] == [re.search(r"0{31}\d", line)[0] for line in lines]
    for name, value in (pair.split("=") for pair in asked.split("&") if pair):
        assert re.search(rf'"{name}" (type="date" )?value="{value}"|<option( value="{value}")? selected>', answer.text)


@pytest.mark.parametrize(
    ("asked", "status"),
    [("since=yesterday", 400), ("until=0001-01-01", 400), ("since=2026-02-30", 400), ("until=9999-12-31", 400),
     ("job=other", 404), ("outcome=done", 404), ("of=items&outcome=succeeded", 404), ("code=nobody", 404),
     ("of=units", 404)],
)  # fmt: skip
def test_what_nothing_is_called_by(console, asked, status):
    """A word that nothing is called by, or a day that is none, is said to be so; nothing else is shown in its place."""
    answer = console.get(f"/activity?{asked}")
    assert (status, []) == (answer.status_code, shown(answer.text))
    assert asked.partition("=")[2] not in re.findall(r'value="([^"]*)"', answer.text)
    assert 404 == console.get(f"/activity.csv?{asked}").status_code


def test_a_run(console):
    """A run's page has its steps with their seconds, the class of the error, what the code means, and what to do."""
    text = console.get(f"/runs/{RUNS[0]}").text
    wanted = ("get_cases", "0.25", "each", "1.5", "Unreachable", "No connection to the far side.", "Nothing at first.")
    assert [] == [each for each in wanted if each not in text]
