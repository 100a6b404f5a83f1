"""What the parts of the worker share."""

from dataclasses import dataclass
from datetime import datetime

from runner.project import Job, Project
from runner.retry import RetryTable
from runner.running import Performed, Runs, World
from runner.settlements import Settlements
from runner.store import Store
from runner.turns import Turns
from runner.vault import Vault


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

    def let_rest(self, job: Job, performed: Performed) -> None:
        """Leave the credentials alone that were refused in a run (R-DL1)."""
        for cause in performed.run.causes:
            if cause.credential:
                self.turns.rest(job.credentials.get(cause.credential, cause.credential), cause.code, self.table.rest)
