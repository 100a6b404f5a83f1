"""What is due by itself: what was erased is scrubbed, what nobody settled is erased, each day has its key, what is
too old is deleted, and the audit log's end is signed."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runner import custody
from runner.errors import InUse, UnreadableFile
from runner.logs.log import SILENT, Log
from runner.store import Store
from runner.vault import Vault
from runner.work import checkpoints
from runner.work.ages import Ages

_EXPIRY_EVERY = timedelta(hours=1)
_A_DAY = timedelta(days=1)
_AFTER_BUSY = timedelta(seconds=1)


class Housekeeping:
    """Keeps the data directory clean, one thing at a time."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        ages: Ages | None = None,
        *,
        now: Callable[[], datetime],
        log: Log = SILENT,
        sign_into: Path | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._ages = ages or Ages()
        self._sign_into = sign_into
        self._now = now
        self._log = log
        self._turn = threading.Lock()
        self.start_over(now())

    def step(self) -> bool:
        """Do one thing that is due; False when nothing is, or somebody is at it."""
        if self.next_due() > self._now() or not self._turn.acquire(blocking=False):
            return False
        try:
            with suppress(InUse), self._store.lock("housekeeping"):  # among all processes, too
                return self._scrub() or self._expire() or self._change_epoch() or self._purge() or self._sign()
            return False
        finally:
            self._turn.release()

    def start_over(self, now: datetime) -> None:
        """All of it is due at once, as at a start: the clock was set back."""
        self._scrub_due = self._expiry_due = self._epoch_due = self._purge_due = self._signature_due = now

    def next_due(self) -> datetime:
        """When the next thing is due; a moment that has passed when one is."""
        scrub = [self._scrub_due] if self._store.unscrubbed() else []
        signature = [self._signature_due] if self._sign_into else []
        return min(self._expiry_due, self._epoch_due, self._purge_due, *scrub, *signature)

    def _scrub(self) -> bool:
        """Make what was erased vanish from the files; where somebody reads just then, again a little later (R-ER4)."""
        now = self._now()
        count = self._store.unscrubbed()
        if now < self._scrub_due or not count:
            return False
        if self._store.scrub(now=now):
            self._log.write("payloads_scrubbed", count=count)
            return True
        self._scrub_due = now + _AFTER_BUSY
        return False

    def _expire(self) -> bool:
        """Erase what is dead, parked or quarantined and was not settled in time (R-DL4)."""
        now = self._now()
        if now < self._expiry_due:
            return False
        self._expiry_due = now + _EXPIRY_EVERY
        if count := self._store.expire(now):
            self._log.write("payloads_expired", count=count)
        return True

    def _change_epoch(self) -> bool:
        """Each day a new key, and the old ones destroyed (R-ER3, R-RT4)."""
        now = self._now().astimezone(UTC)
        if now < self._epoch_due:
            return False
        if count := custody.rotate(self._store, self._vault):
            self._log.write("epoch_changed", count=count)
        self._epoch_due = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return True

    def _purge(self) -> bool:
        """Each day, delete what is older than agreed, piece by piece (R-ER8)."""
        now = self._now()
        if now < self._purge_due:
            return False
        if not self._ages.purge(self._store, now):
            self._purge_due = now + _A_DAY
        return True

    def _sign(self) -> bool:
        """Each day, put a checkpoint of the audit log where the project file says (R-AU2)."""
        now = self._now()
        if self._sign_into is None or now < self._signature_due:
            return False
        self._signature_due = now + _A_DAY
        try:
            made = checkpoints.make(self._store, now=now)
            checkpoints.write(made, self._sign_into / checkpoints.name_of(made))
        except UnreadableFile as error:
            self._log.write("trouble", part="checkpoint", type=type(error).__name__, code=error.code)
        return True
