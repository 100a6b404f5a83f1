"""The story of the stand-ins, step by step: what begins each, and what the service made of it."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from runner import report
from runner.commands.demo import telling
from runner.commands.demo.evidence import Evidence, look
from runner.commands.demo.played import Played
from runner.commands.demo.service import Service
from runner.commands.demo.standins import StandIns
from runner.commands.demo.telling import Say
from runner.errors import RunnerError

_LONGEST = 180.0  # seconds; a schedule of every minute may be missed once
_PAUSE = 0.3  # seconds


class Play:
    """One play of the story between the stand-ins and the service; `searches` are those made on the way."""

    def __init__(self, far_sides: StandIns, service: Service, say: Say) -> None:
        self._far_sides = far_sides
        self._service = service
        self._say = say
        self.searches: list[Evidence] = []

    def take(self, step: dict[str, Any]) -> Played:
        """Let a step begin, and wait for what the service makes of it. Raises RunnerError where that takes too long."""
        job = step["job"]
        self._say(telling.step(step))
        message = self._far_sides.begin(step["name"]).get("message")
        if message is None:
            self._await_schedule(step)
        else:
            self._post(step, message)
            self._wait(f"{job}, which DTP's message starts,", lambda: self._service.waiting(job) == 0)
        played = Played(step, self._service.runs(job), self._service.items(job))
        self._say(telling.played(played))
        return played

    def settle(self) -> None:
        """Wait until nothing is under way any more. Raises RunnerError where that takes too long."""
        self._wait("the end of what is under way", lambda: self._service.waiting() == 0)

    def _post(self, step: dict[str, Any], message: Any) -> None:
        if not step["held_back"]:
            self._say(telling.posted(self._far_sides.post(message)))
            return
        self._far_sides.hold_back(True)
        receipt = self._far_sides.post(message)
        self._say(telling.posted(receipt))
        self._wait("the first try", lambda: len(self._service.runs(step["job"])) >= receipt["matched"])
        if not (pending := self._service.waiting(step["job"])):
            raise RunnerError("nothing waits, though Primero opens no case", fix="Report this line.")
        self.searches.append(look("while messages wait", self._service.folders, self._far_sides.children()))
        self._say(telling.held_back(pending, self.searches[-1]))
        self._far_sides.hold_back(False)

    def _await_schedule(self, step: dict[str, Any]) -> None:
        """It may have fired already; what a run that began before has made of the step is as good."""
        job, begun = step["job"], datetime.now(UTC)
        if not self._as_expected(step):
            self._say(telling.schedule(self._service.next_due(job)))
        since = report.shown(begun)
        self._wait(f"the schedule of {job}", lambda: self._as_expected(step) or self._has_run(job, since=since))

    def _as_expected(self, step: dict[str, Any]) -> bool:
        return bool(Counter(item["outcome"] for item in self._service.items(step["job"])) == step["expected"])

    def _has_run(self, job: str, *, since: str) -> bool:
        return any(run["started"] > since for run in self._service.runs(job))

    def _wait(self, for_what: str, is_there: Callable[[], bool]) -> None:
        until = time.monotonic() + _LONGEST
        while not is_there():
            if time.monotonic() > until:
                raise RunnerError(
                    f"{for_what} didn't come within {_LONGEST:.0f} s", fix="Look whether this machine is very busy."
                )
            time.sleep(_PAUSE)
