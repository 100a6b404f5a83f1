"""The hands of one process: the threads that do what is due, and those that do what the database hands out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial

from runner.errors import VaultError
from runner.logs.log import Log
from runner.project import Project
from runner.store import Store
from runner.work import crew
from runner.work.bell import Bell
from runner.work.worker import Worker

_MOST_THREADS = 8


@contextmanager
def at_work(
    worker: Worker, store: Store, address: str | None, project: Project, bell: Bell, *,
    now: Callable[[], datetime], give_up: Callable[[VaultError], None], log: Log,
) -> Iterator[None]:  # fmt: skip
    """Let threads work while the block runs. Where the store is in a database, at this `address`, that hands out the
    units among all processes. `give_up` is told that a key of the vault is gone."""
    with ExitStack() as parts:
        if address:
            from runner.work import handout  # here, since one machine alone needs nothing of it

            perform = partial(crew.perform, worker=worker, bell=bell, give_up=give_up, log=log)
            hand_out = handout.HandOut(address, _handed(project), perform, log)
            parts.enter_context(handout.at_work(hand_out, store, worker.offer, bell.ended, log))
        number = _number_of_threads(project, handed=address is not None)
        parts.enter_context(crew.at_work(worker, store, bell, number=number, now=now, give_up=give_up, log=log))
        yield


def _handed(project: Project) -> dict[str, int]:
    """The jobs that messages and other jobs start, and how many of their units are done at a time."""
    return {
        job.name: job.workers
        for job in project.jobs.values()
        if job.enabled and any(trigger.kind in ("message", "success", "failure") for trigger in job.triggers)
    }


def _number_of_threads(project: Project, *, handed: bool) -> int:
    """For all that may be done at a time; where units are handed out, for what is scheduled or delivered."""
    jobs = [job for job in project.jobs.values() if job.enabled]
    wanted = sum(1 if handed else job.workers for job in jobs if not handed or job.is_scheduled or job.delivers_to)
    return min(max(wanted, 1), _MOST_THREADS)
