"""The bell: threads that have nothing to do sleep until somebody rings, or until their time has come."""

import threading


class Bell:
    """Rung by whoever leaves something to do; each ring wakes one who sleeps.

    No ring is lost: who is about to sleep says how many rings it had `heard` before it looked round, and doesn't sleep
    when there was one since. `ended` is set by `stop`, after which nobody sleeps any more.

    >>> bell = Bell()
    >>> heard = bell.rings
    >>> bell.ring()
    >>> bell.wait(heard, seconds=60)  # returns at once
    """

    def __init__(self) -> None:
        self.rings = 0
        self.ended = threading.Event()
        self._rung = threading.Condition()

    def ring(self) -> None:
        """Wake one who sleeps. Who finds something to do rings in turn, so that as many wake as there is work for."""
        with self._rung:
            self.rings += 1
            self._rung.notify()

    def stop(self) -> None:
        """Wake all, for good; also from a signal handler."""
        self.ended.set()
        with self._rung:
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Sleep so long, or until it rings; not at all when it has rung since `heard`."""
        with self._rung:
            self._rung.wait_for(lambda: self.rings != heard or self.ended.is_set(), seconds)
