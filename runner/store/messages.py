"""Messages that were posted: accepted once, counted when repeated, quarantined when no job wants them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from runner.store import envelopes, units
from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.lines import MessageLine
from runner.store.moments import optional_moment, optional_text, text
from runner.store.records import Accepted, NewMessage, NewUnit

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
        return self.accept_each([(message, units)], now=now, window=window, keep=keep)[0]()

    def accept_each(
        self,
        messages: Sequence[tuple[NewMessage, Sequence[NewUnit]]],
        *,
        now: datetime,
        window: timedelta = _WEEK,
        keep: timedelta = _WEEK,
    ) -> list[Callable[[], Accepted]]:
        """Several messages in one transaction; what became of each, to be asked for: it is what `accept` gives."""
        return self.change_each(
            [
                partial(_accept, message=message, parts=units, now=now, window=window, keep=keep)
                for message, units in messages
            ]
        )

    def readmit(
        self, message_id: str, units: Sequence[NewUnit], *, now: datetime, window: timedelta = _WEEK
    ) -> Accepted | None:
        """Let a quarantined message become these units, and erase its own envelope; None when it isn't quarantined.

        Without units it stays as it is. Where the same message was posted again meanwhile and counts, this one is
        discarded as its duplicate.
        """
        return self.change(lambda db: _readmit(db, message_id, units, now, window))

    def messages(self, *, status: str | None = None, limit: int = 50) -> list[MessageLine]:
        """The last messages, the newest first."""
        rows = self.read(
            f"SELECT {_COLUMNS} FROM messages WHERE status = coalesce(?, status) ORDER BY number DESC LIMIT ?",
            status,
            limit,
        )
        return [_line(row) for row in rows]

    def quarantined(self, limit: int) -> list[MessageLine]:
        """The oldest messages that no job waits for."""
        rows = self.read(f"SELECT {_COLUMNS} FROM messages WHERE status = 'quarantined' ORDER BY number LIMIT ?", limit)
        return [_line(row) for row in rows]

    def message(self, message_id: str) -> MessageLine | None:
        """One message, or None."""
        rows = self.read(f"SELECT {_COLUMNS} FROM messages WHERE id = ?", message_id)
        return _line(rows[0]) if rows else None


def _accept(
    db: Transaction,
    message: NewMessage,
    parts: Sequence[NewUnit],
    now: datetime,
    window: timedelta,
    keep: timedelta,
) -> Accepted:
    if first := _repeated(db, message.fingerprint, now - window):
        return first
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


def _readmit(
    db: Transaction, message_id: str, parts: Sequence[NewUnit], now: datetime, window: timedelta
) -> Accepted | None:
    row = db.execute(
        "SELECT fingerprint FROM messages WHERE id = ? AND status = 'quarantined'", (message_id,)
    ).fetchone()
    if row is None:
        return None
    first = _repeated(db, row[0], now - window)
    if first:
        status, reason, settled = "discarded", f"repeats {first.id}", text(now)
    elif parts:
        status, reason, settled = "pending", "routed", None
    else:
        return Accepted(message_id, 0, duplicate=False)
    note(db, "retried", now, id=message_id, count=0 if first else len(parts))
    envelopes.erase(db, message_id, reason, now)
    db.execute(
        "UPDATE messages SET status = ?, matched = ?, expires = NULL, settled = ? WHERE id = ?",
        (status, 0 if first else len(parts), settled, message_id),
    )
    if first:
        return first
    units.add(db, parts, message=message_id, turn=units.next_turn(db), now=now)
    return Accepted(message_id, len(parts), duplicate=False)


def _repeated(db: Transaction, fingerprint: str, since: datetime) -> Accepted | None:
    """The message that this one repeats, counted there; None when it is new."""
    alike = db.execute(
        """UPDATE messages SET duplicates = duplicates + 1
           WHERE fingerprint = ? AND (status IN ('pending', 'parked') OR status = 'succeeded' AND settled >= ?)
           RETURNING id, matched""",
        (fingerprint, text(since)),
    ).fetchall()
    return Accepted(alike[-1][0], alike[-1][1], duplicate=True) if alike else None


def _line(row: Any) -> MessageLine:
    message_id, key_label, size, matched, status, duplicates, arrived, expires = row
    came, ends = datetime.fromisoformat(arrived), optional_moment(expires)
    return MessageLine(message_id, key_label, size, matched, status, duplicates, came, ends)
