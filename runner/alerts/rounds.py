"""Rounds: every minute the service looks at itself, remembers what only a running service can see, and tells people."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from runner.alerts.conditions import Condition, conditions
from runner.alerts.dispatch import Dispatch
from runner.alerts.sight import Sight
from runner.errors import InUse, RunnerError
from runner.logs import faults
from runner.logs.log import SILENT, Log
from runner.store import Store
from runner.tls.slots import Finding

_EVERY = 60.0  # seconds
_HOURLY, _DAILY = timedelta(hours=1), timedelta(days=1)
_JUMPED = 30.0  # seconds by which the clock may differ from the time that passed since the last round
_SIGNS_KEPT = timedelta(days=7)
_FAREWELL = 2.0  # seconds for a delivery under way when the service stops

Look = Callable[[list[Finding]], Sight]


class Rounds:
    """The rounds of one service. `look` gives the sight of it with these findings, `certificates` finds what is to be
    told of certificates, `passed` are seconds of a clock that nobody sets. `on` is what the last round found.
    """

    def __init__(
        self,
        store: Store,
        dispatch: Dispatch,
        look: Look,
        certificates: Callable[[], list[Finding]],
        *,
        now: Callable[[], datetime],
        passed: Callable[[], float],
        log: Log = SILENT,
    ) -> None:
        self._store = store
        self._dispatch = dispatch
        self._look = look
        self._certificates = certificates
        self._now = now
        self._passed = passed
        self._log = log
        self.on: list[Condition] = []
        self._findings: list[Finding] = []
        self._last = (now(), passed())
        self._certificates_due = self._told_due = self._audit_due = now()

    def step(self) -> None:
        """One round. Raises StoreError while the store can't be used; the next round makes up for it."""
        self._look_at_clock()
        self._look_at_certificates()
        self.on = conditions(self._look(self._findings))
        with suppress(InUse), self._store.lock("rounds"):  # another process of the same store does it just now
            self._dispatch.round(self.on)
            self._look_at_audit_log()

    def _look_at_clock(self) -> None:
        """A clock that was set stops no schedule, but whoever reads times should know."""
        now, passed = self._now(), self._passed()
        off = (now - self._last[0]).total_seconds() - (passed - self._last[1])
        self._last = now, passed
        if abs(off) > _JUMPED:
            self._log.write("clock_jumped", seconds=off)
            self._certificates_due = self._told_due = self._audit_due = now
            self._store.note_sign("clock_jumped", now=now)

    def _look_at_certificates(self) -> None:
        """Each hour, since one may have been replaced; told in the log each day (R-RT3)."""
        now = self._now()
        if now >= self._certificates_due:
            self._certificates_due = now + _HOURLY
            self._findings = self._certificates()
        if now >= self._told_due:
            self._told_due = now + _DAILY
            for finding in self._findings:
                days = None if finding.days is None else max(finding.days, 0)
                self._log.write("certificate", credential=finding.name, code=finding.code, days=days)

    def _look_at_audit_log(self) -> None:
        """Each day the whole log is verified, which takes a while when it is long (R-AU1)."""
        now = self._now()
        if now < self._audit_due:
            return
        self._audit_due = now + _DAILY / 2
        if count := len(self._store.audit_faults()):
            self._log.write("audit_broken", count=count)
            self._store.note_sign("audit_broken", now=now)
        else:
            self._store.forget_signs("audit_broken")
        self._store.forget_old_signs(now - _SIGNS_KEPT)


@contextmanager
def at_work(
    rounds: Rounds, stopping: threading.Event, log: Log, *, every: float = _EVERY, farewell: float = _FAREWELL
) -> Iterator[None]:
    """Let a thread go round, at once and then `every` so many seconds, while the block runs.

    It holds up nobody: a delivery under way has `farewell` seconds when the service stops, and is told anew at the next
    start.
    """

    def go() -> None:
        while True:
            try:
                rounds.step()
            except RunnerError as error:
                log.write("trouble", part="alerts", type=type(error).__name__, code=error.code)
            except Exception as error:
                log.write("unforeseen", part="alerts", **faults.place_of(error))
            if stopping.wait(every):
                return

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(farewell)
