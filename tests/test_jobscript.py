"""Job scripts: what is refused before anything runs, and how mistakes in them are told."""

import sys

import pytest

from runner import jobscript
from runner.errors import InvalidJob, UnreadableFile

GOOD = '''"""Carries referrals.

More words.
"""

from adaptors import north
from adaptors.south import send
from adaptors.common import each
import adaptors.http


def step(state):
    return state


operations = [step]
'''
STEP = '"""A job."""\n\n\ndef step(state):\n    return state\n\n\n'


def write(folder, text):
    path = folder / "referrals.py"
    path.write_text(text)
    return path


def test_loading(tmp_path):
    """A script gives a name, its first line and its operations, and leaves no module behind."""
    before = set(sys.modules)
    job = jobscript.load(write(tmp_path, STEP + "operations = [step]\n"))
    assert ("referrals", "A job.", 1) == (job.name, job.summary, len(job.operations))
    assert {"data": 1} == job.operations[0]({"data": 1})
    assert before == set(sys.modules)


def test_reading_without_running(tmp_path):
    """The first line and the systems are read without running the script, whose imports may cost much."""
    path = write(tmp_path, GOOD)
    assert "Carries referrals." == jobscript.summary(path)
    assert ["north", "south"] == jobscript.systems(path)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("CODES = {\n    'a': 1,\n    'b': 2,\n    'a': 3,\n}\n", "line 11: the key 'a' is written twice in CODES"),
        ("CODES: dict = {'x': {'a': 1, 'a': 1}}\n", "line 8: the key 'a' is written twice in CODES"),
        ("print({1: 1, 1: 2})\n", "line 8: the key 1 is written twice in a table"),
        ("CODES = {'Ünsäglich <b>': 1, 'Ünsäglich <b>': 2}\n", "line 8: the key is written twice in CODES"),
    ],
)
def test_key_written_twice(tmp_path, table, complaint):
    """H31: a table with a key written twice is refused when the job is loaded, with line and table."""
    with pytest.raises(InvalidJob, match=complaint):
        jobscript.load(write(tmp_path, STEP + table + "operations = [step]\n"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def step(state):\n    return state\noperations = [step]\n", "has no docstring"),
        (STEP, "has no list operations"),
        (STEP + "operations = []\n", "has no list operations"),
        (STEP + "operations = (step,)\n", "has no list operations"),
        (STEP + "operations = [step, 'step']\n", "operation 2 is a str"),
        (STEP + "operations = [stop]\n", "line 8: NameError$"),
        (STEP + "import runner_has_no_such_module\n", "line 8: ModuleNotFoundError"),
        (STEP + "raise SystemExit(3)\n", "line 8: SystemExit$"),
        (STEP + "raise GeneratorExit\n", "line 8: GeneratorExit$"),
        ('"""A job."""\n\noperations = [step\n', "line 3: '\\[' was never closed"),
        ('"""A job."""\n\x00', "referrals.py"),
    ],
)
def test_what_is_refused(tmp_path, text, complaint):
    """A script that can't be a job is refused with its file and, where there is one, the line."""
    with pytest.raises(InvalidJob, match=complaint) as caught:
        jobscript.load(write(tmp_path, text))
    assert "referrals.py" in str(caught.value)
    assert caught.value.fix


def test_fix_of_what_the_script_raises(tmp_path):
    """What the vocabulary refuses while the script is loaded keeps its own fix."""
    refuse = "error = TypeError('no lambda')\nerror.code, error.fix = 'job_script', 'Use derive.'\n\nraise error\n"
    text = STEP + refuse
    with pytest.raises(InvalidJob, match=r"referrals\.py, line 11: TypeError: no lambda") as caught:
        jobscript.load(write(tmp_path, text))
    assert "Use derive." == caught.value.fix


@pytest.mark.parametrize("raised", ["ValueError", "KeyError", "SystemExit", "BaseException"])
def test_text_of_what_the_script_raises(tmp_path, raised):
    """H41 The text of an error that isn't made to be shown is told of no script, as it is told of no record."""
    with pytest.raises(InvalidJob) as caught:
        jobscript.load(write(tmp_path, f"{STEP}raise {raised}('Nyaruot')\n"))
    assert f"referrals.py, line 8: {raised}" == str(caught.value)


def test_interrupted_while_loading(tmp_path):
    """Who interrupts the runner while a script is loaded isn't told that the script is wrong."""
    with pytest.raises(KeyboardInterrupt):
        jobscript.load(write(tmp_path, f"{STEP}raise KeyboardInterrupt\n"))


def test_missing_script(tmp_path):
    """A script that isn't there can't be read."""
    with pytest.raises(UnreadableFile):
        jobscript.load(tmp_path / "missing.py")
