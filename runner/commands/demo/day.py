"""A day of the service, played in less than a minute: the real inbox, worker and rounds, whose clock is moved.

It begins some hours ago, ten minutes before a full hour, and goes on until now; whatever becomes due meanwhile is done
at its time. What jobs ask the far sides happens now: only the service believes in the day.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from runner import changes, credentials, keys, project, report
from runner.alerts import settings as alert_settings
from runner.alerts.dispatch import Dispatch, way_of
from runner.alerts.rounds import Rounds
from runner.alerts.sight import look
from runner.commands.demo.kept import Kept
from runner.commands.demo.standins import StandIns
from runner.errors import RunnerError
from runner.inbox import settings
from runner.inbox.app import inbox
from runner.keyfolder import KeyFolder
from runner.listener import Listener
from runner.logs.log import Log
from runner.logs.sinks import log_of
from runner.places import Places
from runner.project import Job, Project
from runner.provenance import provenance
from runner.statefile import State
from runner.store import Store
from runner.tls import certificates
from runner.vault import Vault
from runner.work.worker import Worker

LASTS = timedelta(hours=8, minutes=10)
LABEL, OPERATOR = "dtp", "operator (console)"
_KEY_LASTS = timedelta(days=10)
_LONG_AGO = "2000-01-01T00:00:00Z"
_WHY = "UNHCR says by telephone: sent by mistake"


class Clock:
    """A clock that stands still until it is set.

    >>> from datetime import UTC
    >>> clock = Clock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    >>> clock.time += timedelta(hours=1)
    >>> clock().hour
    13
    """

    def __init__(self, time: datetime) -> None:
        self.time = time

    def __call__(self) -> datetime:
        """The time on it."""
        return self.time


@dataclass(frozen=True)
class _Service:
    """The parts of a service that is at work."""

    store: Store
    worker: Worker
    rounds: Rounds
    url: str
    key: str


def begin_of(now: datetime) -> datetime:
    """When a day begins that lasts until now.

    >>> from datetime import UTC
    >>> begin_of(datetime(2026, 3, 2, 15, 37, tzinfo=UTC)).isoformat()
    '2026-03-02T06:50:00+00:00'
    """
    return now.replace(minute=0, second=0, microsecond=0) - LASTS


def play(kept: Kept, far_sides: StandIns, *, now: datetime) -> list[dict[str, str]]:
    """Let a day pass in the kept folder, until `now`; gives what happened on the far sides, `[{"time", "says"}, …]`.

    Raises RunnerError where something doesn't go as it should.
    """
    happened = []
    begin = begin_of(now)
    clock = Clock(begin)
    with _at_work(kept, clock) as service:
        far_sides.post_to(f"{service.url}/inbox", service.key, kept.credentials / "ca.pem")
        for step in far_sides.steps():
            moment = now if step["minutes"] is None else begin + timedelta(minutes=step["minutes"])
            _until(moment, clock, service)
            happened.append({"time": report.shown(moment), "says": step["says"]})
            message = far_sides.begin(step["name"]).get("message")
            if message is not None:
                far_sides.post(message)
            _settle(service)
            if step.get("discarded"):
                _discard_one(kept, clock, service.store)
    return happened


def _until(moment: datetime, clock: Clock, service: _Service) -> None:
    """Let time pass; what becomes due is done when it is due."""
    _settle(service)
    while (due := service.worker.next_due()) and due <= moment:
        if due <= clock.time:
            raise RunnerError("something that is due isn't done", fix="Report this line.")
        clock.time = due
        _settle(service)
    clock.time = moment
    _settle(service)


def _settle(service: _Service) -> None:
    while service.worker.step():
        pass
    service.rounds.step()


def _discard_one(kept: Kept, clock: Clock, store: Store) -> None:
    """As an operator does in the console."""
    parked = store.units(status="parked", limit=1)[0]
    with Store.open(kept.data, now=clock, who=OPERATOR) as acting:
        acting.discard(parked.id, reason=_WHY, now=clock.time)


@contextmanager
def _at_work(kept: Kept, clock: Clock) -> Iterator[_Service]:
    """The service in this thread, and its inbox in another."""
    found = project.load(kept.project)
    made_of = provenance(found)
    with ExitStack() as parts:
        store = parts.enter_context(Store.open(kept.data, now=clock, who="service"))
        vault = Vault(KeyFolder(kept.data / "keys"), now=clock)
        nowhere = parts.enter_context(open(os.devnull, "wb"))  # it has its folder, and nobody looks on
        log = log_of(found.settings["log"], found.folder, nowhere.fileno(), form="json", now=clock, keyed=vault.keyed)
        key = keys.create(store, LABEL, now=clock.time, expires=clock.time + _KEY_LASTS)
        for job in found.jobs.values():
            if job.enabled and job.is_scheduled:
                store.move_cursor(job.name, _LONG_AGO)
        changes.tell_start(store, found, kept.credentials, made_of, vault.fingerprint)
        worker = Worker(store, vault, found, configuration=_credentials_in(kept), now=clock, log=log, made_of=made_of)
        listener = Listener(inbox(store, vault, found, now=clock, log=log), settings.of(found), log)
        parts.enter_context(listener.answering())
        yield _Service(store, worker, _rounds(kept, store, found, clock, log), listener.url, key)
        store.record("service_stopped", now=clock.time)


def _rounds(kept: Kept, store: Store, found: Project, clock: Clock, log: Log) -> Rounds:
    """Those who look at the service; nobody is told."""
    places, made_of = Places(kept.project, kept.credentials, kept.data), provenance(found)
    told = alert_settings.of(found)
    return Rounds(
        store,
        Dispatch(store, told, found.name, partial(way_of, folder=kept.credentials), now=clock, log=log),
        lambda findings: look(store, found, places, now=clock.time, made_of=made_of, findings=findings),
        lambda: certificates.look(found, kept.credentials, clock.time),
        now=clock,
        passed=lambda: clock.time.timestamp(),
        log=log,
    )


def _credentials_in(kept: Kept) -> Callable[[Job], State]:
    def configuration(job: Job) -> State:
        return {name: credentials.load(kept.credentials, file) for name, file in job.credentials.items()}

    return configuration
