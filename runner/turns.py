"""Whose turn it is: which jobs may start another run now.

A job runs as often at a time as its `workers` say, a scheduled one alone. While a credential rests after a 401 or 403,
no job that uses it starts, since hammering locks accounts (R-DL1).
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from runner.project import Job, Project
from runner.store import Store


class Turns:
    """The turns of one service. Choosing a job and taking its turn happens under `choosing`, one thread at a time."""

    def __init__(self, project: Project, store: Store, *, now: Callable[[], datetime]) -> None:
        self._jobs = [job for job in project.jobs.values() if job.enabled]
        self._store = store
        self._now = now
        self._running: Counter[str] = Counter()
        self._changing = threading.Lock()
        self.choosing = threading.Lock()

    def free(self, *, alone: bool = False) -> list[Job]:
        """The enabled jobs that may start another run now; with `alone`, those of which none runs."""
        resting = self._store.circuits(self._now())
        with self._changing:
            return [
                job
                for job in self._jobs
                if self._running[job.name] < (1 if alone else job.workers)
                and resting.keys().isdisjoint(job.credentials.values())
            ]

    def take(self, job: Job) -> None:
        """Count a run of the job that begins."""
        with self._changing:
            self._running[job.name] += 1

    def give_back(self, job: Job) -> None:
        """Count a run of the job that ended."""
        with self._changing:
            self._running[job.name] -= 1

    def rest(self, credential: str, code: str, minutes: float) -> None:
        """Start no job that uses this credential for so many minutes."""
        self._store.open_circuit(credential, until=self._now() + timedelta(minutes=minutes), code=code)

    def next_end_of_rest(self) -> datetime | None:
        """When the first of the resting credentials may be used again."""
        return min((circuit.until for circuit in self._store.circuits(self._now()).values()), default=None)
