"""Whose turn it is at a child, among the threads of one process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Subjects:
    """One thread at a time is at a subject; the others wait.

    The store gives out the next unit of a subject as soon as the one before is written down, which is a moment before
    whoever wrote it has let go of the subject. Who comes in that moment waits for it; the store's lock, which doesn't
    let anybody wait, is for those who are at it for long, such as a run by hand.

    >>> with Subjects().one("a3f1"):
    ...     pass
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work: set[str] = set()

    @contextmanager
    def one(self, subject: str) -> Iterator[None]:
        """Be the only one at this subject while the block runs."""
        with self._changed:
            self._changed.wait_for(lambda: subject not in self._at_work)
            self._at_work.add(subject)
        try:
            yield
        finally:
            with self._changed:
                self._at_work.remove(subject)
                self._changed.notify_all()
