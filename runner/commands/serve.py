"""`runner serve`: the inbox and the worker, as a service, until it is told to stop."""

import json
import os
import signal
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from runner import changes, credentials, keys, project, report
from runner.alerts import rounds
from runner.alerts import settings as alert_settings
from runner.alerts.dispatch import Dispatch, way_of
from runner.alerts.rounds import Rounds
from runner.alerts.sight import look
from runner.errors import InUse, Invalid, StoreError, VaultError, WrongUse
from runner.golive import permission
from runner.inbox import settings
from runner.inbox.app import inbox
from runner.listener import Deaf, Listener
from runner.logs import faults, silence
from runner.logs.log import Log
from runner.logs.sinks import log_of
from runner.places import Places
from runner.project import Job, Project
from runner.provenance import Provenance, provenance
from runner.statefile import State
from runner.store import Store
from runner.tls import certificates
from runner.vault import Vault
from runner.work import hands
from runner.work.bell import Bell
from runner.work.worker import Worker


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a stop in order.

    Raises Invalid when nobody could post, since no key was made (R-WH3), InUse when another service holds the data
    directory, InvalidCredential for a credential that can't be used or that others can read (R-RT6), VaultError where
    what waits can't be opened any more (R-RT4), and WrongUse where an address is taken.
    """
    places = Places.of(arguments)
    found = project.load(places.project)
    address = places.address()
    takes_in, works = not arguments.worker, not arguments.inbox
    if not (takes_in and works) and address is None:
        fix = "Leave --inbox and --worker out, or move the store: docs/scaling.md."
        raise WrongUse("one machine's service has both, inbox and worker", fix=fix)
    _keep_to_ourselves()
    with places.store(who="service") as store, nullcontext() if address else _alone(store):
        vault = places.vault(now=_now)
        log = _log(found, vault, arguments.log_format)
        bell = Bell()
        listener = _listener(store, vault, found, bell, log) if takes_in else Deaf()
        made_of = provenance(found)
        held = permission.is_held(store, places, made_of)
        configuration = _credentials_in(places.credentials)
        _refuse_unsafe_credentials(found, configuration)
        watch = _rounds(store, found, places, made_of, log)
        pages = _console(store, vault, found, places, made_of, log) if arguments.console else None
        lost: list[VaultError] = []

        def give_up(error: VaultError) -> None:
            """Without its keys the service can do nothing right: it ends, and touches nothing (R-RT4)."""
            lost.append(error)
            log.write("keys_lost")
            bell.stop()
            listener.stop()

        with ExitStack() as parts:
            at_work = _without_jobs(found) if held else found
            worker = Worker(
                store, vault, at_work if works else _without_jobs(found), configuration=configuration, now=_now,
                log=log, made_of=made_of, handed=address is not None,
            )  # fmt: skip
            parts.enter_context(_stopped_by_signals(listener.stop, bell.stop, worker.stop))
            report.print_lines(_addresses(listener.url, pages.url if pages else None, as_json=arguments.json))
            parts.enter_context(_told(log, found, made_of, held))
            parts.enter_context(_audited(store, vault, found, places.credentials, made_of))
            parts.enter_context(silence.closed_descriptors())
            parts.enter_context(_measured(found, store, watch))
            parts.enter_context(pages.answering() if pages else nullcontext())
            if works:
                parts.enter_context(rounds.at_work(watch, bell.ended, log))
                parts.enter_context(
                    hands.at_work(worker, store, address, at_work, bell, now=_now, give_up=give_up, log=log)
                )
            listener.run()
    if lost:
        raise lost[0]
    return 0


def _listener(store: Store, vault: Vault, found: Project, bell: Bell, log: Log) -> Listener:
    """The inbox on its socket. Raises Invalid while there is no key to post with."""
    _refuse_without_key(store)
    return Listener(inbox(store, vault, found, now=_now, log=log, ring=bell.ring), settings.of(found), log)


def _addresses(url: str | None, console: str | None, *, as_json: bool) -> list[str]:
    if as_json:
        return [json.dumps({"url": url, **({"console": console} if console else {})})]
    return [f"listening at {url}" if url else "working", *([f"console at {console}"] if console else [])]


def _console(store: Store, vault: Vault, found: Project, places: Places, made_of: Provenance, log: Log) -> Listener:
    """What administrators look at; its libraries aren't imported where nobody wants it."""
    try:
        from runner.console import serving
    except ImportError:
        fix = "make setup installs it: the extra console."
        raise WrongUse("the console needs argon2-cffi and jinja2, which are not installed", fix=fix) from None
    return serving.listener(store, vault, found, places, made_of, now=_now, log=log)


