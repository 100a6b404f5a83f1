"""How often each key may post (R-WH9)."""

import math
from collections.abc import Callable
from datetime import datetime


class Rate:
    """`a_minute` messages for each key, as many of them at once; what others post is no matter.

    >>> from datetime import UTC
    >>> rate = Rate(1, now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    >>> rate.wait("key-1"), rate.wait("key-1"), rate.wait("key-2")
    (0, 60, 0)
    """

    def __init__(self, a_minute: float, *, now: Callable[[], datetime]) -> None:
        self._per_second = a_minute / 60
        self._most = max(a_minute, 1)
        self._now = now
        self._left: dict[str, tuple[float, datetime]] = {}

    def wait(self, key_id: str) -> int:
        """Count one message of this key; seconds to wait when it is one too many, else 0."""
        now = self._now()
        left, since = self._left.get(key_id, (self._most, now))
        # A clock that was set back must not lock anybody out.
        passed = max((now - since).total_seconds(), 0)
        left = min(left + passed * self._per_second, self._most)
        if left < 1:
            self._left[key_id] = (left, now)
            return math.ceil((1 - left) / self._per_second)
        self._left[key_id] = (left - 1, now)
        return 0
