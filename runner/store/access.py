"""Who may come in, what must be left alone for a while, and small settings."""

import sqlite3
from datetime import datetime
from typing import Any

from runner.store.database import Database
from runner.store.moments import optional_moment, optional_text, text
from runner.store.records import Circuit, Key


def kept_setting(db: sqlite3.Connection, name: str) -> str | None:
    """A setting, within the transaction at hand, or None."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def keep_setting(db: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a setting, within the transaction at hand."""
    db.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


class Access(Database):
    """Keys of the inbox, circuits of credentials, settings."""

    def add_key(self, key: Key) -> None:
        """Keep a new key. Raises StoreError when its id is taken."""
        values = (key.id, key.label, key.salt, key.digest, text(key.created), optional_text(key.expires))
        self.change(
            lambda db: db.execute(
                "INSERT INTO keys (id, label, salt, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?)", values
            )
        )

    def keys(self) -> list[Key]:
        """All keys, the oldest first; also those that expired or were revoked."""
        rows = self.read(
            "SELECT id, label, salt, digest, created, expires, last_used, revoked FROM keys ORDER BY created, id"
        )
        return [_key(row) for row in rows]

    def touch_key(self, key_id: str, now: datetime) -> None:
        """Remember that a key was used."""
        self.change(lambda db: db.execute("UPDATE keys SET last_used = ? WHERE id = ?", (text(now), key_id)))

    def expire_key(self, key_id: str, when: datetime) -> None:
        """Let a key end then, if it doesn't end sooner."""
        self.change(
            lambda db: db.execute(
                "UPDATE keys SET expires = min(coalesce(expires, :when), :when) WHERE id = :id",
                {"when": text(when), "id": key_id},
            )
        )

    def revoke_key(self, key_id: str, *, now: datetime) -> bool:
        """End a key at once; False when there is none of that id, or it was revoked before."""
        revoked = "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL"
        return self.change(lambda db: db.execute(revoked, (text(now), key_id)).rowcount == 1)

    def open_circuit(self, credential: str, until: datetime, code: str) -> None:
        """Leave a credential alone until then."""
        self.change(
            lambda db: db.execute(
                """INSERT INTO circuits (credential, until, code) VALUES (?, ?, ?)
                   ON CONFLICT (credential) DO UPDATE SET until = excluded.until, code = excluded.code""",
                (credential, text(until), code),
            )
        )

    def close_circuit(self, credential: str) -> None:
        """Use a credential again."""
        self.change(lambda db: db.execute("DELETE FROM circuits WHERE credential = ?", (credential,)))

    def circuits(self, now: datetime) -> dict[str, Circuit]:
        """The credentials that are left alone now, by name."""
        rows = self.read("SELECT credential, until, code FROM circuits WHERE until > ?", text(now))
        return {name: Circuit(name, datetime.fromisoformat(until), code) for name, until, code in rows}

    def setting(self, name: str) -> str | None:
        """A setting, or None."""
        with self.reading() as db:
            return kept_setting(db, name)

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self.change(lambda db: keep_setting(db, name, value))


def _key(row: Any) -> Key:
    key_id, label, salt, digest, created, *later = row
    expires, last_used, revoked = map(optional_moment, later)
    return Key(key_id, label, salt, digest, datetime.fromisoformat(created), expires, last_used, revoked)
