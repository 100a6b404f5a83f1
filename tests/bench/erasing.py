"""Erasing payloads so that no byte of them is left, against a bare delete with a checkpoint of the same bytes."""

import sqlite3
from datetime import UTC, datetime
from functools import partial

from runner.store import NewUnit, RunRecord, Store, units
from runner.vault import Sealed, WrappedKey
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed

PAYLOADS = 100
SIZE = 8_000  # bytes
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SEALED = Sealed(WrappedKey("2026-03-01", bytes(60)), bytes(SIZE))


def figures(folder, rounds=9):
    """One payload: its run kept, receipt and entry of the audit log written, the file scrubbed."""
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        bare.execute(f"PRAGMA {setting}")
    bare.execute("CREATE TABLE payloads (number INTEGER PRIMARY KEY, payload BLOB)")
    with Store.open(folder / "data") as store:
        found = in_turn(rounds, ours=partial(one_erasure, store), bare=partial(_bare, bare))
    other = f"`DELETE` and checkpoint alone: {seconds(found['bare'])}"
    what = f"erasing a payload of 8 KB, with its receipt and scrubbed ({PAYLOADS} in a row)"
    yield Figure(what, seconds(found["ours"]), other, ratio(found["ours"], found["bare"]))


def one_erasure(store):
    """Seconds for one of a hundred payloads, each made to vanish before the next, where the store can do that."""
    ids = [f"{store.version()}-{number}-{len(store.runs(1_000_000))}" for number in range(PAYLOADS)]
    new = [NewUnit(each, "sort", None, SEALED) for each in ids]
    store.change(lambda db: units.add(db, new, message=None, turn=units.next_turn(db), now=NOW))
    claimed = [store.claim(NOW, jobs=["sort"]) for _ in ids]

    def erase():
        for unit in claimed:
            store.succeed(unit, RunRecord(unit.id, "sort", unit.id, NOW, NOW, "succeeded", None, ()), now=NOW)
            assert store.scrub(now=NOW)

    return timed(erase) / PAYLOADS


def _bare(db):
    db.executemany("INSERT INTO payloads (payload) VALUES (?)", [(bytes(SIZE),)] * PAYLOADS)
    numbers = [number for (number,) in db.execute("SELECT number FROM payloads")]

    def erase():
        for number in numbers:
            db.execute("DELETE FROM payloads WHERE number = ?", (number,))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    return timed(erase) / PAYLOADS
