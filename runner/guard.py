"""What a run is held to: its time; and what ends it from outside."""

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ending(BaseException):
    """An end from outside of the job. Not an Exception, so that no item can take it for a fault of its own."""


class OutOfTime(Ending):
    """The time is up."""


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
