"""Whose turn it is to write, among the threads of one process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """One at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False

    @contextmanager
    def one(self, unless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Be the only one while the block runs; False when that isn't needed any more.

        Whoever is done wakes all who wait: those for whom somebody else has done it leave, so that the next group is a
        large one.
        """
        ours = False
        try:
            with self._changed:
                self._changed.wait_for(lambda: unless() or not self._busy)
                ours = not unless()
                self._busy = self._busy or ours
            yield ours
        finally:
            if ours:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
