"""What a claim costs with 1,000 units pending, and with 1,000,000."""

import statistics
from datetime import UTC, datetime, timedelta
from functools import partial

from runner.store import NewUnit, Store, units
from runner.vault import Sealed, WrappedKey
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed

FEW, MANY = 1_000, 1_000_000
AT_ONCE = 10_000
JOBS = ("one", "two", "three")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SEALED = Sealed(WrappedKey("2026-03-01", bytes(60)), bytes(200))  # the size of an envelope is no matter of the claim
CLAIMS = 40  # in each round; each unit is put back


def figures(folder, rounds=15):
    """One claim, with its commit and its envelope."""
    with Store.open(folder / "few") as few, Store.open(folder / "many") as many:
        for store, number in ((few, FEW), (many, MANY)):
            fill(store, number)
        found = in_turn(rounds, many=partial(_claims, many), few=partial(_claims, few))
    few = f"{FEW:,} pending: {seconds(found['few'])}"
    yield Figure(
        f"claim with {MANY:,} pending", seconds(found["many"]), few, ratio(found["many"], found["few"]), "≤ 2 ×"
    )


def fill(store, number):
    """Let so many units wait, for three jobs, every second one of a subject that has another."""
    for first in range(0, number, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, number))
        due = NOW + timedelta(seconds=first / 1000)
        new = [NewUnit(f"{each:032x}", JOBS[each % 3], f"child {each // 2}", SEALED) for each in numbers]
        store.change(partial(_add, new=new, due=due))


def _add(db, new, due):
    units.add(db, new, message=None, turn=units.next_turn(db), now=due)


def _claims(store):
    later = NOW + timedelta(days=1)
    return statistics.median(timed(lambda: _claimed(store, later)) for _ in range(CLAIMS))


def _claimed(store, now):
    unit = store.claim(now, jobs=JOBS)
    store.put_back(unit, now=now, due=now)
