"""The service of the demo, and of a rehearsal: the project with an inbox of its own, the real `runner serve`, and what
commands and the store tell."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner import yamlfile
from runner.commands.demo.process import Process, process
from runner.errors import RunnerError
from runner.store import Store

EVERY_MINUTE = "* * * * *"

_RUNNER = (sys.executable, "-m", "runner")
_LONGEST_COMMAND = 60.0  # seconds
_ALL = "100000"
_LONG_AGO = "2000-01-01T00:00:00Z"
_SOON = {"minutes": [0.05], "every": 0.05}
_GIVEN_UP_SOON = {**_SOON, "hours": 0.005, "rest": 0.05}
_INBOX = {"port": 0, "certificate": "credentials/inbox.pem", "private_key": "file:credentials/inbox.key"}
Item = dict[str, Any]


class Service:
    """A service in a folder, made of the project file `original`; whatever it writes lies in `folders`.

    `played` are the scheduled jobs that take part; all that run every hour or more often, unless they are given.
    """

    def __init__(self, original: Path, folder: Path, played: Collection[str] | None = None) -> None:
        self.folder = folder
        self._project = folder / "project.yaml"
        self.credentials = folder / "credentials"
        self.folders = [folder / name for name in ("data", "logs", "tmp")]
        for each in self.folders:
            each.mkdir(mode=0o700)
        document = of_the_demo(yamlfile.read(original).value, original.parent.resolve(), played)
        self._project.write_text(json.dumps(document, indent=2), "utf-8")
        self._scheduled = [name for name, job in document["jobs"].items() if job["enabled"] and _crons(job, document)]
        self._items: dict[str, dict[str, Item]] = {name: {} for name in document["jobs"]}
        self._seen: set[str] = set()

    def new_key(self) -> str:
        """A key that opens the inbox."""
        return str(self.command("keys", "create", "dtp")["key"])

    def read_from_the_beginning(self) -> None:
        """Tell the jobs that read where to begin, as an administrator does once."""
        for job in self._scheduled:
            self.command("cursor", "set", job, _LONG_AGO)

    @contextmanager
    def running(self) -> Iterator[Process]:
        """`runner serve`, until the block ends."""
        with serving(self._project) as running:
            yield running

    def command(self, *words: str) -> dict[str, Any]:
        """What one of the runner's commands tells. Raises RunnerError where it fails."""
        return told_by(self._project, *words)

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The runs of a job that have ended, the oldest first."""
        return list(reversed(self.command("runs", "list", "--job", job, "--limit", _ALL)["runs"]))

    def items(self, job: str) -> list[Item]:
        """What became of each record that a job met, in whichever run: the last word, unless that is `unchanged`.

        A unit of work that is tried again keeps its records in their order; a schedule's are known by their ids.
        """
        with Store.open(self.folder / "data") as store:
            new = [run for run in store.runs(int(_ALL), job=job) if run.id not in self._seen]
            for run in filter(None, (store.run(each.id) for each in reversed(new))):
                self._seen.add(run.id)
                for item in map(asdict, run.items):
                    record = f"{run.unit} {item['index']}" if run.unit else str(item["ids"])
                    self._items[job][record] = item
        return list(self._items[job].values())

    def note(self, job: str, items: list[Item]) -> None:
        """Count what a run by hand has told among the records of a job."""
        self._items[job] |= {str(item["ids"]): item for item in items}

    def next_due(self, job: str) -> str:
        """When a scheduled job is due next."""
        return next(str(row["next_due"]) for row in self.command("status")["jobs"] if row["job"] == job)

    def waiting(self, job: str | None = None) -> int:
        """How many units of work, of a job or of all, and answers are still under way."""
        status = self.command("status")
        rows = [row for row in status["jobs"] if job in (None, row["job"])]
        return int(sum(row["pending"] + row["running"] for row in rows) + (0 if job else status["waiting_answers"]))


@contextmanager
def serving(project: Path, *options: str) -> Iterator[Process]:
    """`runner serve` for a project file beside which it writes, until the block ends."""
    command = [*_RUNNER, "serve", *options, "--json", "--log-format", "json", "--project", str(project)]
    folder = project.parent
    with process(command, says=folder / "logs" / "service.txt", temporary=folder / "tmp") as running:
        yield running


def told_by(project: Path, *words: str) -> dict[str, Any]:
    """What one of the runner's commands tells of a project. Raises RunnerError where it fails."""
    command = [*_RUNNER, *words, "--json", "--project", str(project)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_COMMAND, check=False)
    except subprocess.TimeoutExpired:
        raise RunnerError(f"runner {words[0]} hangs", fix="Try again: make demo") from None
    if not done.stdout:
        raise RunnerError(f"runner {' '.join(words)} failed: {done.stderr.strip()}", fix="Try again: make demo")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def of_the_demo(document: dict[str, Any], origin: Path, played: Collection[str] | None = None) -> dict[str, Any]:
    """A project file for the demo: an inbox on any free port with TLS, schedules of every minute, and short pauses.

    What has its hour, such as each night, is no part of the story, and disabled; or else what isn't `played`, and then
    what fails is given up after some seconds. Nobody is alerted.

    >>> jobs = {"a": {"script": "a.py", "trigger": "t"}, "b": {"script": "b.py", "trigger": "night"}}
    >>> triggers = {"t": {"cron": "0 * * * *"}, "night": {"cron": "30 1 * * *"}}
    >>> made = of_the_demo({"name": "x", "jobs": jobs, "triggers": triggers}, Path("/p"))
    >>> made["triggers"]["t"], [job["enabled"] for job in made["jobs"].values()]
    ({'cron': '* * * * *'}, [True, False])
    """
    jobs = {
        name: {
            **job,
            "script": str(origin / job["script"]),
            "credentials": list(job.get("credentials", [])),  # by the names that the job uses
            "enabled": not has_its_hour(job, document) if played is None else name in played,
        }
        for name, job in document["jobs"].items()
    }
    triggers = {
        name: {**trigger, "cron": EVERY_MINUTE} if "cron" in trigger else trigger
        for name, trigger in document.get("triggers", {}).items()
    }
    retry = _SOON if played is None else _GIVEN_UP_SOON
    kept: dict[str, Any] = {
        name: document[name] for name in ("name", "purpose", "agreement", "retention") if name in document
    }
    return {**kept, "jobs": jobs, "triggers": triggers, "inbox": _INBOX, "retry": retry, "log": {"folder": "logs"}}


def has_its_hour(job: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a job of a project file is scheduled for an hour of its own, such as each night.

    >>> has_its_hour({"trigger": "night"}, {"triggers": {"night": {"cron": "30 1 * * *"}}})
    True
    """
    return any(cron.split()[1:] != ["*"] * 4 for cron in _crons(job, document) if cron != "@hourly")


def _crons(job: dict[str, Any], document: dict[str, Any]) -> list[str]:
    named = job.get("trigger", [])
    triggers = [document["triggers"][name] for name in ([named] if isinstance(named, str) else named)]
    return [trigger["cron"] for trigger in triggers if "cron" in trigger]
