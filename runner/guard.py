"""What a run is held to: its time, and silence on standard output."""

import ctypes
import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class OutOfTime(BaseException):
    """The time is up. Not an Exception, so that no item can take it for a fault of its own."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise OutOfTime in the block when it takes longer.

    In the main thread it comes at once; in another, after the call that waits for the network.

    >>> with time_limit(60):
    ...     pass
    """
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread():
        with _alarm(seconds):
            yield
    else:
        with _timer(seconds):
            yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _timer(seconds: float) -> Iterator[None]:
    """Signals reach the main thread only; another is told by way of the interpreter."""
    thread, turn, over = threading.get_ident(), threading.Lock(), threading.Event()

    def ring() -> None:
        with turn:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with turn:
            over.set()
        timer.cancel()


@dataclass
class DroppedLines:
    """How many lines a run has printed: they are counted and dropped, since they may hold data (H48)."""

    count: int = 0


class _Silence(io.TextIOBase):
    """Standard output as long as any run goes on. It is one for all threads, so the last run to end gives it back."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._runs: list[DroppedLines] = []
        self._before = sys.stdout

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for run in tuple(self._runs):
            run.count += text.count("\n")
        return len(text)

    def begin(self) -> DroppedLines:
        with self._turn:
            if not self._runs:
                self._before, sys.stdout = sys.stdout, self
            self._runs.append(DroppedLines())
            return self._runs[-1]

    def end(self, ended: DroppedLines) -> None:
        with self._turn:
            self._runs = [run for run in self._runs if run is not ended]
            if not self._runs:
                sys.stdout = self._before


_silence = _Silence()


@contextmanager
def silence() -> Iterator[DroppedLines]:
    """Drop what is printed on standard output in the block, and count it; runs at the same time count each other's.

    >>> with silence() as dropped:
    ...     print("a name")
    >>> dropped.count
    1
    """
    dropped = _silence.begin()
    try:
        yield dropped
    finally:
        _silence.end(dropped)
