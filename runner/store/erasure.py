"""Erasing what is known of a person, by the ids that name them in any system (R-ER5).

What was sent stays known by tombstones, so that it isn't sent again (H53). A row is about an id when it is its key, or
its key begins with the id and `#`, or one of the ids that it holds is it.
"""

import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from runner.errors import InUse
from runner.store import doubts, envelopes
from runner.store.attention import DISCARDABLE, close_message, close_unit
from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.entries import KEYED, put_entry, tombstone
from runner.store.lines import Erased
from runner.store.mentions import forget_mentions
from runner.store.moments import text

_WAIT = "Try again in a moment."


class Erasure(Database):
    """Erases, all at once."""

    def erase_subject(
        self,
        ids: Collection[str],
        *,
        holders: Collection[str] = (),
        subjects: Collection[str] = (),
        receipt: str,
        now: datetime,
    ) -> Erased:
        """Erase what is about these ids. How much that was.

        `holders` are the units and messages whose payloads name one, `subjects` the ids as units hold them, `receipt`
        is the id of the entry in the audit log. Raises InUse, and erases nothing, while one of the units is running.
        """
        return self.change(lambda db: self._erase(db, About(ids), set(holders), set(subjects), receipt, now))

    def _erase(
        self, db: Transaction, about: "About", holders: set[str], subjects: set[str], receipt: str, now: datetime
    ) -> Erased:
        holders |= _units_of(db, subjects)
        if any(_status(db, holder) == "running" for holder in holders):
            raise InUse("a unit of work about this subject is running", fix=_WAIT)
        erased = Erased(
            payloads=sum(_close(db, holder, now) for holder in sorted(holders)),
            records=_drop_records(db, about),
            answers=_drop_answers(db, about),
            ledger=_bury(db, about, now),
            items=_blank_items(db, about) + _blank_errors(db, about),
        )
        for subject in subjects:
            db.execute("UPDATE units SET subject = NULL WHERE subject = ? AND settled IS NOT NULL", (subject,))
        envelopes.receipt(db, receipt, None, "erased", text(now), now)  # so that the file is scrubbed in any case
        note(db, "subject_erased", now, id=receipt, **vars(erased))
        return erased


class About:
    """Tells what is about any of these ids.

    >>> about = About(["c-1"])
    >>> about.names("c-1#INT-7"), about.names("c-10"), about.is_in({"ids": {"id": "c-1"}}), about.is_told("of c-1.")
    (True, False, True, True)
    """

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = frozenset(ids)
        words = "|".join(map(re.escape, sorted(ids)))
        self._word = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")

    def names(self, key: str) -> bool:
        """Whether a key is one of the ids, or begins with it and `#`."""
        return key in self._ids or key.partition("#")[0] in self._ids

    def is_in(self, value: Any) -> bool:
        """Whether a value, or one within it, names one of the ids."""
        if isinstance(value, dict):
            return any(map(self.is_in, value.values()))
        if isinstance(value, list):
            return any(map(self.is_in, value))
        if not isinstance(value, (str, int)):
            return False
        return any(map(self.names, (str(value).strip(), *str(value).split())))  # several ids may stand in one field

    def is_told(self, sentence: str | None) -> bool:
        """Whether a sentence names one of the ids."""
        return bool(sentence and self._word.search(sentence))


def _units_of(db: Transaction, subjects: Collection[str]) -> set[str]:
    waiting = "SELECT id FROM units WHERE subject = ? AND settled IS NULL OR subject = ? AND expires IS NOT NULL"
    return {unit for subject in subjects for (unit,) in db.execute(waiting, (subject, subject))}


def _status(db: Transaction, holder: str) -> str | None:
    row = db.execute("SELECT status FROM units WHERE id = ?", (holder,)).fetchone()
    return row[0] if row else None


def _close(db: Transaction, holder: str, now: datetime) -> int:
    closed = close_unit(db, f"id = ? AND {DISCARDABLE}", holder, "discarded", "erased", now)
    return closed + close_message(db, "id = ?", holder, "discarded", "erased", now)


def _drop_records(db: Transaction, about: About) -> int:
    rows = db.execute("SELECT job, record, ids, message FROM parked").fetchall()
    found = [
        (job, record)
        for job, record, ids, told in rows
        if about.names(record) or about.is_in(json.loads(ids)) or about.is_told(told)
    ]
    tried = db.execute("SELECT job, record FROM item_tries").fetchall()
    db.executemany("DELETE FROM parked WHERE job = ? AND record = ?", found)
    db.executemany(
        "DELETE FROM item_tries WHERE job = ? AND record = ?",
        [*found, *((job, record) for job, record in tried if about.names(record))],
    )
    return len(found)


def _drop_answers(db: Transaction, about: About) -> int:
    """Also what has not been delivered yet: whoever asks for the erasure is told how many there were."""
    rows = db.execute("SELECT number, kind, key, entry FROM outbox").fetchall()
    found = [(number, kind, key) for number, kind, key, entry in rows if about.is_in(json.loads(entry))]
    for number, kind, key in found:
        db.execute("DELETE FROM outbox WHERE number = ?", (number,))
        doubts.settle_answer(db, kind, key)
    return len(found)


def _bury(db: Transaction, about: About, now: datetime) -> int:
    """Make tombstones. They say *done*, so that what was perhaps not delivered isn't sent either."""
    rows = db.execute("SELECT kind, key, value, answer FROM ledger").fetchall()
    count = 0
    for kind, key, value, answer in rows:
        if not key.startswith(KEYED) and (about.names(key) or about.is_in(json.loads(answer))):
            db.execute("DELETE FROM ledger WHERE kind = ? AND key = ?", (kind, key))
            gone = {"status": "done", "value": value, "answer": {}}
            put_entry(db, kind, tombstone(db, kind, key), gone, text(now))
            count += 1
    return count


def _blank_items(db: Transaction, about: About) -> int:
    """Items of runs keep their outcome and code."""
    rows = db.execute("SELECT run_number, position, ids, message, fix FROM items").fetchall()
    found = [
        (run, position, ids)
        for run, position, ids, told, fix in rows
        if about.is_in(json.loads(ids)) or about.is_told(told) or about.is_told(fix)
    ]
    forget_mentions(db, found)
    db.executemany(
        """UPDATE items SET ids = '{}', message = NULL, fix = NULL
           WHERE run = (SELECT id FROM runs WHERE number = ?) AND position = ?""",
        [(run, position) for run, position, _ in found],
    )
    return len(found)


def _blank_errors(db: Transaction, about: About) -> int:
    rows = db.execute("SELECT number, error FROM units WHERE error IS NOT NULL").fetchall()
    found = [(number,) for number, error in rows if about.is_in(json.loads(error)) or about.is_told(error)]
    db.executemany("UPDATE units SET error = NULL WHERE number = ?", found)
    return len(found)
