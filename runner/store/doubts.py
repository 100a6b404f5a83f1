"""What the ledger can't vouch for after a restore: it is held back until a person releases it (R-ER6).

Between a backup and the loss of what it was made of, things were sent of which the restored ledger knows nothing. A
scheduled job reads that time again in its first run from its restored cursor on. Until one such run has read through
without a failure, whatever the ledger doesn't show as done is *doubtful*: it is parked, and stays so for good. Answers
that waited when the backup was made may have been delivered since: they are *held*.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from sys import maxsize
from typing import Any

from runner.store.connection import Connection, Transaction
from runner.store.entries import change_status
from runner.store.records import Parked
from runner.store.settings import keep_setting, kept_setting

RESTORED = "restored"
CODE = "not_vouched"

_HELD = "held = 1 AND ('outbox:' || system || '/' || number = ?1 OR ?2 = 'not_vouched')"
_WHY = "a backup was restored, and it may have been delivered since that was made"
_FIX = "Ask the other side whether it has this answer; then retry or discard it."


def begin(db: Transaction, moment: str) -> None:
    """From now on nothing is vouched for that the ledger doesn't show as done."""
    keep_setting(db, RESTORED, moment)
    db.execute("UPDATE outbox SET held = 1")


def end(db: Transaction, job: str) -> None:
    """A scheduled job has read through: what comes from now on is new."""
    if restored := kept_setting(db, RESTORED):
        keep_setting(db, _vouched(job), restored)


def in_doubt(db: Connection, job: str) -> bool:
    """Whether a scheduled job has yet to read through since a backup was restored."""
    restored = kept_setting(db, RESTORED)
    return restored is not None and kept_setting(db, _vouched(job)) != restored


def held_answers(db: Connection, limit: int = maxsize) -> Iterator[Parked]:
    """The answers that are held back, the oldest first."""
    held = "SELECT system, number, kind, key, since FROM outbox WHERE held = 1 ORDER BY number LIMIT ?"
    rows = db.execute(held, (limit,)).fetchall()
    for system, number, kind, key, since in rows:
        ids = {"kind": kind, "key": key}
        yield Parked(f"outbox:{system}", str(number), ids, CODE, _WHY, _FIX, datetime.fromisoformat(since))


def release(db: Transaction, name: str | None, code: str | None) -> int:
    """Let answers go that are held, and what is doubtful of records that are released. How many answers there were."""
    rows = db.execute(
        """SELECT ids FROM parked WHERE code = 'not_vouched' AND released IS NULL
             AND (job || '/' || record = ?1 OR ?2 = 'not_vouched')""",
        (name, code),
    ).fetchall()
    for (ids,) in rows:
        change_status(db, json.loads(ids), "doubtful", "released")
    return db.execute(f"UPDATE outbox SET held = 0 WHERE {_HELD}", (name, code)).rowcount


def drop_answer(db: Transaction, name: str) -> bool:
    """Forget an answer that is held, since it was delivered, or never shall be; False when there is none."""
    return _drop(db, _HELD, (name, None))


def drop_parked_answer(db: Transaction, name: str) -> bool:
    """Forget the answer that a parked record is about, the first of its key; False when it is about none.

    Such a record bears the very key by which the answer waits; that of a case may name one, too, but bears its own id.
    """
    row = db.execute("SELECT record, ids FROM parked WHERE job || '/' || record = ?", (name,)).fetchone()
    record, ids = (row[0], json.loads(row[1])) if row else (None, {})
    if "key" not in ids or ids["key"] != record:
        return False
    return _drop(db, "number = (SELECT min(number) FROM outbox WHERE kind = ? AND key = ?)", (ids.get("kind"), record))


def _drop(db: Transaction, which: str, values: tuple[Any, ...]) -> bool:
    rows = db.execute(f"DELETE FROM outbox WHERE {which} RETURNING kind, key", values).fetchall()
    for kind, key in rows:
        settle_answer(db, kind, key)
    return bool(rows)


def settle_answer(db: Transaction, kind: str, key: str) -> None:
    """Nothing waits any more behind an answer that was dropped, unless another of its key does."""
    if not db.execute("SELECT 1 FROM outbox WHERE kind = ? AND key = ?", (kind, key)).fetchone():
        change_status(db, {"kind": kind, "key": key}, "waiting", "done")


def _vouched(job: str) -> str:
    return f"read through since the restore: {job}"
