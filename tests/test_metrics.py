"""Metrics: what Prometheus is shown, over HTTP, and that no id or name is ever in it."""

import re
import socket
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest
from virtual import Service, item, made

from runner import metrics
from runner.alerts.conditions import Condition
from runner.errors import StoreError, WrongUse
from runner.store import Store
from tests.kept import NOON, claim, post, run, unit

CANARY = "Nyaruot Beispiel"
LABELS = {"job", "system", "outcome", "code"}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path, now=lambda: NOON) as store:
        yield store


class Shown:
    """Metrics of a store, shown while the block runs; called, they are read."""

    def __init__(self, store, on=(), now=NOON):
        self._context = metrics.shown({"port": 0}, store, lambda: on, now=lambda: now)

    def __enter__(self):
        self.url = self._context.__enter__()
        return self

    def __exit__(self, *error):
        self._context.__exit__(*error)

    def __call__(self):
        text = httpx.get(self.url).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}


def test_what_waits(store):
    """Units by job and status, the age of the oldest, and what needs a look by severity."""
    post(store, "m1", unit("u1"))
    on = [Condition("given_up", "sort", "unreachable", "error"), Condition("given_up", "sort", "rejected", "error")]
    with Shown(store, on, now=NOON + timedelta(hours=2)) as shown:
        found = shown()
    assert 1 == found['runner_units{job="sort",outcome="pending"}']
    assert 7200 == found["runner_oldest_waiting_seconds"]
    assert 2 == found['runner_conditions{code="given_up",outcome="error"}']
    assert (1, 0, 0) == tuple(found[f"runner_{name}"] for name in ("store_up", "waiting_answers", "quarantined"))
    assert found["runner_disk_free_bytes"] > 0


def test_what_was_done(store):
    """Runs and items are counted from the start of the service on, each once, and never less than before."""
    store.settle_scheduled("read", run("r0", "done", job="read"), now=NOON)
    with Shown(store) as shown:
        assert [] == [name for name in shown() if name.startswith("runner_runs_total")]
        post(store, "m1", unit("u1"))
        store.succeed(claim(store), run("r1", "done", "refused"), now=NOON)
        for _ in range(2):
            found = shown()
            assert 1 == found['runner_runs_total{job="sort",outcome="succeeded"}']
            assert 3600 == found['runner_run_seconds_total{job="sort",outcome="succeeded"}']
            assert 1 == found['runner_items_total{job="sort",outcome="refused"}']
        assert NOON.timestamp() == found['runner_last_success_timestamp_seconds{job="sort"}']
        store.settle_scheduled("read", run("r2", job="read", outcome="failed"), now=NOON)
        assert 1 == shown()['runner_runs_total{job="read",outcome="failed"}']


def test_resting_credential(store):
    """R-DL1: a credential that is left alone is seen by its name."""
    store.open_circuit("south", NOON + timedelta(hours=1), "unauthorised")
    with Shown(store) as shown:
        assert 1 == shown()['runner_credential_resting{system="south"}']


def test_store_that_is_away(store, monkeypatch):
    """While the store can't be used, that is what is shown."""

    def fails(*_):
        raise StoreError(CANARY)

    with Shown(store) as shown:
        monkeypatch.setattr(store, "counts", fails)
        found = {name: value for name, value in shown().items() if name.startswith("runner")}
    assert {"runner_store_up": 0} == found


def test_no_child_in_the_metrics(tmp_path):
    """H41 R-LG8 Whatever a service meets, labels are those that are allowed, and no id, name or number is in them."""

    def parks(state):
        state["outcomes"].append(item("parked", "GAM-00000901", code=CANARY, message=CANARY))
        return state

    def dies(state):
        raise ValueError(CANARY)

    jobs = [made("sort", dies, on="x"), made("read", parks, cron="0 * * * *")]
    with Service(tmp_path, jobs=jobs, retry={"hours": 1}) as service:
        service.post({"type": "x", "name": CANARY, "number": "GAM-00000901"})
        with metrics.shown({"port": 0}, service.store, list, now=service.clock) as url:
            service.run(hours=3)
            text = httpx.get(url).text
        ids = [unit.id for unit in service.store.units()] + [run.id for run in service.store.runs()]
    assert 'runner_units{job="sort",outcome="dead"} 1.0' in text
    assert [] == [name for name in (*ids, CANARY, "Nyaruot", "GAM-00000901") if name in text]
    assert set(re.findall(r'[{,](\w+)="', text)) <= LABELS


def test_label_that_is_no_word(store):
    """R-LG8 In place of a name that isn't a word of a program or the project file stands its length."""
    store.settle_scheduled(CANARY, run("r1", job=CANARY), now=NOON)
    with Shown(store) as shown:
        store.settle_scheduled(CANARY, run("r2", job=CANARY), now=NOON)
        found = shown()
    assert 1 == found['runner_runs_total{job="(16 characters)",outcome="succeeded"}']
    assert CANARY not in str(found)


def test_loopback_and_a_port_that_is_taken(store):
    """Unless the project file says otherwise only this machine can ask; a port that is taken is told."""
    with Shown(store) as shown:
        assert shown.url.startswith("http://127.0.0.1:")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (taken.getsockname()[1], 70_000):
            with pytest.raises(WrongUse, match="can't be listened at"):
                metrics.shown({"port": port}, store, list, now=lambda: NOON).__enter__()


def test_imported_when_wanted_only():
    """The library of metrics is optional: nothing of the command line or the service loads it unless it is set."""
    code = "import runner.cli, runner.commands.serve, runner.commands.status, sys; print(sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "runner.alerts.rounds" in said
    assert "prometheus_client" not in said
