"""Small settings, within the transaction at hand."""

from runner.store.connection import Connection, Transaction


def kept_setting(db: Connection, name: str) -> str | None:
    """A setting, or None."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def keep_setting(db: Transaction, name: str, value: str) -> None:
    """Keep a setting."""
    db.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