def _without_jobs(found: Project) -> Project:
    """Until production may run, what is posted waits, encrypted and kept clean, and nothing is begun."""
    return replace(found, jobs={name: replace(job, enabled=False) for name, job in found.jobs.items()})


def _now() -> datetime:
    return datetime.now(UTC)


def _keep_to_ourselves() -> None:
    """Nothing that the service makes can be read by others."""
    os.umask(0o077)


def _log(found: Project, vault: Vault, form: str | None) -> Log:
    """The log, on a standard error of its own; what nothing catches is told there as well."""
    log = log_of(found.settings.get("log", {}), found.folder, os.dup(2), form=form, now=_now, keyed=vault.keyed)
    faults.watch(lambda error: log.write("unforeseen", part="thread", **faults.place_of(error)))
    return log


@contextmanager
def _told(log: Log, found: Project, made_of: Provenance, held: bool) -> Iterator[None]:
    begun = time.monotonic()
    jobs = sum(job.enabled for job in found.jobs.values())
    log.write("service_started", commit=made_of.version, configuration=made_of.configuration, jobs=jobs)
    if held:
        log.write("jobs_held")
    try:
        yield
    finally:
        log.write("service_stopped", seconds=time.monotonic() - begun)


@contextmanager
def _audited(store: Store, vault: Vault, found: Project, folder: Path, made_of: Provenance) -> Iterator[None]:
    """Start, stop, and what is other than at the last start, in the audit log (R-AU3)."""
    changes.tell_start(store, found, folder, made_of, vault.fingerprint)
    try:
        yield
    finally:
        with suppress(StoreError):  # what it could not write it has told already
            store.record("service_stopped", now=_now())


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(store.lock("serve"))
        except InUse:
            raise InUse("another service holds this data directory", fix="Stop that one, or give --data.") from None
        yield


def _refuse_without_key(store: Store) -> None:
    if not keys.active(store, _now()):
        raise Invalid("the inbox has no key, so that nobody could post", fix="Make one: runner keys create LABEL")


def _refuse_unsafe_credentials(found: Project, configuration: Callable[[Job], State]) -> None:
    """Each is read anew for each run; one that is missing, wrong or readable by others is told before the first."""
    for job in found.jobs.values():
        if job.enabled:
            configuration(job)


def _credentials_in(folder: Path) -> Callable[[Job], State]:
    return lambda job: {name: credentials.load(folder, file) for name, file in job.credentials.items()}


@contextmanager
def _stopped_by_signals(*stops: Callable[[], None]) -> Iterator[None]:
    def stop(*_: object) -> None:
        for each in stops:
            each()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _rounds(store: Store, found: Project, places: Places, made_of: Provenance, log: Log) -> Rounds:
    """Who looks at the service while it runs, and tells people. Raises InvalidCredential for one that can't be used,
    InvalidProject."""
    told = alert_settings.of(found)
    for recipient in told.recipients:
        way_of(recipient, places.credentials)
    return Rounds(
        store,
        Dispatch(store, told, found.name, partial(way_of, folder=places.credentials), now=_now, log=log),
        lambda findings: look(store, found, places, now=_now(), made_of=made_of, findings=findings),
        lambda: certificates.look(found, places.credentials, _now()),
        now=_now,
        passed=time.monotonic,
        log=log,
    )


def _measured(found: Project, store: Store, watch: Rounds) -> AbstractContextManager[object]:
    """Numbers for Prometheus, where the project file wants them; else its library isn't even imported."""
    if not found.settings.get("metrics"):
        return nullcontext()
    try:
        from runner import metrics
    except ImportError:
        fix = "make setup installs it; or take metrics out of the project file."
        raise WrongUse("metrics need prometheus-client, which is not installed", fix=fix) from None
    return metrics.shown(found.settings["metrics"], store, lambda: watch.on, now=_now)
