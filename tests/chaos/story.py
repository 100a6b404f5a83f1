"""What happened, step by step, as it is told when a seed fails."""

import threading
import time


class Story:
    """Lines with the seconds since the beginning; any thread may tell one."""

    def __init__(self):
        self._begun = time.monotonic()
        self._lines = []
        self._lock = threading.Lock()

    def seconds(self):
        """Since the beginning."""
        return time.monotonic() - self._begun

    def tell(self, text):
        """One line more."""
        with self._lock:
            self._lines.append(f"{self.seconds():6.2f} {text}")

    def lines(self):
        """All of them, in order."""
        with self._lock:
            return list(self._lines)
