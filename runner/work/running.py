"""One run of a job in the service: with its script, credentials, clock and time limit, and a record of what it did."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner import execute, jobscript
from runner.errors import Cause, JobFailed, RunnerError, Stopped
from runner.jobscript import JobScript
from runner.logs.log import SILENT, Log
from runner.outcome import Run
from runner.project import Job
from runner.provenance import UNKNOWN, Provenance
from runner.statefile import State
from runner.store import ItemRecord, RunRecord, Store
from runner.work.runlog import tell_run


@dataclass(frozen=True)
class World:
    """The seams of a service to the world: `now` (aware, UTC), `configuration` (a job's credentials, read anew for each
    run), `chance`, `runtime` (what operations see of the world; None lets the adaptors make their own), `log`, and what
    the service is `made_of`."""

    now: Callable[[], datetime]
    configuration: Callable[[Job], State]
    chance: random.Random
    runtime: Callable[[], Any] | None = None
    log: Log = SILENT
    made_of: Provenance = UNKNOWN

    def new_id(self) -> str:
        """An id that nothing else has."""
        return f"{self.chance.getrandbits(128):032x}"


class Runs:
    """Runs jobs, each script loaded once; `stop` ends those under way after the operation at hand."""

    def __init__(self, store: Store, world: World, load: Callable[[Job], JobScript] | None = None) -> None:
        self._store = store
        self._world = world
        self._load = load or _loaded
        self._scripts: dict[str, JobScript] = {}
        self.stopping = False

    def load(self, job: Job) -> JobScript:
        """A job's script, loaded once. Raises InvalidJob."""
        if job.name not in self._scripts:
            self._scripts[job.name] = self._load(job)
        return self._scripts[job.name]

    def stop(self) -> None:
        """Let no operation begin any more."""
        self.stopping = True

    def perform(self, job: Job, given: State, *, message: str | None = None, unit: str | None = None) -> "Performed":
        """Run a job over a state; `message` and `unit` are the ids of what it is about, if it is about any."""
        run_id, started, log = self._world.new_id(), self._world.now(), self._world.log
        log.write("run_started", job=job.name, run=run_id, unit=unit, message=message)
        run = self._run(job, given, message or run_id)
        items = tuple(
            ItemRecord(item["index"], item["outcome"], item["ids"] or {}, item["code"], item["message"], item["fix"])
            for item in run.items
        )
        record = RunRecord(
            run_id, job.name, unit, started, self._world.now(), run.outcome, run.code, items,
            version=self._world.made_of.version, configuration=self._world.made_of.configuration,
            steps=tuple((step["name"], step["seconds"]) for step in run.operations), error_type=run.error_type,
        )  # fmt: skip
        tell_run(log, job, run, record)
        return Performed(run, record, stopped=self.stopping and run.code == Stopped.code)

    def _run(self, job: Job, given: State, message: str) -> Run:
        try:
            script, configuration = self.load(job), self._world.configuration(job)
        except RunnerError as error:
            cause = Cause(error.code, type(error).__name__, "", fix=error.fix)
            return Run(job.name, given, (), (), JobFailed(str(error), cause=cause))
        state = execute.initial_state(
            given,
            configuration,
            store=self._store,
            message=message,
            delivers_to=job.delivers_to,
            scheduled=job.name if job.is_scheduled else None,
        )
        state["ledger"] = _StoppableLedger(state["ledger"], self)
        if resting := self._resting(job):
            state["resting"] = resting
        if self._world.runtime:
            state["runtime"] = self._world.runtime()
        return execute.execute(script, state, timeout=job.timeout, watch=lambda *_: self.refuse_when_stopping())

    def _resting(self, job: Job) -> dict[str, str]:
        """The credentials of a job that nobody may use now, by the names that it uses, and until when."""
        circuits = self._store.circuits(self._world.now())
        return {name: circuits[file].until.isoformat() for name, file in job.credentials.items() if file in circuits}

    def refuse_when_stopping(self) -> None:
        """Raise Stopped when the service is to stop."""
        if self.stopping:
            raise Stopped("the service stops", fix="It goes on at the next start.")


@dataclass(frozen=True)
class Performed:
    """A run that has ended, and what is kept of it; `stopped` when it broke off because the service is to stop."""

    run: Run
    record: RunRecord
    stopped: bool


class _StoppableLedger:
    """The ledger, which is asked before each sending: where a long run can stop and nothing is left half done."""

    def __init__(self, ledger: Any, runs: Runs) -> None:
        self._ledger = ledger
        self._runs = runs
        self.write, self.fence = ledger.write, ledger.fence

    def read(self, kind: str, key: str) -> Any:
        self._runs.refuse_when_stopping()
        return self._ledger.read(kind, key)


def _loaded(job: Job) -> JobScript:
    return jobscript.load(job.script, job.name)
