"""Units that procrastinate hands out to the processes of several machines (runner/store/handing.py makes the jobs).

Whose process is killed or frozen loses its locks: then others find what it was at, and it is handed out again. A
process that was frozen finds, when it wakes, that the locks of its runs are gone, and sends nothing more.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, cast

from procrastinate import App, PsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from runner.errors import StoreError
from runner.logs import faults
from runner.logs.log import Log
from runner.store import Store
from runner.store.address import checked
from runner.store.handing import TASK

LEASE = 6.0  # seconds of silence after which a process counts as gone
BEAT = 2.0  # seconds between two signs of life, and between two looks for what was left lying
_AFTER_TROUBLE = 5.0  # seconds before connecting anew
_BESIDE = 3  # connections beside those that listen


class _Jobs(JobManager):
    """The jobs of those who work here, who notice when the end of one could not be written.

    Such a job would count as under way as long as its worker lives, and nobody would be given its unit again.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._lost = asyncio.Event()

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Remove a job that a worker has ended. Raises ConnectorException."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException:
            self._lost.set()
            raise

    async def end_with_one_lost(self) -> None:
        """Wait until one is lost. Raises StoreError then."""
        await self._lost.wait()
        raise StoreError("the end of a job could not be written", fix="Wait: its unit is handed out again.")


class HandOut:
    """Performs units as they are handed out: `perform` is given a unit's id, in a thread of its own.

    `address` is that of the database, `workers` says of each job how many of its units are performed at a time here.
    """

    def __init__(self, address: str, workers: Mapping[str, int], perform: Callable[[str], None], log: Log) -> None:
        self._address = address
        self._workers = dict(workers)
        self._perform = perform
        self._log = log
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()

    def run(self) -> None:
        """Perform until `stop`; then what is under way ends first. A database that is away is tried again."""
        with ThreadPoolExecutor(max(sum(self._workers.values()), 1), "unit") as threads:
            self._loop.set_default_executor(threads)
            self._loop.run_until_complete(self._until_stopped())
        self._loop.close()

    def stop(self) -> None:
        """End `run`; from another thread, or a signal handler."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def _until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._connected()
            except Exception as error:
                self._log.write("trouble", part="hand-out", type=type(error).__name__, code=StoreError.code)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _AFTER_TROUBLE)

    async def _connected(self) -> None:
        """Until it is stopped, or the database breaks off; then what is under way ends, and the error is raised."""
        most = 2 * len(self._workers) + _BESIDE
        app = App(connector=PsycopgConnector(conninfo=checked(self._address), min_size=1, max_size=most))
        app.job_manager = jobs = _Jobs(app.connector)
        app.task(name=TASK)(self._run_unit)
        async with app.open_async():
            doing: list[Coroutine[Any, Any, Any]] = [self._stopping.wait(), jobs.end_with_one_lost(), self._clear(app)]
            doing += [self._work(app, job, number) for job, number in self._workers.items()]
            tasks = [asyncio.create_task(each) for each in doing]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()

    def _run_unit(self, unit: str) -> None:
        self._perform(unit)

    async def _work(self, app: App, job: str, number: int) -> None:
        await app.run_worker_async(
            queues=[job], concurrency=number, install_signal_handlers=False, delete_jobs="always",
            update_heartbeat_interval=BEAT, stalled_worker_timeout=LEASE,
        )  # fmt: skip

    async def _clear(self, app: App) -> None:
        """Remove the jobs of those who are gone; the trigger makes a new one when the unit is let go."""
        while True:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE):
                with suppress(ConnectorException):  # another process was faster
                    await app.job_manager.finish_job_by_id_async(cast(int, job.id), Status.FAILED, delete_job=True)
            await asyncio.sleep(BEAT)


@contextmanager
def at_work(
    hand_out: HandOut, store: Store, offer: Callable[[], None], ended: threading.Event, log: Log
) -> Iterator[None]:
    """Perform what is handed out while the block runs, show that this process lives, and look after the others."""
    store.lease(LEASE)
    threads = [
        threading.Thread(target=hand_out.run),
        threading.Thread(target=_every, args=(BEAT, store.beat, ended, log)),
        threading.Thread(target=_every, args=(BEAT, offer, ended, log)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        hand_out.stop()
        for thread in threads:
            thread.join()


def _every(seconds: float, do: Callable[[], None], ended: threading.Event, log: Log) -> None:
    while not ended.wait(seconds):
        try:
            do()
        except StoreError as error:
            log.write("trouble", part="hand-out", type=type(error).__name__, code=error.code)
        except Exception as error:
            log.write("unforeseen", part="hand-out", **faults.place_of(error))
