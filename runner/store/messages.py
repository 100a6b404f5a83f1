"""Messages that were posted: accepted once, counted when repeated, quarantined when no job wants them."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from runner.store import envelopes, units
from runner.store.database import Database
from runner.store.moments import optional_moment, optional_text, text
from runner.store.records import Accepted, MessageLine, NewMessage, NewUnit

_COLUMNS = "id, key_label, size, matched, status, duplicates, arrived, expires"
_WEEK = timedelta(days=7)


class Messages(Database):
    """What was posted."""

    def accept(
        self,
        message: NewMessage,
        units: Sequence[NewUnit],
        *,
        now: datetime,
        window: timedelta = _WEEK,
        keep: timedelta = _WEEK,
    ) -> Accepted:
        """Keep a message and its units, or count it as a duplicate.

        It is one while a message with its fingerprint is pending or parked, or succeeded within the window (H21).
        Without units it is quarantined, and its envelope kept for `keep` (H37).
        """
        return self.change(lambda db: _accept(db, message, units, now, window, keep))

    def messages(self, *, status: str | None = None, limit: int = 50) -> list[MessageLine]:
        """The last messages, the newest first."""
        rows = self.read(
            f"SELECT {_COLUMNS} FROM messages WHERE status = coalesce(?, status) ORDER BY number DESC LIMIT ?",
            status,
            limit,
        )
        return [_line(row) for row in rows]

    def message(self, message_id: str) -> MessageLine | None:
        """One message, or None."""
        rows = self.read(f"SELECT {_COLUMNS} FROM messages WHERE id = ?", message_id)
        return _line(rows[0]) if rows else None


def _accept(
    db: sqlite3.Connection,
    message: NewMessage,
    parts: Sequence[NewUnit],
    now: datetime,
    window: timedelta,
    keep: timedelta,
) -> Accepted:
    alike = db.execute(
        """UPDATE messages SET duplicates = duplicates + 1
           WHERE fingerprint = ? AND (status IN ('pending', 'parked') OR status = 'succeeded' AND settled >= ?)
           RETURNING id, matched""",
        (message.fingerprint, text(now - window)),
    ).fetchall()
    if alike:
        first, matched = alike[-1]
        return Accepted(first, matched, duplicate=True)
    expires = None if parts else now + keep
    db.execute(
        """INSERT INTO messages (id, key_label, fingerprint, size, matched, status, arrived, expires)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(message.id, message.key_label, message.fingerprint, message.size, len(parts)),
            *("pending" if parts else "quarantined", text(now), optional_text(expires)),
        ),
    )
    units.add(db, parts, message=message.id, turn=units.next_turn(db), now=now)
    if not parts and message.sealed:
        envelopes.keep(db, message.id, message.sealed)
    return Accepted(message.id, len(parts), duplicate=False)


def _line(row: Any) -> MessageLine:
    message_id, key_label, size, matched, status, duplicates, arrived, expires = row
    came, ends = datetime.fromisoformat(arrived), optional_moment(expires)
    return MessageLine(message_id, key_label, size, matched, status, duplicates, came, ends)
