"""Lives of a service, each of which ends with a real kill -9 at a step of its own: `python -m tests.mortal FOLDER`.

A step is a statement of the writing connection (BEGIN and COMMIT too), a checkpoint, or a change of the vault's keys.
For each step there is a folder in which one process takes a message, does it and erases it until it is killed at that
step, and another goes on from there to the end. `<step>-left` is what the first has left.
"""

import json
import os
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from runner import project
from runner.inbox.intake import Intake
from runner.inbox.settings import Settings
from runner.jobscript import JobScript
from runner.keyfolder import KeyFolder
from runner.project import Job
from runner.store import Store
from runner.triggers import Trigger
from runner.vault import Vault
from runner.work.worker import Worker

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job("mark", Path("mark.py"), (Trigger("posted", "message", {"type": "mark"}),))


class Fate:
    """Counts the steps of a life, and ends it at one of them; at 0 it never does."""

    def __init__(self, at):
        self.at, self.steps = at, 0

    def step(self, *_):
        """Die, or go on."""
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore(Store):
    """A store in whose every statement the process may be killed."""

    fate = Fate(0)

    def _connect(self):
        db = super()._connect()
        if not hasattr(self, "_writer"):  # it is the first
            db.set_trace_callback(self.fate.step)
        return db

    def checkpoint(self, *, patience=0.25):
        done = super().checkpoint(patience=patience)
        self.fate.step()
        return done


class MortalKeys(KeyFolder):
    """Keys in whose every change the process may be killed."""

    fate = Fate(0)

    def make(self, name):
        self.fate.step()
        super().make(name)
        self.fate.step()

    def destroy(self, name):
        self.fate.step()
        super().destroy(name)
        self.fate.step()


def live(folder, at, state):
    """A service from its start until nothing is due, the next day too; the number of its steps."""
    fate = MortalStore.fate = MortalKeys.fate = Fate(at)
    time, answered = [NOON], folder / "answered"
    made = project.Project(Path("project.yaml"), "made", {JOB.name: JOB})
    with MortalStore.open(folder / "data") as store:
        vault = Vault(MortalKeys(folder / "keys"), now=lambda: time[0])
        worker = Worker(
            store, vault, made, configuration=lambda job: {}, now=lambda: time[0], random=Random(),
            load=lambda job: JobScript(job.name, job.script, "", (marking(folder),)),
        )  # fmt: skip
        if not answered.exists():
            accepted = Intake(store, vault, made, Settings(), now=lambda: time[0]).take(state, "unhcr")
            answered.write_text(accepted.id)
        for day in range(2):
            time[0] = NOON + timedelta(days=day)
            while worker.step():
                pass
    return fate.steps


def marking(folder):
    """The operation of the only job: leaves a mark once, and looks for it after a try that was killed."""

    def mark(state):
        ledger, marks = state["ledger"], folder / "marks"
        before = ledger.read("mark", "m")
        if before is None or (before["status"] == "intended" and not marks.exists()):
            ledger.write("mark", "m", {"status": "intended", "value": "", "answer": {}})
            with open(marks, "a") as file:
                file.write("m")
        ledger.write("mark", "m", {"status": "done", "value": "", "answer": {}})
        return state

    return mark


def in_a_process(do):
    """Do it in a process of its own; how that ended, as `os.waitstatus_to_exitcode` tells."""
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__} {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder):
    """All lives, in `<folder>/<step>`; tells `{step: [how the first ended, how the second ended]}`."""
    state = sys.stdin.buffer.read()
    with Store.open(folder / "made" / "data"):
        pass  # so that each life begins with tables that are there
    shutil.copytree(folder / "made", folder / "whole")
    steps = live(folder / "whole", 0, state)
    ends = {}
    for at in range(1, steps + 1):
        place = folder / str(at)
        shutil.copytree(folder / "made", place)
        first = in_a_process(lambda: live(place, at, state))  # noqa: B023
        left = folder / f"{at}-left"
        shutil.copytree(place, left)
        ends[at] = [first, in_a_process(lambda: live(place, 0, state))]  # noqa: B023
    sys.stdout.write(json.dumps(ends))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
