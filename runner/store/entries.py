"""Rows of the ledger, within a transaction. Of what was erased there is a tombstone, whose key nobody can read."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runner.store.connection import Transaction
from runner.store.moments import document

Entry = dict[str, Any]

KEYED = "keyed:"  # how the key of a tombstone begins


class _Seals(Protocol):
    @property
    def sealed(self) -> Callable[[str], str]:
        """A text's seal, made with the store's own key."""
        ...


def tombstone(seals: _Seals, kind: str, key: str) -> str:
    """The key of what is erased: recognised by who knows the id, and read by nobody."""
    return f"{KEYED}{seals.sealed(f'ledger {kind} {key}')}"


def keep_entry(db: Transaction, kind: str, key: str, entry: Entry | None, now: str) -> None:
    """Keep an entry, or forget it when it is None. Where there is a tombstone, it stays one."""
    gone = tombstone(db, kind, key)
    if entry is None:
        db.execute("DELETE FROM ledger WHERE kind = ? AND key IN (?, ?)", (kind, key, gone))
        return
    told = (entry["status"], entry["value"], now, kind)
    buried = "UPDATE ledger SET status = ?, value = ?, updated = ? WHERE kind = ? AND key = ?"
    if not db.execute(buried, (*told, gone)).rowcount:
        put_entry(db, kind, key, entry, now)


def put_entry(db: Transaction, kind: str, key: str, entry: Entry, now: str) -> None:
    """Put an entry in the place of whatever has this very key."""
    db.execute(
        """INSERT INTO ledger (kind, key, status, value, answer, updated) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (kind, key) DO UPDATE SET status = excluded.status, value = excluded.value,
             answer = excluded.answer, updated = excluded.updated""",
        (kind, key, entry["status"], entry["value"], document(entry["answer"]), now),
    )


def change_status(db: Transaction, ids: Mapping[str, Any], before: str, after: str) -> None:
    """Let the entry that these ids name by `kind` and `key` have another status, if it has the one before."""
    kind, key = ids.get("kind"), ids.get("key")
    if isinstance(kind, str) and isinstance(key, str):
        changed = "UPDATE ledger SET status = ? WHERE status = ? AND kind = ? AND key IN (?, ?)"
        db.execute(changed, (after, before, kind, key, tombstone(db, kind, key)))
