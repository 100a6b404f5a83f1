"""The registry of events: which values fit which class, and that the program writes what is declared, no more."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inboxes import Inbox

from runner.logs.events import ALWAYS, EVENTS, FIELDS, said

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Where the engine's modules may touch `logging`: one stops it, the adaptors' silence two libraries.
LOGGING = {"runner/logs/silence.py", "adaptors/__init__.py", "runner/mapping/workbook.py"}  # each to hush others


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("system-id", "GAM-26-PRTITV-0000901", "GAM-26-PRTITV-0000901"),
        ("system-id", "4f1c/2#7_a:b.c", "4f1c/2#7_a:b.c"),
        ("code", "not_allowed", "not_allowed"),
        ("code", "primero_to_progres.py", "primero_to_progres.py"),
        ("code", "2a", "2a"),
        ("count", 0, 0),
        ("duration", 1.23456, 1.235),
        ("duration", 2, 2.0),
        ("timestamp", NOON, "2026-03-01T12:00:00.000Z"),
        ("timestamp", "2026-03-01T15:00:00+03:00", "2026-03-01T12:00:00.000Z"),
    ],
)
def test_what_fits(kind, value, expected):
    """R-LG1 A value of its class is written as it is; times in UTC, durations in milliseconds."""
    assert expected == said(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("system-id", "Nyaruot", "(7 characters)"),
        ("system-id", "Nyaruot 7", "(9 characters)"),
        ("system-id", "7" * 81, "(81 characters)"),
        ("system-id", "", "(0 characters)"),
        ("system-id", 4711, "(a int)"),
        ("code", "Nyaruot Beispiel", "(16 characters)"),
        ("code", "Ñandú", "(5 characters)"),
        ("code", "2014-02-28", "(10 characters)"),
        ("code", "251911555777", "(12 characters)"),
        ("code", "x\n2026-03-01 service_stopped", "(28 characters)"),
        ("code", "\x1b[2J", "(4 characters)"),
        ("count", True, "(a bool)"),
        ("count", -1, "(a int)"),
        ("count", 251_911_555_777, "(a int)"),
        ("count", "7", "(1 characters)"),
        ("duration", float("nan"), "(a float)"),
        ("duration", "Nyaruot", "(7 characters)"),
        ("timestamp", datetime(2014, 2, 28), "(a datetime)"),
        ("timestamp", "2014-02-28", "(10 characters)"),
        ("timestamp", "Nyaruot", "(7 characters)"),
        ("timestamp", "9999-12-31T23:59:59-14:00", "(25 characters)"),
        ("duration", 10**400, "(a int)"),
        ("timestamp", ["Nyaruot"], "(a list)"),
    ],
)
def test_what_does_not_fit(kind, value, expected):
    """R-LG1 R-LG7 In place of what isn't of the field's class stands its length or its type, and nothing of it."""
    assert expected == said(kind, value)


ANYTHING = st.text() | st.binary() | st.floats() | st.integers() | st.datetimes(timezones=st.just(UTC)) | st.none()


@given(st.sampled_from(["system-id", "timestamp", "count", "code", "duration"]), ANYTHING)
def test_nothing_that_a_terminal_obeys(kind, value):
    """R-LG7 Whatever is given, what is written is one line of plain ASCII."""
    written = str(said(kind, value))
    assert written.isascii()
    assert written.isprintable()


def test_registry_is_whole():
    """R-LG1 R-LG8 Every field of an event is declared with its class; every declared field belongs to some event."""
    used = {field for event in EVENTS.values() for field in event.fields}
    assert used | {*ALWAYS, "left_out"} == FIELDS.keys()
    assert all("times" in event.fields for event in EVENTS.values() if event.rarely)


def calls():
    """Every call of a log's `write` in the engine: place, event names, names of the fields."""
    for path in sorted((ROOT / "runner").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "write":
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name in ("log", "_log"):
                    yield f"{path.name}:{node.lineno}", node.args[0], {word.arg for word in node.keywords if word.arg}


def test_what_is_written_is_declared():
    """R-LG1 Registry lint: each call names a declared event and fields that it has."""
    found = list(calls())
    assert len(found) > 20
    for place, event, fields in found:
        if isinstance(event, ast.Constant):
            assert event.value in EVENTS, place
            assert fields <= set(EVENTS[event.value].fields), place
        else:
            assert isinstance(event, ast.Call), f"{place}: an event is named where it is written"


def test_what_is_declared_is_written():
    """R-LG6 The inventory lists no event that the program doesn't write."""
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "runner").rglob("*.py") if path.name != "events.py")
    assert [] == [name for name in EVENTS if f'"{name}"' not in text]


@pytest.mark.parametrize("tower", ["runner", "adaptors"])
def test_no_log_beside_it(tower):
    """R-LG1 No module has a logger of its own, or a way to write free text into the log."""
    using = set()
    for path in (ROOT / tower).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {"logging", "syslog", "warnings", "traceback"} & {name.partition(".")[0] for name in names}:
                using |= {str(path.relative_to(ROOT))} if "traceback" not in names else set()
    assert using <= LOGGING


def test_health_tells_a_code(tmp_path):
    """R-LG8 What health tells everybody is a code of the registry's class, whatever was posted; no id, no count."""
    with Inbox(tmp_path) as inbox:
        assert 202 == inbox.post({"type": "whole", "name": "Nyaruot Beispiel"}).status_code
        told = inbox.post(key="", path="/healthz", method="GET").json()
    assert {"status": said("code", told["status"])} == told
