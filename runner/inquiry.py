"""An inquiry: another program is run in bounded time and memory, and what it says on standard output is read.

It gets no input, and its standard error is dropped. Whatever it started ends with it when it takes too long.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, cast

_MOST = 1 << 20  # bytes


@dataclass(frozen=True)
class Said:
    """How a program ended: with an exit code (None where it has none), and what it said. `trouble` is for people."""

    code: int | None
    output: bytes = field(default=b"", repr=False)
    trouble: str = ""


def ask(command: Sequence[str], *, seconds: float) -> Said:
    """Run a program to its end, or until it has taken too long.

    >>> ask(["printf", "3"], seconds=10).output
    b'3'
    >>> ask(["./nowhere"], seconds=10).trouble
    "it can't be started: No such file or directory"
    """
    try:
        # A session of its own, so that all it starts can be ended with it.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return Said(None, trouble=f"it can't be started: {error.strerror}")
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    alarm = threading.Timer(seconds, end)
    alarm.start()
    with process:
        try:
            said = cast(IO[bytes], process.stdout)
            output = said.read(_MOST)
            said.close()  # a program that says more is ended by that
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            alarm.cancel()
            alarm.join()  # while the process's number is still its own
    if late.is_set():
        return Said(None, trouble=f"it took longer than {seconds:g} s")
    return Said(process.returncode, output, f"exit code {process.returncode}")
