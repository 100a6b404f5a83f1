"""What was found missing is brought to the job that sends it, unless nobody can vouch that it wasn't sent before.

The ledger vouches by an entry. Where it has none, the runs do that are kept, as long as nothing else can have happened:
since the record was made the audit log tells of no restore, no purge of that time, no run by hand (of which no items
are kept), and no service that was killed.
"""

import sqlite3
from datetime import datetime

from runner.store.audit import nameable, note
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
            if word in (MENDED, HELD):
                status = "done" if word == MENDED else "doubtful"
                entry = {"status": status, "value": missing.value, "answer": {}}
                keep_entry(db, missing.kind, missing.key, gone, entry, text(now))
            if word in (QUEUED, HELD):
                _queue(db, missing, now)
            if word != UNDER_WAY:
                name = nameable(db, f"{missing.job}/{missing.record}")
                note(db, "repaired", now, job=missing.job, code=word, id=name)
            return word

        return self.change(work)

    def remember_told(self, kind: str, key: str, value: str, *, now: datetime) -> None:
        """Keep in the ledger that a person has settled something with the other agency."""
        gone, entry = tombstone(self, kind, key), {"status": "done", "value": value, "answer": {}}

        def work(db: sqlite3.Connection) -> None:
            keep_entry(db, kind, key, gone, entry, text(now))
            note(db, "told", now, id=nameable(db, key))

        self.change(work)


def _verdict(db: sqlite3.Connection, missing: Missing, gone: str) -> str:
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


def _by_the_runs(db: sqlite3.Connection, missing: Missing) -> str:
    """What the runs and the audit log can vouch for."""
    outcomes = {outcome for (outcome,) in db.execute(_OUTCOMES, (missing.job, missing.key))}
    if "done" in outcomes:
        return HELD if missing.value else MENDED  # which value was sent isn't known
    if "failed" in outcomes or missing.made is None:
        return HELD
    about = {"made": text(missing.made), "job": missing.job}
    return HELD if any(db.execute(query, about).fetchone() for query in _DOUBTS) else QUEUED


_OUTCOMES = """SELECT DISTINCT items.outcome FROM items JOIN runs ON runs.id = items.run
               WHERE runs.job = ?1 AND EXISTS (SELECT 1 FROM json_each(items.ids) WHERE value = ?2)"""

# Each finds something by which the runs since :made may not tell all that the :job has sent.
_DOUBTS = (
    # what is written here began later
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit WHERE time < :made)",
    "SELECT 1 FROM audit WHERE event = 'restored' AND time >= :made",
    """SELECT 1 FROM audit WHERE event = 'purged' AND json_extract(about, '$.runs') AND time >= :made
         AND NOT EXISTS (SELECT 1 FROM runs WHERE ended < :made)""",
    """SELECT 1 FROM audit WHERE event = 'run_by_hand' AND time >= :made AND json_extract(about, '$.job') = :job
         AND json_extract(about, '$.code') IS NOT 'dry_run'""",
    # a service began, and the one before it hadn't ended
    """SELECT 1 FROM audit AS began WHERE event = 'service_started' AND time >= :made AND 'service_started' =
         (SELECT event FROM audit WHERE number < began.number AND event IN ('service_started', 'service_stopped')
          ORDER BY number DESC LIMIT 1)""",
    # a run broke off, and what was under way just then isn't told
    """SELECT 1 FROM runs WHERE job = :job AND ended >= :made AND outcome = 'failed' AND counts <> '{}'
         AND json_extract(counts, '$.failed') IS NULL""",
)


def _queue(db: sqlite3.Connection, missing: Missing, now: datetime) -> None:
    """Hand the record to the next run of its job, as if a person had released it; what is parked stays so."""
    db.execute(
        """INSERT INTO parked (job, record, ids, code, message, fix, since, released)
           VALUES (?1, ?2, ?3, 'not_sent', NULL, NULL, ?4, ?4) ON CONFLICT (job, record) DO NOTHING""",
        (missing.job, missing.record, document(dict(missing.ids)), text(now)),
    )
