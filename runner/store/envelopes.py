"""Envelopes: kept apart from what they belong to, wrapped anew each day, and erased with a receipt.

Erasing takes three steps, each of which may be the last before a crash: the envelope and its key go in the transaction
that records why, with a receipt; the file is scrubbed; the receipt is marked verified (R-ER4). The receipt is an entry
of the audit log as well (R-AU5), and that the file was scrubbed is another, since none of them is ever changed.

PostgreSQL overwrites nothing that is deleted. There a receipt is marked when the epoch key is destroyed that could have
opened copies of what was erased: the next day.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runner.errors import EpochRetired
from runner.store.audit import note
from runner.store.connection import Connection, Transaction
from runner.store.database import Database
from runner.store.lines import Receipt
from runner.store.moments import optional_moment, text
from runner.store.settings import keep_setting, kept_setting
from runner.vault import Sealed, WrappedKey

_RETIRED = "retired epoch"
_DESTROYED = "destroyed epoch"
_EVER = "9999"
_UNSEEN = "verified IS NULL AND coalesce(epoch, substr(erased, 1, 10)) <= ?"


def keep(db: Transaction, holder: str, sealed: Sealed) -> None:
    """Keep an envelope. Raises EpochRetired when its key could be gone before it is opened."""
    if sealed.key.epoch <= (kept_setting(db, _RETIRED) or ""):
        raise EpochRetired(f"sealed with the key of {sealed.key.epoch}, which is retired", fix="Seal it again.")
    db.execute("INSERT INTO envelopes (holder, ciphertext) VALUES (?, ?)", (holder, sealed.ciphertext))
    db.execute(
        "INSERT INTO wrapped_keys (holder, epoch, wrapped) VALUES (?, ?, ?)",
        (holder, sealed.key.epoch, sealed.key.wrapped),
    )


def take(db: Connection, holder: str) -> Sealed | None:
    """The envelope of a unit or message, or None."""
    row = db.execute(
        "SELECT epoch, wrapped, ciphertext FROM envelopes JOIN wrapped_keys USING (holder) WHERE holder = ?", (holder,)
    ).fetchone()
    return Sealed(WrappedKey(row[0], row[1]), row[2]) if row else None


def erase(db: Transaction, holder: str, reason: str, now: datetime) -> None:
    """Delete an envelope and its key, and write the receipt; the first word of the reason is the method."""
    db.execute("DELETE FROM envelopes WHERE holder = ?", (holder,))
    (epoch,) = db.execute("DELETE FROM wrapped_keys WHERE holder = ? RETURNING epoch", (holder,)).fetchone() or (None,)
    rows = db.execute(
        """SELECT message, job, coalesce(messages.arrived, units.arrived)
             FROM units LEFT JOIN messages ON messages.id = message WHERE units.id = :holder
           UNION ALL SELECT id, NULL, arrived FROM messages WHERE id = :holder""",
        {"holder": holder},
    ).fetchall()
    for message, job, accepted in rows:
        receipt(db, holder, message, reason, accepted, now, epoch=epoch)
        unit = holder if job else None
        method = reason.partition(":")[0]
        note(db, "payload_erased", now, unit=unit, message=message, job=job, accepted=accepted, method=method)


def receipt(
    db: Transaction,
    holder: str,
    message: str | None,
    reason: str,
    accepted: str,
    now: datetime,
    *,
    epoch: str | None = None,
) -> None:
    """Write down that something was erased whose bytes are still to be scrubbed; `epoch` is that of its key."""
    db.execute(
        "INSERT INTO receipts (holder, message, reason, accepted, erased, epoch) VALUES (?, ?, ?, ?, ?, ?)",
        (holder, message, reason, accepted, text(now), epoch),
    )


class Envelopes(Database):
    """What the engine does with envelopes as such, whoever's they are."""

    def envelope(self, holder: str) -> Sealed | None:
        """The envelope of a unit or of a quarantined message; None once it is erased."""
        with self.reading() as db:
            return take(db, holder)

    def holders(self) -> list[str]:
        """The units and messages that have an envelope."""
        return [holder for (holder,) in self.read("SELECT holder FROM envelopes ORDER BY holder")]

    def pending_epochs(self) -> list[str]:
        """The epochs without whose keys something that is kept can't be opened, oldest first."""
        return [epoch for (epoch,) in self.read("SELECT DISTINCT epoch FROM wrapped_keys ORDER BY epoch")]

    def retire(self, epoch: str) -> None:
        """From now on nothing is kept that is sealed in this epoch or an older one; the first step of its end."""
        self.change(lambda db: keep_setting(db, _RETIRED, max(epoch, kept_setting(db, _RETIRED) or "")))

    def sealed_in(self, epoch: str, *, limit: int = 1000) -> dict[str, WrappedKey]:
        """Some of the keys that are wrapped in this epoch, by the unit or message whose envelope they open."""
        rows = self.read("SELECT holder, epoch, wrapped FROM wrapped_keys WHERE epoch = ? LIMIT ?", epoch, limit)
        return {holder: WrappedKey(epoch, wrapped) for holder, epoch, wrapped in rows}

    def rewrap(self, keys: Mapping[str, WrappedKey]) -> None:
        """Put keys that were wrapped anew in the place of the old ones; what was erased meanwhile stays erased."""
        values = [(key.epoch, key.wrapped, holder) for holder, key in keys.items()]
        self.change(
            lambda db: db.executemany("UPDATE wrapped_keys SET epoch = ?, wrapped = ? WHERE holder = ?", values)
        )

    def destroyed(self, epoch: str) -> None:
        """The key of this epoch, and of all older ones, is no more: what was sealed in it is gone, wherever it lies."""
        self.change(lambda db: keep_setting(db, _DESTROYED, max(epoch, kept_setting(db, _DESTROYED) or "")))

    def scrub(self, *, now: datetime) -> bool:
        """Make what was erased vanish from the files, and mark its receipts; False when that must be tried again.

        Where a database doesn't overwrite what it deletes, the end of its key is what makes it vanish.
        """
        through, method = self._through()
        ((newest,),) = self.read(f"SELECT max(number) FROM receipts WHERE {_UNSEEN}", through)
        if newest is None:
            return True
        if not self.checkpoint():
            return False

        def work(db: Transaction) -> None:
            marked = f"UPDATE receipts SET verified = ? WHERE {_UNSEEN} AND number <= ?"
            if count := db.execute(marked, (text(now), through, newest)).rowcount:
                note(db, "payloads_scrubbed", now, count=count, method=method)

        self.change(work)
        return True

    def unscrubbed(self) -> int:
        """How many envelopes were erased whose bytes may still be in the files, and can be made to vanish now."""
        ((count,),) = self.read(f"SELECT count(*) FROM receipts WHERE {_UNSEEN}", self._through()[0])
        return int(count)

    def _through(self) -> tuple[str, str | None]:
        """The newest epoch of which what was erased can be made to vanish now, and how, if not by overwriting it."""
        if self.overwrites:
            return _EVER, None
        with self.reading() as db:
            return kept_setting(db, _DESTROYED) or "", "key_destroyed"

    def receipts(self, holder: str) -> list[Receipt]:
        """The receipts of a unit or message."""
        rows = self.read(
            """SELECT holder, message, reason, accepted, erased, verified FROM receipts
               WHERE holder = ? OR message = ? ORDER BY number""",
            holder,
            holder,
        )
        return [_receipt(row) for row in rows]


def _receipt(row: Any) -> Receipt:
    holder, message_id, reason, accepted, erased, verified = row
    began, ended = datetime.fromisoformat(accepted), datetime.fromisoformat(erased)
    return Receipt(holder, message_id, reason, began, ended, optional_moment(verified))
