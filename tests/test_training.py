"""The folder that `runner demo --keep` leaves, the exercises of docs/training.md in it, and how its day goes on."""

import json
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from pages import DOCS, ROOT, text_of

from runner.cli import main
from runner.commands.demo import practice
from runner.commands.demo.day import LASTS
from runner.commands.demo.kept import Kept
from runner.errors import WrongUse
from runner.store import Store

PAGE = DOCS / "training.md"
LONG = 120  # seconds
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ID = re.compile(r"^[0-9a-f]{32}", re.MULTILINE)
# What is another in every folder: times, fingerprints and ids, keys, numbers of audit entries, and the room between.
ALIKE = (
    (r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|\+00:00))?", "TIME"),
    (r"\b(?=\w*\d)[0-9a-f]{8,}\b", "ID"),
    (r"^\d+ ", "N "),
    (r" +", " "),
    (r" +$", ""),
)


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A kept folder, and what the command told of it; only this one is made."""
    folder = tmp_path_factory.mktemp("training") / "practice"
    command = [sys.executable, "-m", "runner", "demo", "--keep", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)
    assert [0, ""] == [done.returncode, done.stderr]
    return folder, json.loads(done.stdout)


@pytest.fixture
def folder(left, tmp_path):
    """A copy of the kept folder, of a test's own."""
    return Path(shutil.copytree(left[0], tmp_path / "practice"))


def test_a_day_is_left(left):
    """The folder holds a day of all four exchanges: done and refused, parked, dead, quarantined, and one that waits;
    no byte of a child is in what the service wrote, and each kind of account is there."""
    folder, told = left
    with Store.open(folder / "data") as store:
        runs = store.runs(1000)
        units = {unit.status for unit in store.units(limit=1000)}
        exchanges = {run.job for run in runs if run.outcome in ("succeeded", "needs_person")}
        newest, oldest = runs[0].started, runs[-1].started

    assert {"pending", "succeeded", "parked", "dead"} <= units
    assert {
        "progres_to_primero", "primero_decisions_to_progres", "primero_to_progres", "progres_decisions_to_primero",
        "progres_referral_given_up",
    } == exchanges  # fmt: skip
    assert LASTS - timedelta(minutes=10) <= newest - oldest < LASTS + timedelta(hours=1)
    assert {"operator (console)"} == {line["who"] for line in audited(folder, "discarded")}
    assert 0 == told["search"]["bytes_found"]
    assert 15 <= told["search"]["children"]
    assert ["viewer", "operator", "administrator"] == [account["role"] for account in told["accounts"]]
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def audited(folder, event):
    """The entries of one event in the audit log."""
    command = [sys.executable, "-m", "runner", "audit", "show", "--event", event, "--json"]
    return json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)["entries"]


def exercises():
    """The blocks of the page from the first exercise on: the commands of each, and the outputs that follow."""
    found = []
    for kind, text in BLOCK.findall(text_of(PAGE).partition("## 1.")[2]):
        if kind == "sh":
            found.append((text.splitlines(), []))
        else:
            found[-1][1].append(text)
    return found


def alike(text):
    """A text without what is another in every folder."""
    for pattern, instead in ALIKE:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


def test_each_exercise_goes_as_the_page_says(folder, monkeypatch, capsys):
    """Every command of the course works in the kept folder, one after the other, and shows what the page shows."""
    monkeypatch.chdir(folder)
    printed = ""
    for commands, outputs in exercises():
        before, printed = printed, ""
        for command in commands:
            ids = ID.findall(printed or before)
            words = [ids[0] if word == "ID" else word for word in shlex.split(command)]
            assert "runner" == words[0]
            assert main(words[1:]) in (0, 4), command
            printed += capsys.readouterr().out
        for output in outputs:
            assert alike(output).strip("\n") in alike(printed), commands


def test_an_output_that_differs_is_noticed():
    """The comparison overlooks ids and times, and nothing else."""
    assert alike("2a73a8bb6e5f  2026-03-02T10:00:00Z  dead\n") == alike("91b6d0a4c6ab 2026-11-23T15:00:00Z dead\n")
    assert alike("a  1 dead") != alike("a  2 dead")
    assert 15 == len(exercises())


def test_each_question_has_an_answer():
    """The quiz has as many answers as questions."""
    quiz = text_of(PAGE).partition("## Quiz")[2]
    questions, answers = (re.findall(r"^(\d+)\. \S", part, re.MULTILINE) for part in quiz.split("### Answers"))
    assert ["1", "2", "3", "4", "5", "6", "7", "8"] == questions == answers


def test_the_day_goes_on(folder):
    """`--resume` runs the service of the folder with its console, tries what waits, and ends in order with Ctrl-C; the
    far sides hold what they held, and are kept again."""
    held = cases(folder)
    command = [sys.executable, "-m", "runner", "demo", "--resume", str(folder), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as resumed:
        told = json.loads(resumed.stdout.readline())
        with urllib.request.urlopen(f"{told['console']}/", timeout=LONG) as page:
            assert 200 == page.status
        resumed.send_signal(signal.SIGINT)
        assert 0 == resumed.wait(LONG)

    assert held <= cases(folder)
    assert 2 == len(audited(folder, "service_stopped"))


def cases(folder):
    """The cases that Primero holds, by their ids."""
    return {case["id"] for case in Kept.of(folder).holdings["cases"]}


def test_nothing_is_overwritten(tmp_path):
    """A folder that isn't empty is refused, and so is going on with one that no day was left in."""
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(WrongUse, match="isn't empty"):
        practice.keep(tmp_path, ROOT / "project.yaml", as_json=True)
    with pytest.raises(WrongUse, match="can't be used"):
        practice.keep(tmp_path / "letter.txt", ROOT / "project.yaml", as_json=True)
    with pytest.raises(WrongUse, match="none that was kept"):
        practice.resume(tmp_path, as_json=True)
    assert [Path("letter.txt")] == [path.relative_to(tmp_path) for path in tmp_path.rglob("*")]
