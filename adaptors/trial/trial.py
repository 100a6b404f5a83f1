"""The trial of all jobs of a project: step by step as the story of the demo, and the verdict in the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaptors.sandbox import Sandbox
from adaptors.trial.answers import Answers
from adaptors.trial.decisions import Decisions
from adaptors.trial.exchange import Exchange
from adaptors.trial.from_unhcr import FromUnhcr
from adaptors.trial.given_up import GivenUp
from adaptors.trial.held import Held
from adaptors.trial.script import Script, load
from adaptors.trial.to_unhcr import ToUnhcr
from adaptors.trial.verdict import Verdict
from adaptors.trial.world import World

Document = dict[str, Any]
# In the order in which they are played: what is scheduled before what is started by hand meanwhile, answers at the end.
_KINDS: tuple[type[Exchange], ...] = (FromUnhcr, Decisions, ToUnhcr, GivenUp, Answers)


class Trial:
    """One trial. `jobs` are those of a project: `{name: {"script": path, "message": filter}}`.

    Which exchange a job carries is known by what it sends. Raises whatever a script raises when it is loaded.
    """

    def __init__(self, sandbox: Sandbox, jobs: Mapping[str, Document]) -> None:
        self.world = World(sandbox)
        scripts = [(load(name, Path(job["script"])), job.get("message") or {}) for name, job in jobs.items()]
        carried = [(_kind(script), script, message) for script, message in scripts]
        self._exchanges = {
            script.job: kind(script, self.world, message)
            for each in _KINDS
            for kind, script, message in carried
            if kind is each
        }
        self.left_out = [script.job for kind, script, _ in carried if kind is None]
        decided = [each for each in self._exchanges.values() if isinstance(each, Answers)]
        for each in self._exchanges.values():
            if isinstance(each, ToUnhcr):
                each.for_decisions = sum(len(answers.plan()) for answers in decided)

    @property
    def steps(self) -> list[Document]:
        """What is played, in order: `{"name", "job", "exchange", "says", "starts"}`."""
        return [
            {"name": job, "job": job, "exchange": each.label, "says": each.says, "starts": each.starts}
            for job, each in self._exchanges.items()
        ]

    def before(self, step: str) -> Document:
        """Let happen what comes before a step; gives `message` or `states`, where it starts with those."""
        return self._exchanges[step].begin()

    def verdict(self, items: Mapping[str, list[Document]]) -> Document:
        """What was found, when all has been played: `items` are the records of each job."""
        held = Held(self.world)
        jobs = [
            Verdict(each, items.get(job, []), held, each.sendings()).document for job, each in self._exchanges.items()
        ]
        return {"jobs": jobs, "left_out": self.left_out}


def _kind(script: Script) -> type[Exchange] | None:
    """Which exchange a job carries, or None where it sends nothing by a mapping."""
    for kind in _KINDS:
        if script.named(kind.sends_by) and (kind is not GivenUp or "interventions" in script.requires):
            return kind
    return None
