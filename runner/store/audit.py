"""The audit log's table: only added to, in the transaction of what an entry is about (runner/logs/audit.py)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from runner.logs import audit
from runner.logs.audit import Entry
from runner.store.connection import Link, Transaction
from runner.store.database import Database
from runner.store.lines import AuditLine
from runner.store.moments import document, optional_text, text
from runner.store.settings import keep_setting

_COLUMNS = "number, time, event, who, about, previous, hash, seal"
_GUARDS = {"audit_keeps", "audit_stays"}
_OURS = re.compile(r"[0-9a-f]{32}")


def note(db: Transaction, event: str, now: datetime, **fields: Any) -> None:
    """Add an entry, within the transaction at hand. Raises KeyError for what audit.EVENTS doesn't declare."""
    last, previous = _end(db)
    entry = Entry(last + 1, text(now), event, db.who, document(audit.about(event, fields)), previous)
    made = entry.hashed()
    db.execute(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.number, entry.time, event, db.who, entry.about, previous, made, db.sealed(f"entry {made}")),
    )
    db.execute(
        """INSERT INTO audit_end (one, number, hash, seal) VALUES (1, ?, ?, ?)
           ON CONFLICT (one) DO UPDATE SET number = excluded.number, hash = excluded.hash, seal = excluded.seal""",
        (entry.number, made, db.sealed(f"end {entry.number} {made}")),
    )


def _end(db: Transaction) -> tuple[int, str]:
    """Number and hash of the last entry. Where somebody tampered with the end, the chain is not mended, but stays seen
    to be broken."""
    number, made, seal = db.execute("SELECT number, hash, seal FROM audit_end").fetchone() or (0, "", "")
    if seal != db.sealed(f"end {number} {made}"):
        number, made = 0, audit.BROKEN
    (last,) = db.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()
    return (number, made) if number >= last else (last, audit.BROKEN)


def nameable(db: Transaction, name: str) -> str:
    """An id as the log may hold it: one that the engine made as it is, any other keyed, since it may be a person's."""
    if _OURS.fullmatch(name):
        return name
    return f"keyed:{db.sealed(f'id {name}')[:16]}"


class Audit(Database):
    """Who did what, and when."""

    def record(self, event: str, *, now: datetime, **fields: Any) -> None:
        """Add one entry that stands for itself."""
        self.change(lambda db: note(db, event, now, **fields))

    def record_start(
        self, events: Iterable[tuple[str, Mapping[str, Any]]], *, setting: str, value: str, now: datetime
    ) -> None:
        """Add entries, and keep a setting that the next ones are compared with."""

        def work(db: Transaction) -> None:
            for event, fields in events:
                note(db, event, now, **fields)
            keep_setting(db, setting, value)

        self.change(work)

    def audit_log(
        self, *, since: datetime | None = None, event: str | None = None, last: int | None = None
    ) -> list[AuditLine]:
        """The entries, the oldest first; the `last` so many where that is given."""
        wanted = {"time >= ?": optional_text(since), "event = ?": event}
        where = [each for each, value in wanted.items() if value]
        rows = self.read(
            f"""SELECT number, time, event, who, about, hash FROM audit {"WHERE" if where else ""} {" AND ".join(where)}
                ORDER BY number DESC {"LIMIT ?" if last else ""}""",
            *(value for value in (*wanted.values(), last) if value),
        )
        rows.reverse()
        return [AuditLine(number, time, name, who, _read(about), made) for number, time, name, who, about, made in rows]

    def audit_end(self) -> tuple[int, str]:
        """Number and hash of the last entry that was written; 0 when there is none yet."""
        ((number, made),) = self.read("SELECT number, hash FROM audit_end") or [(0, audit.BROKEN)]
        return number, made

    def audit_hash(self, number: int) -> str | None:
        """The hash of one entry, or None; of entry 0, what the log begins with."""
        rows = self.read("SELECT hash FROM audit WHERE number = ?", number)
        return rows[0][0] if rows else audit.START if number == 0 else None

    def audit_faults(self) -> list[str]:
        """Everything by which the log is seen not to be as it was written (R-AU1)."""
        with self.snapshot() as db:
            return list(self._faults(db))

    def _faults(self, db: Link) -> Iterator[str]:
        end = db.execute("SELECT number, hash, seal FROM audit_end").fetchone()
        entries = (Entry(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY number"))
        yield from audit.faults(entries, end, self._key)
        if not db.guards() >= _GUARDS:
            yield "what keeps the log from being changed was taken away"


def _read(about: Any) -> dict[str, Any]:
    """What an entry says, however it was tampered with."""
    try:
        found = json.loads(about)
    except (TypeError, ValueError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": True}
