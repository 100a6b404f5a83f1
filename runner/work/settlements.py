"""Settling: what a run did is written down, sooner or later, however often the store refuses."""

from collections import deque
from collections.abc import Callable

from runner.errors import EpochRetired, StoreError, TakenOver

Settle = Callable[[], None]


class Settlements:
    """What runs left to be written down. While the store refuses, it is kept here, and nothing is run twice for it;
    after a kill the store itself knows that the work was begun, and it is done again."""

    def __init__(self) -> None:
        self._owed: deque[Settle] = deque()

    def settle(self, write: Settle) -> None:
        """Write down what a run did. Raises StoreError when the store refuses; then `catch_up` tries again."""
        try:
            _written(write)
        except TakenOver:
            raise  # it is somebody else's to settle now
        except StoreError:
            self._owed.append(write)
            raise

    def catch_up(self) -> bool:
        """Write down one thing that the store refused before; False when there is none. Raises StoreError."""
        try:
            write = self._owed.popleft()
        except IndexError:
            return False
        self.settle(write)
        return True


def _written(write: Settle) -> None:
    try:
        write()
    except EpochRetired:  # a hand-over was sealed just as the day ended; by now there is a new key
        write()
