"""Errors that nobody caught: class and place are told, in every thread and until the very end, never their text."""

import subprocess
import sys

import pytest

from runner.logs.faults import place_of, told

CANARY = "Nyaruot Beispiel"

WATCHED = f"""
import asyncio, sys, threading
from runner.logs import faults
faults.watch(lambda error: print(faults.told(error)))
name = {CANARY!r}

class Cleared:
    def __del__(self):
        raise KeyError(name)

def fail():
    raise ValueError(name)
"""


def test_place():
    """H41 Of an error its class, file and line are told; of one without a traceback, its class."""
    with pytest.raises(ValueError, match=CANARY) as caught:
        raise ValueError(CANARY)
    place = place_of(caught.value)
    assert ("ValueError", "test_faults.py", True) == (place["type"], place["file"], place["line"] > 0)
    assert told(caught.value).startswith("ValueError in test_faults.py, line ")
    assert "ValueError" == told(ValueError(CANARY))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("fail()", "ValueError in <string>"),
        ("threading.Thread(target=fail).start()", "ValueError in <string>"),
        ("Cleared()", "KeyError in <string>"),
        ("kept = Cleared()", ""),
        ("raise BaseException(name)", "BaseException in <string>"),
        ("raise ExceptionGroup(name, [ValueError(name)])", "ExceptionGroup in <string>"),
        ("sys.exit(3)", ""),
    ],
    ids=["main thread", "thread", "object cleared", "cleared at the end", "base", "group", "exit"],
)
def test_what_nothing_catches(script, expected):
    """H41 R-ER9 Whatever ends a process, a thread or an object, no text of the error is shown."""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", WATCHED + script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert CANARY not in ended.stdout + ended.stderr
    assert expected in ended.stdout
