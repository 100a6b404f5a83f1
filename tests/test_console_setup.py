"""Set-up: how checks ended, schedules that are switched, and what can be read and taken along."""

import csv
import io
import re
from pathlib import Path

import pytest

from runner import project
from runner.console import plan
from runner.console.plan import Plan
from runner.logs.audit import CHECKLIST
from runner.logs.events import EVENTS, FIELDS
from runner.mapping.workbook import read
from tests.consoles import Console
from tests.kept import NOON

ROOT = Path(__file__).parent.parent
WHY = "the far side moves this weekend"


@pytest.fixture
def console(tmp_path):
    with Console(tmp_path / "data", plan=Plan(configuration="b2")) as console:
        yield console


@pytest.fixture(scope="module")
def shipped():
    """The plan of the project that comes with the bridge."""
    return plan.of(project.load(ROOT / "project.yaml"), "b2")


def paragraphs(text):
    """The paragraphs of a page, without their markup."""
    return [" ".join(re.sub(r"<.*?>", "", each).split()) for each in re.findall(r"<p[^>]*>(.*?)</p>", text, re.DOTALL)]


def test_nothing_was_checked(console):
    """Where nobody has checked anything, the page says so, and doesn't look as if all were well."""
    console.enter(role="viewer")
    told = paragraphs(console.get("/setup").text)
    assert {"There was none.", "Nobody has gone through it."} <= set(told)


@pytest.mark.parametrize(
    ("configuration", "told"),
    [("b2", "It was of what runs now."), ("a1", "It was of another configuration than what runs now.")],
)
def test_last_check(console, configuration, told):
    """The last check of the live systems stands there with its count, when, by whom, and whether of what runs now."""
    for code, count in (("passed", 0), ("failed", 3)):
        console.store.record("systems_checked", now=NOON, configuration=configuration, code=code, count=count)
    console.enter(role="viewer")
    shown = paragraphs(console.get("/setup").text)
    assert "Wrong: 3." in shown
    assert f"2026-03-01 12:00 UTC, by service. {told}" in shown


def test_unknown_configuration(tmp_path):
    """Where nobody can tell what runs, nothing is said to be of what runs."""
    with Console(tmp_path / "data") as console:
        console.store.record("systems_checked", now=NOON, code="passed", count=0)
        console.enter(role="viewer")
        assert "It was of what runs now." not in console.get("/setup").text


def test_last_golive(console):
    """The last go-live check stands there row by row, each result as a word."""
    rows = {**dict.fromkeys(CHECKLIST, "pass"), "K4": "needs_person", "K8": "fail"}
    console.store.record("golive_checked", now=NOON, configuration="b2", code="open", **rows)
    console.enter(role="viewer")
    text = console.get("/setup").text
    assert "Not all rows passed." in paragraphs(text)
    found = dict(re.findall(r'<th scope="row">(K\d)</th><td class="\w+">(.*?)</td>', text))
    assert {**dict.fromkeys(CHECKLIST, "pass"), "K4": "needs a person", "K8": "fail"} == found


def test_schedules(console):
    """Schedules stand there in words; an administrator switches them, is named for it, and the next page shows it."""
    console.enter(role="administrator")
    assert "At 02:30 every day (UTC)" in console.get("/setup").text
    answer = console.act("/setup/schedule", job="sort", switch="off", reason=WHY)
    assert (303, "/setup") == (answer.status_code, answer.headers["location"])
    assert f"Off since 2026-03-01 12:00 UTC: {WHY}" in paragraphs(console.get("/setup").text)
    assert {"sort"} == console.store.switched_off().keys()
    console.act("/setup/schedule", job="sort", switch="on", reason="it has moved")
    assert {} == console.store.switched_off()
    told = [(line.event, line.who) for line in console.store.audit_log() if line.event.startswith("schedule")]
    assert [("schedule_off", "amal (console)"), ("schedule_on", "amal (console)")] == told


@pytest.mark.parametrize(
    "fields",
    [
        {"job": "nobody"},
        {"reason": "because"},
        {"reason": "the child GAM-00000901"},
        {"switch": "on"},
        {"switch": "banana"},
        {"reason": ""},
    ],
    ids=str,
)
def test_what_cannot_be_switched(console, fields):
    """What can't be switched, or not for that reason, is refused, and nothing of what was typed comes back."""
    console.enter(role="administrator")
    answer = console.act("/setup/schedule", **{"job": "sort", "switch": "off", "reason": WHY, **fields})
    assert (400, {}) == (answer.status_code, console.store.switched_off())
    assert bool(fields.get("reason")) == ("Give a reason of 10 to 200 characters" in answer.text)
    assert "GAM-" not in answer.text


def test_only_administrators_see_the_form(console):
    """Others see the schedules, and no form to switch them."""
    console.enter(role="operator")
    text = console.get("/setup").text
    assert "At 02:30 every day (UTC)" in text
    assert 'action="/setup/schedule"' not in text


def test_mapping(tmp_path, shipped):
    """The specification is shown and taken along as the commands make it, with every exchange and value table."""
    with Console(tmp_path / "data", plan=shipped) as console:
        console.enter(role="viewer")
        page = console.get("/setup/mapping").text
        table, book = console.get("/setup/mapping.csv"), console.get("/setup/mapping.xlsx")
    jobs = {each.job for each in shipped.exchanges if each.rows}
    assert 5 <= len(jobs)
    assert jobs <= set(re.findall(r"<h2>(.*?)</h2>", page))
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert jobs == {row[0] for row in rows[1:]}
    assert sum(len(each.rows) for each in shipped.exchanges) == len(rows) - 1
    (tmp_path / "mapping.xlsx").write_bytes(book.content)
    assert len(re.findall("<h2>", page)) + 1 == len(read(tmp_path / "mapping.xlsx"))
    assert ['attachment; filename="mapping.csv"', 'attachment; filename="mapping.xlsx"'] == [
        each.headers["content-disposition"] for each in (table, book)
    ]
    assert {"nosniff"} == {each.headers["x-content-type-options"] for each in (table, book)}


def test_log_inventory(tmp_path):
    """All events and fields of the log stand there, with the ids that are shown as they are; the table has them too."""
    with Console(tmp_path / "data", plan=Plan(shown_ids=("case_id",))) as console:
        console.enter(role="viewer")
        page, table = console.get("/setup/log").text, console.get("/setup/log.csv").text
    assert {*EVENTS, *FIELDS} == set(re.findall(r'<th scope="row"><bdi>(.*?)</bdi></th>', page))
    assert "whosever they may be: case_id" in page
    assert set(EVENTS) <= {row[0] for row in csv.reader(io.StringIO(table))}
