"""What a claim costs with 1,000 units pending, and with 1,000,000."""

import statistics
from datetime import UTC, datetime, timedelta
from functools import partial

from runner.store import Store
from runner.store.moments import text
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed

FEW, MANY = 1_000, 1_000_000
AT_ONCE = 10_000
JOBS = ("one", "two", "three")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CIPHERTEXT, WRAPPED = bytes(200), bytes(60)  # the size of an envelope is no matter of the claim
CLAIMS = 40  # in each round; each unit is put back


def figures(folder, rounds=15):
    """One claim, with its commit and its envelope."""
    with Store.open(folder / "few") as few, Store.open(folder / "many") as many:
        for store, number in ((few, FEW), (many, MANY)):
            fill(store, number)
        found = in_turn(rounds, many=partial(one_claim, many), few=partial(one_claim, few))
    few = f"{FEW:,} pending: {seconds(found['few'])}"
    yield Figure(
        f"claim with {MANY:,} pending", seconds(found["many"]), few, ratio(found["many"], found["few"]), "≤ 2 ×"
    )


def fill(store, number):
    """Let so many units wait, for three jobs, every second one of a subject that has another."""
    for first in range(0, number, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, number))
        due = NOW + timedelta(seconds=first / 1000)
        store.change(partial(_add, numbers=numbers, due=text(due)))


def _add(db, numbers, due):
    """As the store does, but all rows of a table at a time: a million would take PostgreSQL a quarter of an hour."""
    ids = [f"{each:032x}" for each in numbers]
    db.executemany("INSERT INTO envelopes (holder, ciphertext) VALUES (?, ?)", [(each, CIPHERTEXT) for each in ids])
    keys = [(each, "2026-03-01", WRAPPED) for each in ids]
    db.executemany("INSERT INTO wrapped_keys (holder, epoch, wrapped) VALUES (?, ?, ?)", keys)
    db.executemany(
        """INSERT INTO units (id, job, subject, started_by, turn, head, status, arrived, since, due)
           VALUES (?, ?, ?, 'message', ?, ?, 'pending', ?, ?, ?)""",
        [
            (unit, JOBS[each % 3], f"child {each // 2}", numbers.start + 1, 1 - each % 2, due, due, due)
            for each, unit in zip(numbers, ids, strict=True)
        ],
    )


def one_claim(store):
    """Seconds for a claim and its being put back, the median of some."""
    later = NOW + timedelta(days=1)
    return statistics.median(timed(lambda: _claimed(store, later)) for _ in range(CLAIMS))


def _claimed(store, now):
    unit = store.claim(now, jobs=JOBS)
    store.put_back(unit, now=now, due=now)
