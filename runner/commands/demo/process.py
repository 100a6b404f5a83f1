"""A process that says in one line of JSON when it is ready, and that is gone when its block ends, whatever happened."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from runner.errors import RunnerError

_LONGEST_START = 60.0  # seconds
_LONGEST_STOP = 60.0  # seconds


@dataclass(frozen=True)
class Process:
    """One that runs; `told` is what it said when it was ready."""

    told: dict[str, Any]
    running: "subprocess.Popen[str]"

    def stop(self) -> int:
        """SIGTERM; gives its exit code. It is killed when it takes too long, and the code is -9."""
        self.running.terminate()
        try:
            return self.running.wait(_LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self.running.kill()
            return self.running.wait()


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM is as Ctrl-C, so that no process is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def process(command: Sequence[str], *, says: Path, temporary: Path) -> Iterator[Process]:
    """Start a command; what it writes to standard error goes to the file `says`, its temporary files to a folder.

    Raises RunnerError with the last line of that file where it ends, or isn't ready after a minute.
    """
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with says.open("ab") as file:
        running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, text=True, env=environment,
            process_group=0,  # a Ctrl-C is for us alone: we end the others, in order
        )  # fmt: skip
    with running:
        try:
            started = Process(_first_line(running, says), running)
            try:
                yield started
            finally:
                started.stop()
        finally:
            running.kill()


def _first_line(running: "subprocess.Popen[str]", says: Path) -> dict[str, Any]:
    assert running.stdout
    impatience = Timer(_LONGEST_START, running.kill)
    impatience.start()
    try:
        line = running.stdout.readline()
    finally:
        impatience.cancel()
    if not line:
        words = " ".join(map(str, running.args[1:4])) if isinstance(running.args, list) else "the process"
        last = says.read_text("utf-8", "replace").strip().rpartition("\n")[2]
        raise RunnerError(f"{words} did not start: {last}", fix="Run make setup, then make demo again.")
    told: dict[str, Any] = json.loads(line)
    return told
