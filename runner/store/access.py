"""Who may come in, what must be left alone for a while, and small settings."""

from datetime import datetime
from typing import Any

from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.moments import optional_moment, optional_text, text
from runner.store.records import Circuit, Key
from runner.store.settings import keep_setting, kept_setting


class Access(Database):
    """Keys of the inbox, circuits of credentials, settings."""

    def add_key(self, key: Key) -> None:
        """Keep a new key. Raises StoreError when its id is taken."""
        values = (key.id, key.label, key.salt, key.digest, text(key.created), optional_text(key.expires))

        def work(db: Transaction) -> None:
            db.execute("INSERT INTO keys (id, label, salt, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?)", values)
            note(db, "key_created", key.created, key=key.id, label=key.label, expires=key.expires)

        self.change(work)

    def keys(self) -> list[Key]:
        """All keys, the oldest first; also those that expired or were revoked."""
        rows = self.read(
            "SELECT id, label, salt, digest, created, expires, last_used, revoked FROM keys ORDER BY created, id"
        )
        return [_key(row) for row in rows]

    def touch_key(self, key_id: str, now: datetime) -> None:
        """Remember that a key was used; the first time on each day is an entry of the audit log."""
        self.change(lambda db: _touch(db, key_id, now))

    def expire_key(self, key_id: str, when: datetime, *, now: datetime) -> None:
        """Let a key end then, if it doesn't end sooner, since another takes its place."""

        def work(db: Transaction) -> None:
            ended = """UPDATE keys SET expires = CASE WHEN expires < ?1 THEN expires ELSE ?1 END
                       WHERE id = ?2 RETURNING label, expires"""
            for label, expires in db.execute(ended, (text(when), key_id)).fetchall():
                note(db, "key_rotated", now, key=key_id, label=label, until=expires)

        self.change(work)

    def revoke_key(self, key_id: str, *, now: datetime) -> bool:
        """End a key at once; False when there is none of that id, or it was revoked before."""

        def work(db: Transaction) -> bool:
            revoked = "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL RETURNING label"
            rows = db.execute(revoked, (text(now), key_id)).fetchall()
            for (label,) in rows:
                note(db, "key_revoked", now, key=key_id, label=label)
            return bool(rows)

        return self.change(work)

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

    def refusals(self) -> list[Circuit]:
        """The credentials that were refused, also those that may be used again; nobody may have done so yet."""
        rows = self.read("SELECT credential, until, code FROM circuits ORDER BY credential")
        return [Circuit(name, datetime.fromisoformat(until), code) for name, until, code in rows]

    def setting(self, name: str) -> str | None:
        """A setting, or None."""
        with self.reading() as db:
            return kept_setting(db, name)

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self.change(lambda db: keep_setting(db, name, value))


def _touch(db: Transaction, key_id: str, now: datetime) -> None:
    row = db.execute("SELECT label, last_used FROM keys WHERE id = ?", (key_id,)).fetchone()
    if row and (row[1] or "")[:10] != text(now)[:10]:
        note(db, "key_used", now, key=key_id, label=row[0])
    db.execute("UPDATE keys SET last_used = ? WHERE id = ?", (text(now), key_id))


def _key(row: Any) -> Key:
    key_id, label, salt, digest, created, *later = row
    expires, last_used, revoked = map(optional_moment, later)
    return Key(key_id, label, salt, digest, datetime.fromisoformat(created), expires, last_used, revoked)
