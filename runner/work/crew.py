"""The crew: threads that do what is due, and sleep while nothing is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from runner.errors import RunnerError, StoreError, VaultError
from runner.logs import faults
from runner.logs.log import Log
from runner.store import Store
from runner.work.bell import Bell
from runner.work.worker import Worker

_LONGEST = 60.0  # seconds asleep
_IN_USE = 1.0  # seconds before looking again at what is due but in somebody's hands
_AFTER_TROUBLE = 10.0  # seconds before trying again what no run could catch
_OTHERS = 1.0  # seconds between two looks for what commands beside the service have changed


@contextmanager
def at_work(
    worker: Worker, store: Store, bell: Bell, *, number: int, now: Callable[[], datetime],
    give_up: Callable[[VaultError], None], log: Log,
) -> Iterator[None]:  # fmt: skip
    """Let so many threads work while the block runs; they end after the operation at hand.

    `give_up` is told, once a thread, that a key of the vault is gone, since then nothing can be done right.
    """
    crew = [threading.Thread(target=work, name="crew", args=(worker, bell, now, give_up, log)) for _ in range(number)]
    crew.append(threading.Thread(target=listen, name="crew", args=(store, bell)))
    for thread in crew:
        thread.start()
    try:
        yield
    finally:
        bell.stop()
        worker.stop()
        for thread in crew:
            thread.join()


def work(
    worker: Worker, bell: Bell, now: Callable[[], datetime], give_up: Callable[[VaultError], None], log: Log
) -> None:
    """Do what is due until the bell has ended. What is done may leave more to do, so that it rings for another."""
    while not bell.ended.is_set():
        heard = bell.rings
        try:
            if worker.step():
                bell.ring()
                continue
            pause = pause_until(worker.next_due(), now())
        except VaultError as error:
            give_up(error)
            return
        except Exception as error:
            _tell(error, log)
            pause = _AFTER_TROUBLE
        bell.wait(heard, pause)


def perform(unit: str, *, worker: Worker, bell: Bell, give_up: Callable[[VaultError], None], log: Log) -> None:
    """Do a unit that was handed out; after trouble stay away from it for a while, for it is handed out again."""
    try:
        if worker.begin(unit):
            bell.ring()
    except VaultError as error:
        give_up(error)
    except Exception as error:
        _tell(error, log)
        bell.ended.wait(_AFTER_TROUBLE)


def _tell(error: Exception, log: Log) -> None:
    if isinstance(error, RunnerError):
        log.write("trouble", part="worker", type=type(error).__name__, code=error.code)
    else:
        log.write("unforeseen", part="worker", **faults.place_of(error))


def pause_until(due: datetime | None, now: datetime) -> float:
    """How many seconds to sleep, when nothing could be done and something is due then.

    What is due already is in the hands of somebody who won't ring, such as a command beside the service.

    >>> noon = datetime(2026, 3, 1, 12)
    >>> pause_until(None, noon), pause_until(noon.replace(second=7), noon), pause_until(noon, noon)
    (60.0, 7.0, 1.0)
    """
    if due is None:
        return _LONGEST
    left = (due - now).total_seconds()
    return min(left, _LONGEST) if left > 0 else _IN_USE


def listen(store: Store, bell: Bell) -> None:
    """Ring when another process has changed the store: `runner retry`, `runner cursor set`, a run by hand."""
    seen = None
    while not bell.ended.wait(_OTHERS):
        with suppress(StoreError):  # who wants to work there meets it too, and tells
            version = store.version()
            if version != seen:
                seen = version
                bell.ring()
