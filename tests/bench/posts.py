"""Posts to the inbox, authenticated, fingerprinted, encrypted and flushed, against a bare route with one insert."""

import os
import statistics
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from runner import keys
from runner.store import Store
from tests.bench import load
from tests.bench.measure import ENVIRONMENT, ROOT, Figure, folder, in_turn, ratio, seconds, timed

PROJECT = """\
name: posts
jobs:
  keep: {script: keep.py, trigger: posted, enabled: true}
triggers:
  posted: {message: {request_type: Keep}}
inbox: {port: 0, rate: 1000000000}
"""
JOB = '"""Keeps."""\n\noperations = [lambda state: state]\n'
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
from runner.keyfolder import KeyFolder
from runner.vault import Vault
now = lambda: datetime.now(UTC)
found = project.load(Path("project.yaml"))
store = Store.open(Path("data"), at=sys.argv[1] if sys.argv[1:] else None)
listener = Listener(inbox(store, Vault(KeyFolder(Path("data/keys")), now=now), found, now=now), settings.of(found))
print(listener.url.rpartition(":")[2], flush=True)
listener.run()
"""
POSTS, CONNECTIONS = 2_000, 32
WHAT = f"inbox, posts of 8 KB at {CONNECTIONS} connections"


def figures(place, rounds=7):
    """How many posts a second, and the slowest of a hundred, at 32 connections: with a disk that flushes each commit,
    which is what durable means, and in memory, where the CPU alone is compared."""
    yield from _beside_bare(place, WHAT, rounds, ("≥ 0.5 ×", "≤ 60 ms"))
    with folder(in_memory=True) as memory:
        yield from _beside_bare(Path(memory), f"the same in memory, {CONNECTIONS} connections", rounds)


def flush(place, rounds=200):
    """How long a flush of 8 KB takes in this folder, in seconds, each time."""
    with open(place / "flushed", "wb", buffering=0) as file:
        return [timed(lambda: (file.write(bytes(8192)), os.fdatasync(file.fileno()))) for _ in range(rounds)]


def _beside_bare(place, what, rounds, targets=("—", "—")):
    bare = [sys.executable, "-m", "tests.bench.bare", str(place / "bare.sqlite")]
    name = f"bare Starlette route, one committed insert (a flush takes {seconds(flush(place))})"
    with inbox(place) as ours, _serving(bare, place) as port:
        yield from compared(what, rounds, ours, (name, _posting(port)), targets)


@contextmanager
def inbox(place, at=None):
    """An inbox in a process of its own while the block runs, its store in the folder or at this address; gives what
    posts a round to it."""
    (place / "project.yaml").write_text(PROJECT)
    (place / "keep.py").write_text(JOB)
    with Store.open(place / "data", at=at) as store:
        key = keys.create(store, "bench", now=datetime.now(UTC))
    with _serving([sys.executable, "-c", SERVE, *([at] if at else [])], place) as port:
        yield _posting(port, key)


def compared(what, rounds, ours, other, targets=("—", "—")):
    """How many posts a second, and the slowest of a hundred; `other` is the other side's name, and what posts to it."""
    name, theirs = other
    in_turn(1, ours=ours, other=theirs)
    found = in_turn(rounds, ours=ours, other=theirs)
    rates = {side: [each.rate for each in loads] for side, loads in found.items()}
    slowest = {side: [each.p99 for each in loads] for side, loads in found.items()}
    a_second = {side: f"{statistics.median(values):,.0f}/s" for side, values in rates.items()}
    p99 = {side: f"{statistics.median(values) * 1000:.0f} ms" for side, values in slowest.items()}
    yield Figure(
        what, a_second["ours"], f"{name}: {a_second['other']}", ratio(rates["ours"], rates["other"]), targets[0]
    )
    slow = ratio(slowest["ours"], slowest["other"])
    yield Figure(f"{what}: 99th percentile", p99["ours"], f"{name}: {p99['other']}", slow, targets[1])


def _posting(port, key="none"):
    """A round of posts to this port, each time of messages that were not there before; its Load."""
    numbers = iter(range(0, 1_000_000_000, POSTS))
    return lambda: load.post(port, key, first=next(numbers), number=POSTS, connections=CONNECTIONS)


@contextmanager
def _serving(command, place):
    """A server in a process of its own, which says its port first."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=place, env=environment) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            with suppress(OSError):
                os.kill(process.pid, 9)
