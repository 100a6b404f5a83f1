"""`runner serve`: the inbox and the worker, as a service, until it is told to stop."""

import json
import os
import resource
import signal
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb

from runner import credentials, keys, project, report
from runner.errors import InUse, Invalid, RunnerError, VaultError
from runner.inbox import settings
from runner.inbox.app import inbox
from runner.listener import Listener
from runner.places import Places
from runner.project import Job, Project
from runner.statefile import State
from runner.store import Store
from runner.vault import Vault
from runner.worker import Worker

_MOST_THREADS = 8
_PAUSE = 0.5  # seconds between two looks for what is due
_AFTER_TROUBLE = 10.0  # seconds before trying again what no run could catch


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a stop in order.

    Raises Invalid when nobody could post, since no key was made (R-WH3), InUse when another service holds the data
    directory, and VaultError where what waits can't be opened any more (R-RT4).
    """
    places = Places.of(arguments)
    found = project.load(places.project)
    _keep_to_ourselves()
    with Store.open(places.data) as store, _alone(store):
        vault = Vault(places.data / "keys", now=_now)
        _refuse_without_key(store)
        listener = Listener(inbox(store, vault, found, now=_now, tell=report.print_note), settings.of(found))
        worker = Worker(store, vault, found, configuration=_credentials_in(places.credentials), now=_now)
        stopping = threading.Event()
        lost: list[VaultError] = []

        def give_up(error: VaultError) -> None:
            """Without its keys the service can do nothing right: it ends, and touches nothing (R-RT4)."""
            lost.append(error)
            stopping.set()
            listener.stop()

        with _stopped_by_signals(listener, worker, stopping):
            report.print_lines(
                [json.dumps({"url": listener.url}) if arguments.json else f"listening at {listener.url}"]
            )
            with _working(worker, found, stopping, give_up):
                listener.run()
    if lost:
        raise lost[0]
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


def _keep_to_ourselves() -> None:
    """Nothing that the service makes can be read by others, and no crash writes its memory to a file (R-ER9)."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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


def _credentials_in(folder: Path) -> Callable[[Job], State]:
    return lambda job: {name: credentials.load(folder, file) for name, file in job.credentials.items()}


@contextmanager
def _stopped_by_signals(listener: Listener, worker: Worker, stopping: threading.Event) -> Iterator[None]:
    def stop(*_: object) -> None:
        stopping.set()
        worker.stop()
        listener.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _working(
    worker: Worker, found: Project, stopping: threading.Event, give_up: Callable[[VaultError], None]
) -> Iterator[None]:
    """Let threads do what is due while the block runs; they end after the operation at hand."""
    wanted = sum(job.workers for job in found.jobs.values() if job.enabled)
    number = min(max(wanted, 1), _MOST_THREADS)
    threads = [threading.Thread(target=_work, args=(worker, stopping, give_up)) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        worker.stop()
        for thread in threads:
            thread.join()


def _work(worker: Worker, stopping: threading.Event, give_up: Callable[[VaultError], None]) -> None:
    while not stopping.is_set():
        try:
            pause = 0 if worker.step() else _PAUSE
        except VaultError as error:
            give_up(error)
            return
        except RunnerError as error:
            report.print_error(error)
            pause = _AFTER_TROUBLE
        except Exception as error:
            place = extract_tb(error.__traceback__)[-1]
            report.print_note(
                f"the worker went wrong: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            )
            pause = _AFTER_TROUBLE
        stopping.wait(pause)
