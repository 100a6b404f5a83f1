"""The connections for queries: as many as there are readers at once, and each is kept for the next one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runner.store.connection import Link


class Readers:
    """Connections that are made by `connect` when they are wanted, until `close`."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._idle: list[Link] = []
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Link]:
        """A connection that nobody else uses while the block runs."""
        try:
            link = self._idle.pop()
        except IndexError:
            link = self._connect()
        try:
            yield link
        finally:
            self._give_back(link)

    def drop(self) -> None:
        """End those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """End those that nobody uses, and the others when they are given back."""
        self._closed = True
        self.drop()

    def _give_back(self, link: Link) -> None:
        if link.lost:
            self.drop()  # the others broke off with it
        link.close() if self._closed or link.lost else self._idle.append(link)
