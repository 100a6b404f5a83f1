"""The tables of older versions, with what was in them, become those of today."""

import sqlite3

import pytest

from runner.errors import StoreError
from runner.store import FILE, Store
from runner.store.migrations import STEPS

# A file as the first version made it, with something in each table.
FIRST_VERSION = """
    CREATE TABLE ledger (
      kind TEXT NOT NULL, key TEXT NOT NULL,
      status TEXT NOT NULL, value TEXT NOT NULL, answer TEXT NOT NULL, updated TEXT NOT NULL,
      PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE TABLE cursors (job TEXT PRIMARY KEY, cursor TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      system TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, since TEXT NOT NULL);
    INSERT INTO ledger VALUES ('referral', 'r1', 'done', 'v', '{"case_id": "c-1"}', '2026-03-01T10:00:00.000+00:00');
    INSERT INTO cursors VALUES ('decisions', '2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000+00:00');
    INSERT INTO outbox (system, kind, key, entry, since)
      VALUES ('south', 'answer', 'INT-1', '{"key": "INT-1"}', '2026-03-01T10:00:00.000+00:00');
    PRAGMA user_version = 1;
"""


def shape(path):
    with sqlite3.connect(path) as db:
        made = db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        version = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return version, made


def first_version(folder):
    folder.mkdir()
    with sqlite3.connect(folder / FILE) as db:
        db.executescript(FIRST_VERSION)
    db.close()
    return folder


def test_from_the_first_version(tmp_path):
    """A store of the first version opens with all that it remembers, and then is like a new one."""
    with Store.open(first_version(tmp_path / "old")) as store:
        assert {"status": "done", "value": "v", "answer": {"case_id": "c-1"}} == store.ledger().read("referral", "r1")
        assert ("2026-03-01T10:00:00Z", [{"key": "INT-1"}]) == (store.cursor("decisions"), store.outbox("south"))
        assert 0 == store.counts().quarantined
    Store.open(tmp_path / "new").close()
    (old_version, old), (new_version, new) = (shape(tmp_path / name / FILE) for name in ("old", "new"))
    assert new_version == old_version == (len(STEPS),)
    assert [(kind, name, " ".join(sql.split())) for kind, name, sql in new if sql] == [
        (kind, name, " ".join(sql.split())) for kind, name, sql in old if sql
    ]


def test_once_only(tmp_path):
    """Opening again changes nothing."""
    Store.open(tmp_path).close()
    before = shape(tmp_path / FILE)
    Store.open(tmp_path).close()
    assert before == shape(tmp_path / FILE)


def test_step_that_fails(tmp_path):
    """H16: when a step can't be made whole, none is, and the old version opens as before."""
    folder = first_version(tmp_path / "old")
    with sqlite3.connect(folder / FILE) as db:
        db.execute("CREATE TABLE slots (in_the_way TEXT)")  # somebody's own table, late in the second step
    db.close()
    before = shape(folder / FILE)
    with pytest.raises(StoreError):
        Store.open(folder)
    assert before == shape(folder / FILE)
