"""The worker: does what is due, one thing at a time, in as many threads as call it.

Settlements     what the store refused to write down before
Housekeeping    keys, expiry, scrubbing
Clockwork       scheduled jobs
Deliveries      answers that wait
Units           messages, and what follows from them
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any

from runner import custody
from runner.jobscript import JobScript
from runner.logs.log import SILENT, Log
from runner.project import Job, Project
from runner.provenance import UNKNOWN, Provenance
from runner.statefile import State
from runner.store import Store
from runner.vault import Vault
from runner.work import checkpoints
from runner.work.ages import Ages
from runner.work.clockwork import Clockwork
from runner.work.deliveries import Deliveries
from runner.work.housekeeping import Housekeeping
from runner.work.retry import RetryTable
from runner.work.running import Runs, World
from runner.work.setbacks import Setbacks
from runner.work.settlements import Settlements
from runner.work.turns import Turns
from runner.work.units import Units
from runner.work.workplace import Workplace


class Worker:
    """The worker of one service on one data directory.

    `configuration` gives a job's credentials, `{name: credential}`, anew for each run; `runtime` what operations see of
    the world (clock, network …; None lets them see the real one); `load` a job's script. `now` and `random` are its
    clock and its chance, `log` is where events are written, `made_of` stands beside each run. Where several machines
    share the work, units are `handed` out: then `step` does the rest. When it is made, whatever a killed service was at
    becomes due again. Raises InvalidJob when an enabled job can't be loaded, VaultError when
    what waits can't be opened; then nothing was touched.

    >>> worker = Worker(store, vault, project, configuration=of_job, now=now)  # doctest: +SKIP
    >>> while worker.step(): ...  # doctest: +SKIP
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        project: Project,
        *,
        configuration: Callable[[Job], State],
        now: Callable[[], datetime],
        random: Random | None = None,
        runtime: Callable[[], Any] | None = None,
        load: Callable[[Job], JobScript] | None = None,
        log: Log = SILENT,
        made_of: Provenance = UNKNOWN,
        handed: bool = False,
    ) -> None:
        world = World(now, configuration, random or SystemRandom(), runtime, log, made_of)
        self._place = Workplace(
            store=store,
            vault=vault,
            project=project,
            world=world,
            runs=Runs(store, world, load),
            turns=Turns(project, store, now=now, log=log),
            settlements=Settlements(),
            table=RetryTable.of(project.settings.get("retry", {})),
        )
        for job in project.jobs.values():
            if job.enabled:
                self._place.runs.load(job)
        custody.check(store, vault)
        if not handed:
            store.release_abandoned(now())
        self._housekeeping = Housekeeping(
            store, vault, Ages.of(project), now=now, log=log, sign_into=checkpoints.folder_of(project)
        )
        self._clockwork, self._deliveries = Clockwork(self._place), Deliveries(self._place)
        self._units = Units(self._place)
        alone = () if handed else (self._units,)
        self._chores = (self._housekeeping, self._clockwork, self._deliveries, *alone)
        self._setbacks = Setbacks(store.newest_moment() or now(), mend=self._set_back)

    def step(self) -> bool:
        """Do one thing that is due; False when nothing is. Raises StoreError while the store can't be used, VaultError
        when a key is gone; nothing is lost by calling again later."""
        self._setbacks.look(self._place.now())
        return self._place.settlements.catch_up() or any(chore.step() for chore in self._chores)

    def begin(self, unit_id: str) -> bool:
        """Run a unit that was handed out, if it may be run here and now; False when not. Raises as `step` does."""
        self._place.settlements.catch_up()
        return self._units.begin(unit_id)

    def offer(self) -> None:
        """Let be done what others have left lying, since they are gone or could not. Raises StoreError."""
        self._units.offer()
        self._clockwork.look_round()

    def next_due(self) -> datetime | None:
        """When something is due next, a moment that has passed when it is already; None when nothing ever will be."""
        times = [*(chore.next_due() for chore in self._chores), self._place.turns.next_end_of_rest()]
        return min((time for time in times if time), default=None)

    def _set_back(self, now: datetime, by: timedelta) -> None:
        """Let nothing wait until a clock that was set back has caught up."""
        self._place.store.set_back(now, rest=timedelta(minutes=self._place.table.rest))
        self._clockwork.start_over(now)
        self._deliveries.start_over()
        self._housekeeping.start_over(now)
        self._place.log.write("clock_set_back", by=by.total_seconds())

    def stop(self) -> None:
        """Let runs end after the operation at hand; what they were at goes on at the next start."""
        self._place.runs.stop()
