"""Posts to the inbox, authenticated, fingerprinted, encrypted and flushed, against a bare route with one insert."""

import os
import statistics
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from runner import keys
from runner.store import Store
from tests.bench import load
from tests.bench.measure import ENVIRONMENT, ROOT, Figure, in_turn, ratio

PROJECT = """\
name: posts
jobs:
  keep: {script: keep.py, trigger: posted, enabled: true}
triggers:
  posted: {message: {request_type: Keep}}
inbox: {port: 0, rate: 1000000000}
"""
# The inbox alone is measured: nothing is done with what it keeps.
SERVE = """
import random, sys
from datetime import UTC, datetime
from pathlib import Path
from runner import project
from runner.inbox import settings
from runner.inbox.app import inbox
from runner.listener import Listener
from runner.store import Store
from runner.vault import Vault
now = lambda: datetime.now(UTC)
found = project.load(Path("project.yaml"))
store = Store.open(Path("data"))
listener = Listener(inbox(store, Vault(Path("data/keys"), now=now), found, now=now), settings.of(found))
print(listener.url.rpartition(":")[2], flush=True)
listener.run()
"""
POSTS, CONNECTIONS = 2_000, 32


def figures(folder, rounds=7):
    """How many posts a second, and the slowest of a hundred, at 32 connections."""
    (folder / "project.yaml").write_text(PROJECT)
    (folder / "keep.py").write_text('"""Keeps."""\n\noperations = [lambda state: state]\n')
    with Store.open(folder / "data") as store:
        key = keys.create(store, "bench", now=datetime.now(UTC))
    ours, bare = [sys.executable, "-c", SERVE], [sys.executable, "-m", "tests.bench.bare", str(folder / "bare.sqlite")]
    numbers = iter(range(0, 1_000_000_000, POSTS))
    with _serving(ours, folder) as port, _serving(bare, folder) as other:

        def posted(to):
            return lambda: load.post(to, key, first=next(numbers), number=POSTS, connections=CONNECTIONS)

        in_turn(1, ours=posted(port), bare=posted(other))
        found = in_turn(rounds, ours=posted(port), bare=posted(other))
    rates = {name: [each.rate for each in loads] for name, loads in found.items()}
    slowest = {name: [each.p99 for each in loads] for name, loads in found.items()}
    a_second = {name: f"{statistics.median(values):,.0f}/s" for name, values in rates.items()}
    p99 = {name: f"{statistics.median(values) * 1000:.0f} ms" for name, values in slowest.items()}
    bare = "bare Starlette route, one committed insert: "
    what = f"inbox, posts of 8 KB at {CONNECTIONS} connections"
    yield Figure(what, a_second["ours"], bare + a_second["bare"], ratio(rates["ours"], rates["bare"]), "≥ 0.5 ×")
    yield Figure(
        f"{what}: 99th percentile", p99["ours"], bare + p99["bare"], ratio(slowest["ours"], slowest["bare"]), "≤ 60 ms"
    )


@contextmanager
def _serving(command, folder):
    """A server in a process of its own, which says its port first."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            with suppress(OSError):
                os.kill(process.pid, 9)
