"""What is known of an id: what was done with it, what was sent, and what waits. Nothing is read that isn't about it."""

from collections.abc import Collection
from datetime import datetime

from runner.store.attention import PARKED, parked_record
from runner.store.connection import Link
from runner.store.database import Database
from runner.store.entries import tombstone
from runner.store.history import FOUND, found
from runner.store.lines import Entered, Found, Known, UnitLine
from runner.store.listings import UNIT, unit_line
from runner.store.mentions import mark
from runner.store.records import Parked

_AFTER_HASH = "$"  # the character behind `#`, so that keys between the two begin with it
# The kinds that the ledger has, each found by its index.
_KINDS = """WITH RECURSIVE named (kind) AS (
              SELECT min(kind) FROM ledger
              UNION ALL SELECT (SELECT min(kind) FROM ledger WHERE ledger.kind > named.kind) FROM named
                WHERE named.kind IS NOT NULL)
            SELECT kind FROM named WHERE kind IS NOT NULL"""


class Search(Database):
    """Finds by an id, as any system or a person names it."""

    def known(self, name: str, *, subject: str | None = None, limit: int = 100) -> Known:
        """What is known of this id, of each sort the newest; `subject` is the id as units hold it (`Vault.keyed`).

        Items of runs are found by each of their ids, units by their subject and by these runs, parked records by what
        they are called and by these items, the ledger's entries by their key.
        """
        with self.reading() as db:
            items = self._items(db, name, limit)
            runs = {each.run.unit for each in items if each.run.unit}
            records = {str(each.item.ids["id"]) for each in items if each.item.ids.get("id")}
            return Known(
                items,
                _units(db, runs, subject, limit),
                _records(db, {name, *records}, limit),
                self._entries(db, name, limit),
            )

    def _items(self, db: Link, name: str, limit: int) -> list[Found]:
        rows = db.execute(
            f"""SELECT {FOUND} FROM mentions CROSS JOIN runs CROSS JOIN items
                WHERE mentions.name = ? AND runs.number = mentions.run
                  AND items.run = runs.id AND items.position = mentions.position
                ORDER BY mentions.run DESC, mentions.position LIMIT ?""",
            (mark(self.sealed, name), limit),
        )
        return [found(row) for row in rows.fetchall()]

    def _entries(self, db: Link, name: str, limit: int) -> list[Entered]:
        """Of what was erased the tombstone is found, too, where the id itself was the key."""
        rows = [
            row
            for (kind,) in db.execute(_KINDS).fetchall()
            for row in db.execute(
                """SELECT kind, status, updated FROM ledger WHERE kind = ?1 AND key IN (?2, ?3)
                   UNION ALL
                   SELECT kind, status, updated FROM ledger WHERE kind = ?1 AND key > ?2 || '#' AND key < ?2 || ?4
                   ORDER BY updated DESC LIMIT ?5""",
                (kind, name, tombstone(self, kind, name), _AFTER_HASH, limit),
            ).fetchall()
        ]
        newest = sorted(rows, key=lambda row: row[2], reverse=True)[:limit]
        return [Entered(kind, status, datetime.fromisoformat(updated)) for kind, status, updated in newest]


def _units(db: Link, ids: Collection[str], subject: str | None, limit: int) -> list[UnitLine]:
    by_subject = f"SELECT number, {UNIT} FROM units WHERE subject = ? ORDER BY number DESC LIMIT ?"
    by_id = f"SELECT number, {UNIT} FROM units WHERE id = ?"
    rows = db.execute(by_subject, (subject, limit)).fetchall() if subject else []
    rows += [row for each in ids for row in db.execute(by_id, (each,)).fetchall()]
    return [unit_line(row[1:]) for row in sorted(set(rows), reverse=True)[:limit]]


def _records(db: Link, names: Collection[str], limit: int) -> list[Parked]:
    waiting = f"SELECT {PARKED} FROM parked WHERE record = ? AND released IS NULL ORDER BY job LIMIT ?"
    records = [parked_record(row) for name in sorted(names) for row in db.execute(waiting, (name, limit)).fetchall()]
    return sorted(records, key=lambda record: str(record.since), reverse=True)[:limit]
