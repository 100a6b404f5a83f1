"""A whole service in one thread and in virtual time: inbox, worker, store, vault; the sandbox without sockets."""

import json
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from runner import jobscript, project
from runner.inbox.intake import Intake
from runner.inbox.settings import Settings
from runner.jobscript import JobScript
from runner.keyfolder import KeyFolder
from runner.logs.log import SILENT
from runner.project import Job
from runner.store import Store
from runner.triggers import Trigger
from runner.vault import Vault
from runner.work.worker import Worker

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is set; sleeping sets it."""

    def __init__(self, time=NOON):
        self.time = time

    def __call__(self):
        return self.time

    def pass_by(self, **lasting):
        self.time += timedelta(**lasting)


@dataclass
class Made:
    """A job made of functions, for tests of the engine alone."""

    name: str
    operations: tuple
    triggers: tuple
    more: dict


def made(name, *operations, on=None, cron=None, outbox=None, success=None, failure=None, subject=None, **more):
    """A job for messages of a type (`on`), a schedule, what waits for a system, or what follows another job."""
    kinds = {"message": {"type": on} if on else None, "cron": cron, "outbox": outbox}
    kinds |= {"success": success, "failure": failure}
    triggers = [Trigger(f"{name}-{kind}", kind, value) for kind, value in kinds.items() if value]
    triggers = tuple(
        replace(trigger, subject=subject) if trigger.kind == "message" else trigger for trigger in triggers
    )
    return Made(name, operations or (dict,), triggers, more)


def settled(*outcomes, **more):
    """An operation that finds items with these outcomes."""

    def find(state):
        state["outcomes"] += [item(outcome, f"c-{number}", **more) for number, outcome in enumerate(outcomes, start=1)]
        return state

    return find


def item(outcome, record, **more):
    """The record of an item, as operations write it."""
    empty = {"code": None if outcome == "done" else outcome, "message": None, "fix": None, "operation": "find"}
    return {"outcome": outcome, "ids": {"id": record}, **empty, **more}


def _project_of(jobs):
    jobs = {job.name: Job(job.name, Path(f"{job.name}.py"), job.triggers, **job.more) for job in jobs}
    return project.Project(ROOT / "project.yaml", "made", jobs)


class Service:
    """The service on one folder. `run` lets time pass; `kill` leaves everything as it stands and starts anew."""

    def __init__(
        self,
        folder,
        *,
        at=None,
        sandbox=None,
        clock=None,
        jobs=(),
        retry=None,
        retention=None,
        seed=1,
        log=SILENT,
        found=None,
    ):
        self.clock = clock or Clock()
        self.sandbox = sandbox
        self.folder = folder
        self.at = at
        self.project = found or (_project_of(jobs) if jobs else project.load(ROOT / "project.yaml"))
        self.project.settings.update({"retry": retry or {}, "retention": retention or {}})
        self._operations = {job.name: job.operations for job in jobs}
        self.credentials = sandbox.configuration if sandbox else {}
        self._random = Random(seed)
        self._log = log
        self.start()

    def start(self):
        """Begin to work on the folder, as a process does that was just started."""
        self.store, self.vault = self.opened()
        self.worker = Worker(
            self.store, self.vault, self.project, configuration=self._configuration, now=self.clock,
            random=self._random, runtime=self._runtime, load=self._load, log=self._log,
        )  # fmt: skip
        self._intake = Intake(
            self.store, self.vault, self.project, Settings(), now=self.clock, random=self._random
        )  # fmt: skip

    def opened(self):
        """Store and vault of the folder."""
        keys = KeyFolder(self.folder / "keys")
        return Store.open(self.folder, at=self.at, now=self.clock), Vault(keys, now=self.clock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def kill(self):
        """As if the process had been killed: nothing is finished, nothing is told, and it starts again."""
        self.store.close()
        self.start()

    def post(self, message):
        """A message that the inbox takes; its id."""
        return self.take(json.dumps(message).encode()).id

    def take(self, body):
        """Bytes that the inbox takes; what it answers with."""
        return self._intake.take(body, "unhcr")

    def settle(self):
        """Do what is due now, and nothing that is due later."""
        while self.worker.step():
            pass

    def run(self, **lasting):
        """Let time pass; whatever becomes due meanwhile is done when it is due."""
        until = self.clock.time + timedelta(**lasting)
        self.settle()
        while (due := self.worker.next_due()) and due <= until:
            assert due > self.clock.time, "what is due is done, or is due later"
            self.clock.time = due
            self.settle()
        self.clock.time = max(until, self.clock.time)

    def outcomes(self, job=None):
        """The outcomes of the last runs, the oldest first."""
        return [run.outcome for run in reversed(self.store.runs(1000, job=job))]

    def _configuration(self, job):
        return {name: self.credentials.get(file, {}) for name, file in job.credentials.items()}

    def _load(self, job):
        if job.name in self._operations:
            return JobScript(job.name, job.script, "", self._operations[job.name])
        return jobscript.load(job.script, job.name)

    def _runtime(self):
        return VirtualRuntime(self.clock, self.sandbox, self._random)


class VirtualRuntime(Runtime):
    """What operations see of the virtual world."""

    def __init__(self, clock, sandbox, random):
        super().__init__(transport=sandbox and sandbox.transport)
        self._clock, self.random = clock, random

    def now(self):
        return self._clock.time

    def monotonic(self):
        return self._clock.time.timestamp()

    def sleep(self, seconds):
        self._clock.pass_by(seconds=seconds)

    def pool(self, workers):
        return AtOnce()


class AtOnce(Executor):
    """An executor that calls at once, in the thread that asks."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def sandbox_at(clock, **options):
    """A sandbox whose servers have this clock."""
    return Sandbox(clock=clock, **options)
