"""The tables of older versions, with what was in them, become those of today."""

import sqlite3
from dataclasses import replace

import pytest

from runner.errors import StoreError
from runner.logs.audit import START
from runner.store import FILE, Store
from runner.store.migrations import STEPS
from tests.kept import NOON, run

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
    folder.mkdir(mode=0o700)
    (folder / FILE).touch(mode=0o600)
    with sqlite3.connect(folder / FILE) as db:
        db.executescript(FIRST_VERSION)
    db.close()
    return folder


def second_version(folder):
    """A file as the second version made it, with a run and a receipt."""
    first_version(folder)
    with sqlite3.connect(folder / FILE) as db:
        for statement in STEPS[1]:
            db.execute(statement)
        moment = "2026-03-01T10:00:00.000+00:00"
        db.execute("INSERT INTO runs VALUES (1, 'r1', 'sort', NULL, ?, ?, 'succeeded', NULL, '{}')", (moment, moment))
        db.execute("INSERT INTO items VALUES ('r1', 0, 'done', '{\"case\": \"c-1\"}', NULL, NULL, NULL)")
        db.execute("INSERT INTO receipts VALUES (1, 'u1', NULL, 'succeeded', ?, ?, NULL)", (moment, moment))
        db.execute("PRAGMA user_version = 2")
    db.close()
    return folder


@pytest.mark.parametrize("version", [first_version, second_version])
def test_from_older_versions(tmp_path, version):
    """A store of an older version opens with all that it remembers, and then is like a new one."""
    with Store.open(version(tmp_path / "old")) as store:
        assert ([], (0, START)) == (store.audit_faults(), store.audit_end())
        assert {"status": "done", "value": "v", "answer": {"case_id": "c-1"}} == store.ledger().read("referral", "r1")
        assert ("2026-03-01T10:00:00Z", [{"key": "INT-1"}]) == (store.cursor("decisions"), store.outbox("south"))
        assert 0 == store.counts().quarantined
    Store.open(tmp_path / "new").close()
    (old_version, old), (new_version, new) = (shape(tmp_path / name / FILE) for name in ("old", "new"))
    assert new_version == old_version == (len(STEPS),)
    assert [(kind, name, " ".join(sql.split())) for kind, name, sql in new if sql] == [
        (kind, name, " ".join(sql.split())) for kind, name, sql in old if sql
    ]


def test_goes_on_from_the_second_version(tmp_path):
    """What the second version left is shown, scrubbed and written into the audit log by the third."""
    with Store.open(second_version(tmp_path / "old"), now=lambda: NOON) as store:
        (record,) = store.runs()
        assert ("r1", None, None) == (record.id, record.version, record.configuration)
        assert ["r1"] == [found.run.id for found in store.known("c-1").items]
        assert store.scrub(now=NOON)
        assert ["payloads_scrubbed"] == [line.event for line in store.audit_log()]
        store.settle_scheduled("read", replace(run("r2"), version="a1", configuration="b2"), now=NOON)
        assert ("a1", "b2") == (store.run("r2").version, store.run("r2").configuration)
        assert [] == store.audit_faults()


def test_days_of_older_versions(tmp_path):
    """What an older version kept is counted by day when its store is opened."""
    with Store.open(second_version(tmp_path / "old")) as store:
        counted = [(each.kind, each.outcome, each.count) for each in store.days(NOON.date())]
    assert [("item", "done", 1), ("run", "succeeded", 1)] == counted


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
