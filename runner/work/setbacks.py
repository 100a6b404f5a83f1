"""A clock that was set back: noticed by the times that were seen before, so that nothing waits until it catches up."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

# Clocks are corrected by less every day, and what waits a minute longer for it is no harm.
_CORRECTED = timedelta(minutes=1)


class Setbacks:
    """Compares the time with the newest that was seen; `newest` is what the store knows of the time before the start.

    `mend` is given the time, now that it is right, and by how much it was set back. While it raises, it is called again
    at each look.

    >>> noon, mended = datetime(2026, 3, 1, 12), []
    >>> setbacks = Setbacks(noon, mend=lambda now, by: mended.append(by))
    >>> setbacks.look(noon - timedelta(hours=5))
    >>> setbacks.look(noon - timedelta(hours=4))
    >>> mended
    [datetime.timedelta(seconds=18000)]
    """

    def __init__(self, newest: datetime, *, mend: Callable[[datetime, timedelta], None]) -> None:
        self._newest = newest
        self._mend = mend
        self._looking = threading.Lock()

    def look(self, now: datetime) -> None:
        """Notice it when the clock was set back by more than a minute. Raises StoreError."""
        with self._looking:
            if self._newest - now > _CORRECTED:
                self._mend(now, self._newest - now)
                self._newest = now
            self._newest = max(self._newest, now)
