"""What a run is held to: its time, and silence on standard output."""

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(BaseException):
    """The time is up. Not an Exception, so that no item can take it for a fault of its own."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise OutOfTime in the block when it takes longer. Only the main thread can be held to it.

    >>> with time_limit(60):
    ...     pass
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class DroppedLines(io.TextIOBase):
    """Where a job's `print` goes: its lines are counted and dropped, since they may hold data (H48).

    >>> import contextlib
    >>> with contextlib.redirect_stdout(DroppedLines()) as dropped:
    ...     print("a name")
    >>> dropped.count
    1
    """

    def __init__(self) -> None:
        self.count = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.count += text.count("\n")
        return len(text)
