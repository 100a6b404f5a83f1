"""Metrics for Prometheus: counts, times and codes of the service, on a port of its own; never an id (R-LG8).

A label is `job`, `system`, `outcome` or `code`, and holds a word of a program or of the project file, as in the log;
docs/alerts.md lists what is shown.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runner.alerts.conditions import Condition
from runner.errors import StoreError, WrongUse
from runner.logs.events import said
from runner.room import Room
from runner.store import Store

_LOOPBACK = "127.0.0.1"
_JOB = ("job", "outcome")


class Metrics(Collector):
    """What the store tells when somebody asks; `on` gives what needs a look.

    Runs are counted from the moment when this is made, since a counter must not go back when old ones are deleted.
    """

    def __init__(self, store: Store, on: Callable[[], Sequence[Condition]], *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._on = on
        self._now = now
        self._turn = threading.Lock()
        self._last = store.last_run()
        self._runs: Counter[tuple[str, str]] = Counter()
        self._items: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[tuple[str, str], float] = {}

    def describe(self) -> list[Metric]:
        """Nothing, so that the store isn't asked before somebody wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of it as it is now; while the store can't be used, only that."""
        try:
            with self._turn:
                found = [*self._waiting(), *self._done(), *self._machine()]
        except (StoreError, OSError):
            found = []
        yield GaugeMetricFamily("runner_store_up", "Whether the data directory can be used.", value=bool(found))
        yield from found

    def _waiting(self) -> Iterator[Metric]:
        counts = self._store.counts()
        by_status = {(job, status): count for job, each in counts.jobs.items() for status, count in each.items()}
        yield _gauge("runner_units", "Units of work, by status.", _JOB, by_status)
        waited = (self._now() - counts.oldest).total_seconds() if counts.oldest else 0
        yield GaugeMetricFamily("runner_oldest_waiting_seconds", "How long the oldest has waited.", value=waited)
        yield GaugeMetricFamily("runner_waiting_answers", "Answers that wait for a far side.", value=counts.outbox)
        yield GaugeMetricFamily("runner_parked_records", "Records that a person must settle.", value=counts.parked)
        yield GaugeMetricFamily("runner_quarantined", "Messages that no job waits for.", value=counts.quarantined)

    def _done(self) -> Iterator[Metric]:
        self._last, tallies = self._store.tallies(self._last)
        for each in tallies:
            key = (each.job, each.outcome)
            self._runs[key] += each.runs
            self._seconds[key] = self._seconds.get(key, 0) + each.seconds
            self._items.update({(each.job, outcome): count for outcome, count in each.items.items()})
        yield _counter("runner_runs", "Runs of jobs, since the start.", self._runs)
        yield _counter("runner_run_seconds", "Seconds that they took.", self._seconds)
        yield _counter("runner_items", "Items of runs, since the start.", self._items)
        last = {(job,): time.timestamp() for job, time in self._store.last_success().items()}
        yield _gauge("runner_last_success_timestamp_seconds", "When a job last succeeded.", ("job",), last)

    def _machine(self) -> Iterator[Metric]:
        room = Room.of(self._store.folder)
        yield GaugeMetricFamily("runner_disk_free_bytes", "Room on the disk of the data directory.", value=room.free)
        resting = {(name,): 1 for name in self._store.circuits(self._now())}
        yield _gauge("runner_credential_resting", "Credentials that are left alone.", ("system",), resting)
        on = Counter((each.code, each.severity) for each in self._on())
        yield _gauge("runner_conditions", "What needs a look, by how grave it is.", ("code", "outcome"), on)


@contextmanager
def shown(
    settings: Mapping[str, Any], store: Store, on: Callable[[], Sequence[Condition]], *, now: Callable[[], datetime]
) -> Iterator[str]:
    """Show them at the address of the project file's table `metrics` while the block runs; gives that address.

    Raises WrongUse where it is taken.
    """
    registry = CollectorRegistry()
    registry.register(Metrics(store, on, now=now))
    ProcessCollector(registry=registry)
    address, port = settings.get("address", _LOOPBACK), settings["port"]
    try:
        server, thread = start_http_server(port, address, registry)
    except (OSError, OverflowError):
        fix = "Choose another: port or address, in the table metrics of the project file."
        raise WrongUse(f"port {port} of {address} can't be listened at", fix=fix) from None
    try:
        yield f"http://{address}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, text: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric([_word(each) for each in key], value)
    return family


def _counter(name: str, text: str, values: Mapping[tuple[str, str], float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=_JOB)
    for key, value in values.items():
        family.add_metric([_word(each) for each in key], value)
    return family


def _word(text: str) -> str:
    return str(said("code", text)) if text else ""
