"""Reports: a line for what needs a look, and nothing that could command a terminal."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from runner import outcome, report
from runner.errors import RunnerError, UnreadableFile
from runner.jobscript import JobScript

JOB = JobScript("referrals", Path("referrals.py"), "", ())


def lines(*outcomes, **more):
    return list(report.run_lines(outcome.settle(JOB, {"outcomes": list(outcomes), **more}, [])))


def test_summary_and_items():
    """There is a line for each outcome with its count, and one for each item that isn't done or unchanged."""
    refused = {
        "outcome": "refused",
        "ids": {"case_id": "c-1"},
        "code": "missing_fields",
        "message": "missing: sex",
        "fix": "Ask.",
        "operation": "require",
    }
    assert [
        "referrals: succeeded",
        "      2 done",
        "      1 refused",
        "item 2 of 3: refused · missing_fields · case_id=c-1 · require: missing: sex · fix: Ask.",
    ] == lines({"outcome": "done"}, refused, {"outcome": "done"})


def test_differences_are_told():
    """A good item that leaves something to tell has its line too."""
    assert (
        "item 1 of 1: unchanged · differs: sex, age" == lines({"outcome": "unchanged", "differs": ["sex", "age"]})[-1]
    )


def test_dry_run():
    """A dry run tells what would be sent by the names of its fields."""
    sending = {"system": "north", "action": "create case", "fields": ["age", "sex"]}
    assert ["referrals: succeeded, no items", "would send to north: create case (age, sex)"] == lines(dry_run=[sending])


def test_terminal_commands_are_harmless(capsys):
    """R-LG7: control characters in an id can't command the terminal or forge a line."""
    report.print_lines(["case_id=\x1b[2J\nitem 2 of 2: done"])
    report.print_error(RunnerError("case \x1b[2J", fix="Look.\r"))
    shown = capsys.readouterr()
    assert "case_id=?[2J?item 2 of 2: done\n" == shown.out
    assert "ERROR case ?[2J\n  fix: Look.?\n" == shown.err


def test_narrow_encoding(monkeypatch):
    """A terminal that lacks a script's letters shows their codes; a run that has sent must not end there."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "ascii"))
    report.print_lines(["ኘ·"])
    assert b"\\u1298\\xb7\n" == raw.getvalue()


@pytest.fixture
def full():
    """A stream onto a disk without room."""
    with open("/dev/full", "w") as stream:
        yield stream


def test_result_on_a_full_disk(monkeypatch, full):
    """A result that can't be written is an error; whoever asked takes an empty file for no answer otherwise."""
    monkeypatch.setattr("sys.stdout", full)
    with pytest.raises(UnreadableFile, match="the output can't be written: No space left on device"):
        report.print_lines(["nothing waits"])


def test_error_on_a_full_disk(monkeypatch, full):
    """An error that can't be told keeps its exit code."""
    monkeypatch.setattr("sys.stderr", full)
    report.print_error(RunnerError("the store can't be used", fix="Look."))


@pytest.mark.parametrize("words", [("list",), ("list", "--json")])
def test_exit_code_on_a_full_disk(words):
    """A command whose result and error can't be written ends with 2, never as if all were well."""
    with open("/dev/full", "w") as full:
        assert 2 == subprocess.run([sys.executable, "-m", "runner", *words], stdout=full, stderr=full).returncode
