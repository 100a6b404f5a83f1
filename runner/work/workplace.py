"""What the parts of the worker share."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from runner.logs.log import Log
from runner.project import Job, Project
from runner.store import Store
from runner.vault import Vault
from runner.work.retry import RetryTable
from runner.work.running import Performed, Runs, World
from runner.work.settlements import Settlements
from runner.work.turns import Turns
from runner.work.windows import Window


@dataclass(frozen=True)
class Workplace:
    """The data directory, the project and the seams of one service, and who is at what in it."""

    store: Store
    vault: Vault
    project: Project
    world: World
    runs: Runs
    turns: Turns
    settlements: Settlements
    table: RetryTable

    def now(self) -> datetime:
        """The time."""
        return self.world.now()

    @property
    def log(self) -> Log:
        """Where events are written."""
        return self.world.log

    def let_rest(self, job: Job, performed: Performed) -> None:
        """Leave the credentials alone that were refused in a run (R-DL1)."""
        for name, code in {cause.credential: cause.code for cause in performed.run.causes if cause.credential}.items():
            self.turns.rest(job.credentials.get(name, name), code, self.table.rest)

    def keep_remarks(self, job: Job, performed: Performed) -> None:
        """Remember what a run found out that an administrator should know, such as that a second key had to be used."""
        for code in {code for found in performed.run.state.get("outcomes", ()) for code in found.get("remarks", ())}:
            self.store.note_sign("run_remarked", about=job.name, why=code, now=self.now())

    def tell_parked(self, job: Job, window: Window, *, before: Collection[str]) -> None:
        """Write an event for each record that a person must settle and that wasn't parked `before`."""
        for name, item in window.parked.items():
            if name not in before:
                self.log.write("record_parked", job=job.name, ids=item["ids"], code=item["code"])
