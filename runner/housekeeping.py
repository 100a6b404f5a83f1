"""What is due by itself: what was erased is scrubbed, what nobody settled is erased, each day has its key."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from runner import custody
from runner.store import Store
from runner.vault import Vault

_EXPIRY_EVERY = timedelta(hours=1)
_AFTER_BUSY = timedelta(seconds=1)


class Housekeeping:
    """Keeps the data directory clean, one thing at a time."""

    def __init__(self, store: Store, vault: Vault, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._vault = vault
        self._now = now
        self._turn = threading.Lock()
        self._scrub_due = self._expiry_due = self._epoch_due = now()

    def step(self) -> bool:
        """Do one thing that is due; False when nothing is, or somebody is at it."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            return self._scrub() or self._expire() or self._change_epoch()
        finally:
            self._turn.release()

    def next_due(self) -> datetime:
        """When the next thing is due; a moment that has passed when one is."""
        scrub = [self._scrub_due] if self._store.unscrubbed() else []
        return min(self._expiry_due, self._epoch_due, *scrub)

    def _scrub(self) -> bool:
        """Make what was erased vanish from the files; where somebody reads just then, again a little later (R-ER4)."""
        now = self._now()
        if now < self._scrub_due or not self._store.unscrubbed():
            return False
        if self._store.scrub(now=now):
            return True
        self._scrub_due = now + _AFTER_BUSY
        return False

    def _expire(self) -> bool:
        """Erase what is dead, parked or quarantined and was not settled in time (R-DL4)."""
        now = self._now()
        if now < self._expiry_due:
            return False
        self._expiry_due = now + _EXPIRY_EVERY
        self._store.expire(now)
        return True

    def _change_epoch(self) -> bool:
        """Each day a new key, and the old ones destroyed (R-ER3, R-RT4)."""
        now = self._now().astimezone(UTC)
        if now < self._epoch_due:
            return False
        custody.rotate(self._store, self._vault)
        self._epoch_due = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return True
