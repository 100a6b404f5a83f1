"""What was found missing is brought to the job that sends it, unless nobody can vouch that it wasn't sent before.

The ledger vouches by an entry. Where it has none, the runs do that are kept, as long as nothing else can have happened:
since the record was made the audit log tells of no restore, no purge of that time, no run by hand (of which no items
are kept), and no service that was killed.
"""

import sqlite3
from datetime import datetime

from runner.store.audit import note
from runner.store.database import Database
from runner.store.ledger import keep_entry, tombstone
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
        gone = tombstone(self, missing.kind, missing.key)

        def work(db: sqlite3.Connection) -> str:
            word = _verdict(db, missing, gone)
            if word == UNDER_WAY:
                return word
            if word in (MENDED, HELD):
                status = "done" if word == MENDED else "doubtful"
                entry = {"status": status, "value": missing.value, "answer": {}}
                keep_entry(db, missing.kind, missing.key, gone, entry, text(now))
            if word != MENDED:
                _queue(db, missing, now)
            note(db, "repaired", now, job=missing.job, code=word, id=missing.record)
            return word

        return self.change(work)


def _verdict(db: sqlite3.Connection, missing: Missing, gone: str) -> str:
    waits = """SELECT 1 FROM parked WHERE job = ?1 AND record = ?2
               UNION SELECT 1 FROM item_tries WHERE job = ?1 AND record = ?2"""
    if db.execute(waits, (missing.job, missing.record)).fetchone():
        return UNDER_WAY
    entry = db.execute(
        "SELECT status, value FROM ledger WHERE kind = ? AND key IN (?, ?)", (missing.kind, missing.key, gone)
    ).fetchone()
    if entry is None:
        return _by_the_runs(db, missing)
    status, value = entry
    if status == "waiting" or (status == "done" and value == missing.value):
        return UNDER_WAY
    return HELD if status in ("intended", "doubtful") else QUEUED


def _by_the_runs(db: sqlite3.Connection, missing: Missing) -> str:
    """What the runs and the audit log can vouch for."""
    outcomes = {outcome for (outcome,) in db.execute(_OUTCOMES, (missing.job, missing.key))}
    if "done" in outcomes:
        return HELD if missing.value else MENDED  # which value was sent isn't known
    if "failed" in outcomes:
        return HELD
    since = _not_before(db, missing)
    if since is None or any(db.execute(query, (since, missing.job)).fetchone() for query in _DOUBTS):
        return HELD
    return QUEUED


def _not_before(db: sqlite3.Connection, missing: Missing) -> str | None:
    """Since when it can have been sent at the earliest: since it was made, or since the runs first met it."""
    (met,) = db.execute(_FIRST_MET, (missing.key,)).fetchone()
    return max(filter(None, (met, missing.made and text(missing.made))), default=None)


_OUTCOMES = """SELECT DISTINCT items.outcome FROM items JOIN runs ON runs.id = items.run
               WHERE runs.job = ?1 AND EXISTS (SELECT 1 FROM json_each(items.ids) WHERE value = ?2)"""
_FIRST_MET = """SELECT min(runs.started) FROM items JOIN runs ON runs.id = items.run
                WHERE EXISTS (SELECT 1 FROM json_each(items.ids) WHERE value = ?1)"""

# Each finds something by which the runs since ?1 may not tell all that the job ?2 has sent.
_DOUBTS = (
    # nothing is known of that time: what is written here began later, or not at all
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit WHERE time < ?1) AND ?2 = ?2",
    "SELECT 1 FROM audit WHERE event = 'restored' AND time >= ?1 AND ?2 = ?2",
    """SELECT 1 FROM audit WHERE event = 'purged' AND json_extract(about, '$.runs') AND time >= ?1
         AND NOT EXISTS (SELECT 1 FROM runs WHERE ended < ?1) AND ?2 = ?2""",
    """SELECT 1 FROM audit WHERE event = 'run_by_hand' AND time >= ?1 AND json_extract(about, '$.job') = ?2
         AND json_extract(about, '$.code') IS NOT 'dry_run'""",
    # a service began, and the one before it hadn't ended
    """SELECT 1 FROM audit AS began WHERE began.event = 'service_started' AND began.time >= ?1 AND ?2 = ?2
         AND (SELECT event FROM audit WHERE number < began.number AND event LIKE 'service_st%'
              ORDER BY number DESC LIMIT 1) = 'service_started'""",
    # a run broke off, and what was under way just then isn't told
    """SELECT 1 FROM runs WHERE job = ?2 AND ended >= ?1 AND outcome = 'failed' AND counts <> '{}'
         AND json_extract(counts, '$.failed') IS NULL""",
)


def _queue(db: sqlite3.Connection, missing: Missing, now: datetime) -> None:
    """Hand the record to the next run of its job, as if a person had released it."""
    db.execute(
        """INSERT INTO parked (job, record, ids, code, message, fix, since, released)
           VALUES (?1, ?2, ?3, 'not_sent', NULL, NULL, ?4, ?4)""",
        (missing.job, missing.record, document(dict(missing.ids)), text(now)),
    )
