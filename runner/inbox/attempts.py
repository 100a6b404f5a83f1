"""Failed authentication in the audit log: counted, and written once a minute at most (R-AU3)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from starlette.background import BackgroundTask

from runner.errors import StoreError
from runner.store import Store

_EVERY = timedelta(minutes=1)


class Attempts:
    """Those who came without a key that counts."""

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._count = 0
        self._written: datetime | None = None

    def one_more(self) -> BackgroundTask | None:
        """Count one; what is then to be done when its answer has been sent, so that no answer waits for it (R-WH4)."""
        self._count += 1
        now = self._now()
        if self._written and timedelta(0) <= now - self._written < _EVERY:
            return None
        count, self._count, self._written = self._count, 0, now
        return BackgroundTask(self._write, count, now)

    def _write(self, count: int, now: datetime) -> None:
        with suppress(StoreError):  # nobody is let in for it
            self._store.record("authentication_failed", now=now, count=count)
