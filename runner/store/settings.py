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


def kept_settings(db: Connection, beginning: str) -> list[tuple[str, str]]:
    """Names and values of all settings whose name begins so."""
    within = "SELECT name, value FROM settings WHERE name >= ? AND name < ? ORDER BY name"
    return [(name, value) for name, value in db.execute(within, (beginning, beginning + "\U0010ffff")).fetchall()]


def forget_setting(db: Transaction, name: str) -> bool:
    """Forget a setting; False when there was none."""
    return db.execute("DELETE FROM settings WHERE name = ?", (name,)).rowcount == 1
