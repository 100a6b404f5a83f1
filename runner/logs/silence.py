"""Silence: what jobs and libraries print or log is dropped and counted, since it may hold data (H48, R-LG2, R-LG4)."""

import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

_STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")


@dataclass
class DroppedLines:
    """How many lines a run has printed or logged."""

    count: int = 0


class _Silence(io.TextIOBase):
    """Stands in for the streams, and for all loggers, as long as any run goes on.

    It is one for all threads, so the last run to end gives everything back. Loggers are stopped at the one place that
    every record passes, since levels and handlers can be set by anybody.
    """

    encoding = "utf-8"

    def __init__(self) -> None:
        self.buffer = _Bytes(self)
        self._turn = threading.Lock()
        self._runs: list[DroppedLines] = []
        self._before: list[tuple[Any, str, Any]] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.drop(text.count("\n"))
        return len(text)

    def drop(self, lines: int) -> None:
        for run in tuple(self._runs):
            run.count += lines

    def begin(self) -> DroppedLines:
        with self._turn:
            if not self._runs:
                self._replace()
            self._runs.append(DroppedLines())
            return self._runs[-1]

    def end(self, ended: DroppedLines) -> None:
        with self._turn:
            self._runs = [run for run in self._runs if run is not ended]
            if not self._runs:
                for owner, name, before in self._before:
                    setattr(owner, name, before)

    def _replace(self) -> None:
        replaced: list[tuple[Any, str, Any]] = [(sys, name, self) for name in _STREAMS]
        replaced.append((logging.Logger, "handle", lambda _logger, _record: self.drop(1)))
        self._before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
        for owner, name, substitute in replaced:
            setattr(owner, name, substitute)


class _Bytes(io.RawIOBase):
    """What is written to a stream's `buffer`."""

    def __init__(self, silence: _Silence) -> None:
        self._silence = silence

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._silence.drop(bytes(data).count(b"\n"))
        return len(data)


_silence = _Silence()


@contextmanager
def silence() -> Iterator[DroppedLines]:
    """Drop what is printed or logged in the block, and count it; runs at the same time count each other's.

    >>> with silence() as dropped:
    ...     print("a name")
    ...     logging.error("a name")
    >>> dropped.count
    2
    """
    dropped = _silence.begin()
    try:
        yield dropped
    finally:
        _silence.end(dropped)


@contextmanager
def aloud() -> Iterator[DroppedLines]:
    """Show what is printed in the block, on standard error, so that a report on standard output stays whole."""
    with redirect_stdout(sys.stderr):
        yield DroppedLines()


@contextmanager
def closed_descriptors() -> Iterator[None]:
    """Let standard output and error lead nowhere in the block, also for what writes to them below Python's streams."""
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        os.close(nowhere)
        for number, before in kept.items():
            os.dup2(before, number)
            os.close(before)
