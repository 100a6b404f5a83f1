"""What was found missing is brought to the job that sends it, unless nobody can vouch that it wasn't sent before.

The ledger vouches by an entry. Where it has none, the runs do that are kept, as long as nothing else can have happened:
since the record was made the audit log tells of no restore, no purge of that time, no run by hand (of which no items
are kept), and no service that was killed.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from runner.store.audit import nameable, note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.entries import keep_entry, tombstone
from runner.store.moments import document, text
from runner.store.records import Missing

# What became of something missing.
QUEUED = "queued"  # its job reads the record again, and sends it
HELD = "held"  # its job reads the record again, and parks it until a person releases it
MENDED = "mended"  # it was sent, and the ledger knows it again
UNDER_WAY = "under_way"  # it was sent meanwhile, or waits: to be tried again, for a person, or in the outbox


class Repairs(Database):
    """Mending what was lost."""

    def repair(self, missing: Missing, *, now: datetime) -> str:
        """Let something missing be sent, or be held back: all in one transaction. Gives one of the words above.

        What a person has to release stays with them.
        """

        def work(db: Transaction) -> str:
            word = _verdict(db, missing)
            if word in (MENDED, HELD):
                status = "done" if word == MENDED else "doubtful"
                entry = {"status": status, "value": missing.value, "answer": {}}
                keep_entry(db, missing.kind, missing.key, entry, text(now))
            if word in (QUEUED, HELD):
                _queue(db, missing, now)
            if word != UNDER_WAY:
                name = nameable(db, f"{missing.job}/{missing.record}")
                note(db, "repaired", now, job=missing.job, code=word, id=name)
            return word

        return self.change(work)

    def remember_told(self, kind: str, key: str, value: str, *, now: datetime) -> None:
        """Keep in the ledger that a person has settled something with the other agency."""
        entry = {"status": "done", "value": value, "answer": {}}

        def work(db: Transaction) -> None:
            keep_entry(db, kind, key, entry, text(now))
            note(db, "told", now, id=nameable(db, key))

        self.change(work)


def _verdict(db: Transaction, missing: Missing) -> str:
    gone = tombstone(db, missing.kind, missing.key)
    record = (missing.job, missing.record)
    tried = db.execute("SELECT 1 FROM item_tries WHERE job = ? AND record = ?", record).fetchone()
    parked = db.execute("SELECT 1 FROM parked WHERE job = ? AND record = ? AND released IS NULL", record).fetchone()
    entry = db.execute(
        "SELECT status, value FROM ledger WHERE kind = ? AND key IN (?, ?)", (missing.kind, missing.key, gone)
    ).fetchone()
    if entry is None:
        word = UNDER_WAY if tried else _by_the_runs(db, missing)
        return UNDER_WAY if parked and word == QUEUED else word
    status, value = entry
    if tried or parked or status == "waiting" or (status == "done" and value == missing.value):
        return UNDER_WAY
    return HELD if status in ("intended", "doubtful") else QUEUED


def _by_the_runs(db: Transaction, missing: Missing) -> str:
    """What the runs and the audit log can vouch for."""
    outcomes = _outcomes(db, missing.job, missing.key)
    if "done" in outcomes:
        return HELD if missing.value else MENDED  # which value was sent isn't known
    if "failed" in outcomes or missing.made is None:
        return HELD
    return HELD if any(_gaps(db, missing.job, text(missing.made))) else QUEUED


def _outcomes(db: Transaction, job: str, key: str) -> set[str]:
    """The outcomes of the items of a job's runs that name this key among their ids."""
    written = re.sub("[!%_]", r"!\g<0>", document(key))
    rows = db.execute(
        """SELECT items.outcome, ids FROM items JOIN runs ON runs.id = items.run
           WHERE runs.job = ? AND ids LIKE ? ESCAPE '!'""",
        (job, f"%{written}%"),
    )
    return {outcome for outcome, ids in rows.fetchall() if key in json.loads(ids).values()}


def _gaps(db: Transaction, job: str, made: str) -> Iterator[bool]:
    """Whether the runs since then may not tell all that the job has sent: for one reason after the other."""
    yield not db.execute("SELECT 1 FROM audit WHERE time < ?", (made,)).fetchone()  # what is written here began later
    yield bool(_noted(db, "restored", made))
    runs_before = db.execute("SELECT 1 FROM runs WHERE ended < ?", (made,)).fetchone()
    yield not runs_before and any(about.get("runs") for about in _noted(db, "purged", made))
    by_hand = (about for about in _noted(db, "run_by_hand", made) if about["job"] == job)
    yield any(about.get("code") != "dry_run" for about in by_hand)
    # a service began, and the one before it hadn't ended
    killed = """SELECT 1 FROM audit AS began WHERE event = 'service_started' AND time >= ? AND 'service_started' =
                  (SELECT event FROM audit WHERE number < began.number
                     AND event IN ('service_started', 'service_stopped') ORDER BY number DESC LIMIT 1)"""
    yield bool(db.execute(killed, (made,)).fetchone())
    # a run broke off, and what was under way just then isn't told
    failed = "SELECT counts FROM runs WHERE job = ? AND ended >= ? AND outcome = 'failed' AND counts <> '{}'"
    yield any("failed" not in json.loads(counts) for (counts,) in db.execute(failed, (job, made)).fetchall())


def _noted(db: Transaction, event: str, since: str) -> list[dict[str, Any]]:
    """What the audit log says of an event, each time since then."""
    rows = db.execute("SELECT about FROM audit WHERE event = ? AND time >= ?", (event, since)).fetchall()
    return [json.loads(about) for (about,) in rows]


def _queue(db: Transaction, missing: Missing, now: datetime) -> None:
    """Hand the record to the next run of its job, as if a person had released it; what is parked stays so."""
    db.execute(
        """INSERT INTO parked (job, record, ids, code, message, fix, since, released)
           VALUES (?1, ?2, ?3, 'not_sent', NULL, NULL, ?4, ?4) ON CONFLICT (job, record) DO NOTHING""",
        (missing.job, missing.record, document(dict(missing.ids)), text(now)),
    )
