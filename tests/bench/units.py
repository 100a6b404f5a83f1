"""Units of a job that does nothing, done by the service: how many a second, from their claim to their receipt."""

import itertools
import statistics
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime

from runner import keys, project
from runner.inbox import settings
from runner.inbox.intake import Intake
from runner.keyfolder import KeyFolder
from runner.store import Store
from runner.vault import Vault
from tests.bench import load, posts
from tests.bench.idle import serving
from tests.bench.measure import Figure, in_turn, ratio
from tests.bench.postgres import databases

SECONDS = 5
BEGUN = 20  # units after which the start is over
WAITING = 4_000


def figures(folder, rounds=3):
    """The service over SQLite; over PostgreSQL one worker, and two, where that is installed."""
    numbers = itertools.count()
    what, alone = "units of a job that does nothing", "SQLite, one service"
    with databases(folder, "units over PostgreSQL") as database:
        sides = {alone: (None, 1)}
        if database:
            sides |= {"PostgreSQL, one worker": (database.address, 1), "PostgreSQL, two workers": (database.address, 2)}
        found = in_turn(
            rounds,
            **{side: lambda how=how: _done_a_second(folder / str(next(numbers)), *how) for side, how in sides.items()},
        )
    for side, rates in found.items():
        other = ("—", "—") if side == alone else (f"{alone}: {_told(found[alone])}", ratio(rates, found[alone]))
        yield Figure(f"{what}: {side}", _told(rates), *other)


def _told(rates):
    return f"{statistics.median(rates):,.0f}/s"


def _done_a_second(place, at, workers):
    """How many units the services do a second, all of which lie there when they start."""
    place.mkdir()
    address = at(place) if at else None
    _prepare(place, address)
    command = [sys.executable, "-m", "runner", "serve", "--json", *(["--worker"] if at else [])]
    with Store.open(place / "data", at=address) as store, ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(serving(command, place))
        return _rate(store)


def _prepare(place, address):
    """A project, and messages that wait for its job."""
    (place / "project.yaml").write_text(posts.PROJECT + (f"store: {address}\n" if address else ""))
    (place / "keep.py").write_text(posts.JOB)
    found, now = project.load(place / "project.yaml"), lambda: datetime.now(UTC)
    with Store.open(place / "data", at=address) as store:
        keys.create(store, "bench", now=now())
        vault = Vault(KeyFolder(place / "data" / "keys"), now=now)
        intake = Intake(store, vault, found, settings.of(found), now=now)
        for first in range(0, WAITING, 500):
            intake.take_each([(load.body(number), "bench") for number in range(first, first + 500)])


def _rate(store):
    while _done(store) < BEGUN:
        time.sleep(0.01)
    begun, before = time.perf_counter(), _done(store)
    while (done := _done(store)) < WAITING and time.perf_counter() - begun < SECONDS:
        time.sleep(0.1)
    return (done - before) / (time.perf_counter() - begun)


def _done(store):
    return store.read("SELECT count(*) FROM units WHERE status = 'succeeded'")[0][0]
