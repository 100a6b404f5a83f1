"""The steps of a rehearsal: what begins each, in the real service, and what became of the records."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from runner import report
from runner.commands.demo.service import Item, Service
from runner.commands.demo.standins import StandIns
from runner.errors import RunnerError

_LONGEST = 300.0  # seconds; a schedule of every minute may be missed once
_PAUSE = 0.3  # seconds

Step = dict[str, Any]


class Rehearsing:
    """One rehearsal between the stand-ins and the service."""

    def __init__(self, far_sides: StandIns, service: Service) -> None:
        self._far_sides = far_sides
        self._service = service
        self._due: dict[str, str] = {}

    def play(self, steps: list[Step]) -> dict[str, list[Item]]:
        """Take the steps in order; gives the records of each job. What is scheduled is waited for before the next
        message. Raises RunnerError where that takes too long.
        """
        for step in steps:
            begins = {"message": self._by_message, "schedule": self._by_schedule, "state": self._by_hand}
            begins[step["starts"]](step)
        self._await_schedules()
        return {step["job"]: self._service.items(step["job"]) for step in steps}

    def _by_message(self, step: Step) -> None:
        self._await_schedules()
        self._far_sides.post(self._far_sides.begin(step["name"])["message"])
        self._wait(f"the end of {step['job']}", lambda: self._service.waiting() == 0)

    def _by_schedule(self, step: Step) -> None:
        self._far_sides.begin(step["name"])
        self._due[step["job"]] = report.shown(datetime.now(UTC))

    def _by_hand(self, step: Step) -> None:
        file = self._service.folder / "tmp" / "state.json"
        for state in self._far_sides.begin(step["name"])["states"]:
            file.write_text(json.dumps(state), "utf-8")
            told = self._service.command("run", step["job"], "--state", str(file))
            self._service.note(step["job"], told["items"])

    def _await_schedules(self) -> None:
        for job, since in self._due.items():
            self._wait(f"the schedule of {job}", partial(self._has_run, job, since))
        self._due.clear()

    def _has_run(self, job: str, since: str) -> bool:
        return any(run["started"] > since for run in self._service.runs(job))

    def _wait(self, for_what: str, is_there: Callable[[], bool]) -> None:
        until = time.monotonic() + _LONGEST
        while not is_there():
            if time.monotonic() > until:
                raise RunnerError(
                    f"{for_what} didn't come within {_LONGEST:.0f} s", fix="Look whether this machine is very busy."
                )
            time.sleep(_PAUSE)
