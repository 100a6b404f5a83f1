"""The console's Inbox: what waits, what is tried again, what no job waits for, never what is in it; and its keys."""

import json
import re

import pytest

from runner import keys
from tests.consoles import Console
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, unit

CANARY = "Nyaruot Beispiel"
FIRST, SECOND = "1" * 32, "2" * 32


@pytest.fixture
def console(tmp_path):
    """A console with a message that is tried again, one that waits, and one that no job waits for."""
    with Console(tmp_path / "data") as console:
        post(console.store, "m1", unit(FIRST))
        post(console.store, "m2", unit(SECOND), now=NOON + HOUR)
        again = run("r1", unit_id=FIRST, outcome="failed", code="unreachable")
        console.store.try_again(claim(console.store), again, due=NOON + DAY, error=ERROR, now=NOON)
        console.intake().take(json.dumps({"type": "unheard of", "name": CANARY}).encode(), "dtp")
        keys.create(console.store, "unhcr", now=NOON)
        yield console


def part(text, heading):
    """What stands under a heading."""
    return re.search(rf"<h2>{heading}</h2>(.*?)(<h2>|</main>)", text, re.DOTALL)[1]


def cells(text, name):
    """The row of a table that begins with a name."""
    row = re.search(rf"<tr><td><bdi>{name}.*?</tr>", text, re.DOTALL)[0]
    return re.findall(r"<td>(?:<a[^>]*>)?(?:<bdi>)?([^<]*)", row)


def test_what_waits(console):
    """What is tried again tells when and why; what waits, since when, and whose key it bore; the longest first."""
    console.enter(role="viewer")
    text = console.get("/keys").text
    told = [FIRST, "sort", "m1", "unhcr", "100", "2026-03-01 12:00 UTC", "1", "2026-03-02 12:00 UTC", "unreachable"]
    assert told == cells(part(text, "Tried again"), FIRST)
    assert [FIRST, SECOND] == re.findall(r"<tr><td><bdi>(\w{32})", part(text, "Waiting, the longest first"))
    assert ["m2", "0", "-"] == [cells(text, SECOND)[column] for column in (2, 6, 8)]


def test_nothing_of_what_was_posted(console):
    """R-LP6 No message's content stands on the page; its size, key, arrival and end do."""
    console.enter(role="operator")
    text = console.get("/keys").text
    assert re.search(r"\d+ bytes from dtp, arrived 2026-03-01 12:00 UTC, erased on 2026-03-08 12:00 UTC", text)
    assert CANARY not in text
    assert "unheard of" not in text


def test_who_may_do_what(console):
    """A viewer looks; an operator also retries and discards; an administrator also sees to the keys."""
    console.enter(role="viewer")
    found = {"viewer": forms(console.get("/keys").text)}
    for role in ("operator", "administrator"):
        console.enter(name=role, role=role)
        found[role] = forms(console.get("/keys").text)
    assert {"viewer": set(), "operator": {"/retry", "/discard"},
            "administrator": {"/retry", "/discard", "/keys/rotate", "/keys/revoke"}} == found  # fmt: skip


def forms(text):
    return set(re.findall(r'action="([^"]+)"', text)) - {"/leave", "/language"}


def test_no_more_than_fits(console, monkeypatch):
    """Of what there is very much, the page shows so much as can be looked at."""
    monkeypatch.setattr("runner.console.keys._SHOWN", 1)
    console.enter(role="viewer")
    text = console.get("/keys").text
    assert (FIRST in text, SECOND in text) == (True, False)
