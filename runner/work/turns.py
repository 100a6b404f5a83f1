"""Whose turn it is: which jobs may start another run now.

A job runs as often at a time as its `workers` say, a scheduled one alone. While a credential rests after a 401 or 403,
nobody uses it, since hammering locks accounts (R-DL1). A job whose first credential rests doesn't start: that is the
system which its work is done in. Where another one rests, a scheduled job waits as well, since it can make up for it.
For a message the job starts and is told: the work is done, and what it has to say elsewhere waits in the outbox.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

from runner.errors import InUse
from runner.logs.log import SILENT, Log
from runner.project import Job, Project
from runner.store import Store


class Turns:
    """The turns of one service. Choosing a job and taking its turn happens under `choosing`, one thread at a time."""

    def __init__(self, project: Project, store: Store, *, now: Callable[[], datetime], log: Log = SILENT) -> None:
        self._jobs = [job for job in project.jobs.values() if job.enabled]
        self._store = store
        self._now = now
        self._log = log
        self._resting: set[str] = set()
        self._running: Counter[str] = Counter()
        self._changing = threading.Lock()
        self.choosing = threading.Lock()

    def free(self, *, alone: bool = False) -> list[Job]:
        """The enabled jobs that may start another run now; with `alone`, those of which none runs and nothing rests."""
        resting = self._store.circuits(self._now())
        with self._changing:
            for credential in self._resting - resting.keys():
                self._log.write("circuit_closed", credential=credential)
            self._resting = set(resting)
            return [
                job
                for job in self._jobs
                if self._running[job.name] < (1 if alone else job.workers)
                and resting.keys().isdisjoint(list(job.credentials.values())[: None if alone else 1])
            ]

    def take(self, job: Job) -> None:
        """Count a run of the job that begins."""
        with self._changing:
            self._running[job.name] += 1

    def take_alone(self, job: Job, held: ExitStack) -> bool:
        """The same for a job that doesn't run beside itself, until `held` ends; False while it runs by hand."""
        with ExitStack() as ours, suppress(InUse):
            self.take(job)
            ours.callback(self.give_back, job)  # after the lock, so that whoever finds the job free gets that, too
            ours.enter_context(self._store.lock(f"job/{job.name}"))
            held.enter_context(ours.pop_all())
            return True
        return False

    def give_back(self, job: Job) -> None:
        """Count a run of the job that ended."""
        with self._changing:
            self._running[job.name] -= 1

    def rest(self, credential: str, code: str, minutes: float) -> None:
        """Start no job that uses this credential for so many minutes."""
        until = self._now() + timedelta(minutes=minutes)
        self._store.open_circuit(credential, until=until, code=code)
        self._log.write("circuit_opened", credential=credential, code=code, until=until)

    def next_end_of_rest(self) -> datetime | None:
        """When the first of the resting credentials may be used again."""
        return min((circuit.until for circuit in self._store.circuits(self._now()).values()), default=None)
