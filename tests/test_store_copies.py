"""Backup and restore of a store: nothing that is sealed, everything that jobs need, and what is held back after it."""

import sqlite3
from contextlib import closing

import pytest

from runner import keys
from runner.errors import RunnerError, StoreError, UnreadableFile, WrongUse
from runner.keyfolder import KeyFolder
from runner.store import FILE, Key, Parked, Store, prepare, read_backup
from runner.store.lines import Erased
from runner.vault import Vault
from tests.canaries import traces
from tests.databases import InFiles
from tests.kept import DAY, HOUR, NOON, post, run, unit

CANARY = "Nyakím «Quillwort» Deng-58213"
DONE = {"status": "done", "value": "accepted", "answer": {"case_id": "c-1"}}
ANSWER = {"system": "south", "kind": "answer", "key": "INT-1", "value": "m1", "send": {"status": "delivered"}}


@pytest.fixture
def store(database, tmp_path):
    """A store in which there is something of everything."""
    with database.open(tmp_path / "data", now=lambda: NOON) as store:
        vault = Vault(KeyFolder(tmp_path / "data" / "keys"), now=lambda: NOON)
        post(store, "m1", unit("u1", subject=vault.keyed(CANARY), envelope=vault.seal(CANARY.encode(), "envelope/u1")))
        store.set_setting("fingerprint key", vault.keyed("fingerprint key"))
        store.set_setting("first start of read", NOON.isoformat())
        store.ledger().write("referral", "INT-7", DONE)
        store.outbox().append(ANSWER)
        store.outbox().append({**ANSWER, "key": "INT-2"})
        store.add_key(Key("k1", "unhcr", b"salt", b"digest", NOON))
        store.take_slot("read", NOON, now=NOON)
        parked = [Parked("read", "c-9", {"id": "c-9"}, "no_service")]
        tries = {"c-8": 2}
        store.settle_scheduled("read", run("r1"), cursor="2026-03-01T00:00:00Z", parked=parked, tries=tries, now=NOON)
        yield store


def backup(store, path):
    store.backup(path, about={"project": "name: test"}, now=NOON + HOUR)
    return path


@pytest.fixture
def restored(database, store, tmp_path):
    """What a restore makes of its backup, a day later."""
    path = backup(store, tmp_path / "backup")
    prepare(tmp_path / "new", path)
    with database.open(tmp_path / "new", now=lambda: NOON + DAY) as new:
        new.take_back(path, now=NOON + DAY)
        yield new


def test_no_payload_in_a_backup(store, tmp_path):
    """R-ER6 What is pending during a backup isn't in it: no envelope, no key that opens one, no ids of the ledger."""
    (tmp_path / "copies").mkdir()
    path = backup(store, tmp_path / "copies" / "backup")
    everything = path.read_bytes()
    sealed = store.envelope("u1")
    keys = [file.read_bytes() for file in (tmp_path / "data" / "keys").iterdir()]
    assert 2 == len(keys)
    for secret in (sealed.ciphertext, sealed.key.wrapped, *keys, b"INT-7"):
        assert secret not in everything
    assert [] == traces(tmp_path / "copies", CANARY)
    assert (0o600, ["backup"]) == (path.stat().st_mode & 0o777, [each.name for each in path.parent.iterdir()])
    with closing(sqlite3.connect(path)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables.isdisjoint({"envelopes", "wrapped_keys", "messages", "units", "runs", "items"})
    assert ("name: test", "2026-03-01T13:00:00.000+00:00") == (read_backup(path)["project"], read_backup(path)["made"])


def test_what_comes_back(restored):
    """R-ER6 Ledger, cursors, keys, slots, settings, tries, parked records, answers and the audit log are as they were;
    what belongs to the old vault isn't."""
    assert {**DONE, "answer": {}} == restored.ledger().read("referral", "INT-7")
    assert ("2026-03-01T00:00:00Z", NOON) == (restored.cursor("read"), restored.slot("read"))
    assert [("k1", "unhcr")] == [(key.id, key.label) for key in keys.active(restored, NOON)]
    assert (NOON.isoformat(), None) == (restored.setting("first start of read"), restored.setting("fingerprint key"))
    assert {"c-8": 2} == restored.item_tries("read")
    assert ["read/c-9", "outbox:south/1", "outbox:south/2"] == [record.id for record in restored.parked()]
    events = [line.event for line in restored.audit_log()]
    assert ["key_created", "backed_up", "restored"] == events
    assert ([], {"made": "2026-03-01T13:00:00.000Z", "ledger": 3, "records": 1, "answers": 2}) == (
        restored.audit_faults(),
        restored.audit_log()[-1].about,
    )


def test_tampered_log_in_a_backup(database, store, tmp_path):
    """R-AU1 What was done to the audit log in a backup is found after the restore."""
    path = backup(store, tmp_path / "backup")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE audit SET who = 'somebody'")
        db.commit()
    prepare(tmp_path / "new", path)
    with database.open(tmp_path / "new") as new:
        new.take_back(path, now=NOON + DAY)
        assert new.audit_faults()


def test_answers_are_held(restored):
    """R-ER6 H51 Answers that waited are held, and later ones behind them, until each is released or discarded."""
    later = {**ANSWER, "value": "m2"}
    restored.outbox().append(later)
    restored.outbox().append({**ANSWER, "key": "INT-3"})
    assert ["INT-3"] == [entry["key"] for entry in restored.outbox("south")]
    assert 3 == restored.counts().parked
    assert 1 == restored.retry("outbox:south/1", now=NOON + DAY)
    assert [ANSWER, later, {**ANSWER, "key": "INT-3"}] == restored.outbox("south")
    assert restored.discard("outbox:south/2", reason="test", now=NOON + DAY)
    assert 1 == restored.counts().parked
    assert 3 == len(restored.outbox("south"))


def test_discarded_answer_holds_nothing_up(restored):
    """H51 When an answer that is held is discarded, the ledger doesn't say any more that it waits."""
    assert "waiting" == restored.ledger().read("answer", "INT-1")["status"]
    assert restored.discard("outbox:south/1", reason="test", now=NOON + DAY)
    assert "done" == restored.ledger().read("answer", "INT-1")["status"]


def test_all_answers_released(restored):
    """`retry --all --code not_vouched` lets all go that is held."""
    assert 2 == restored.retry(code="not_vouched", now=NOON + DAY)
    assert ["INT-1", "INT-2"] == [entry["key"] for entry in restored.outbox("south")]


def test_doubts_of_a_scheduled_job(restored):
    """R-ER6 A scheduled job doubts what isn't done until it has read through once; others don't."""
    missing = {"status": "unknown", "value": "", "answer": {}, "doubtful": True}
    assert missing == restored.ledger("read").read("referral", "INT-8")
    assert {**DONE, "answer": {}, "doubtful": True} == restored.ledger("read").read("referral", "INT-7")
    assert restored.ledger().read("referral", "INT-8") is None
    restored.settle_scheduled("read", run("r2"), now=NOON + DAY)
    assert restored.in_doubt("read")
    restored.settle_scheduled("read", run("r3"), cursor="2026-03-02T00:00:00Z", now=NOON + DAY)
    assert restored.ledger("read").read("referral", "INT-8") is None
    assert (False, True) == (restored.in_doubt("read"), restored.in_doubt("other"))


def test_doubtful_until_released(restored):
    """R-ER6 What was once found doubtful stays so, for whoever reads it, until a person releases its record."""
    found = restored.ledger("read").read("referral", "INT-8")
    restored.ledger("read").write("referral", "INT-8", {**found, "status": "doubtful"})
    parked = [Parked("read", "c-1", {"id": "c-1", "kind": "referral", "key": "INT-8"}, "not_vouched")]
    restored.settle_scheduled("read", run("r2"), cursor="2026-03-02T00:00:00Z", parked=parked, now=NOON + DAY)
    assert restored.ledger("read").read("referral", "INT-8")["doubtful"]
    assert 1 == restored.retry("read/c-1", now=NOON + DAY)
    assert restored.ledger("read").read("referral", "INT-8") is None
    restored.ledger("read").write("referral", "INT-8", DONE)
    assert DONE == restored.ledger("read").read("referral", "INT-8")


def test_released_while_in_doubt(restored):
    """R-ER6 What a person has released is sent, though the job has not yet read through; what changed since, too."""
    for key in ("INT-7", "INT-8"):
        found = restored.ledger("read").read("referral", key)
        restored.ledger("read").write("referral", key, {**found, "status": "doubtful"})
        parked = [Parked("read", key, {"id": key, "kind": "referral", "key": key}, "not_vouched")]
        restored.settle_scheduled("read", run(f"r-{key}"), parked=parked, now=NOON + DAY)
    restored.retry(code="not_vouched", now=NOON + DAY)
    assert [None, None] == [restored.ledger("read").read("referral", key) for key in ("INT-7", "INT-8")]
    assert restored.in_doubt("read")


def test_from_one_into_the_other(store, tmp_path, database, in_postgres):
    """What was in a file can come back in PostgreSQL, and the other way round."""
    path = backup(store, tmp_path / "backup")
    prepare(tmp_path / "new", path)
    other = in_postgres if database.name == "sqlite" else InFiles()
    with other.open(tmp_path / "new", now=lambda: NOON + DAY) as new:
        assert Erased(ledger=3, records=1, answers=2) == new.take_back(path, now=NOON)
        assert [] == new.audit_faults()
        assert {**DONE, "answer": {}} == new.ledger().read("referral", "INT-7")
        new.outbox().append({**ANSWER, "key": "INT-4"})
        assert ["INT-4"] == [entry["key"] for entry in new.outbox("south")]


def test_into_a_store_that_was_used(restored, tmp_path):
    """H53 A backup isn't mixed with what a store already knows."""
    with pytest.raises(WrongUse, match="isn't new"):
        restored.take_back(tmp_path / "backup", now=NOON + DAY)
    assert [] == restored.audit_faults()


def test_refused(store, tmp_path):
    """A backup doesn't replace a file; a restore goes into an empty folder, from a backup that isn't newer."""
    path = backup(store, tmp_path / "backup")
    with pytest.raises(WrongUse, match="there already"):
        backup(store, path)
    with pytest.raises(WrongUse, match="isn't empty"):
        prepare(tmp_path / "data", path)
    (tmp_path / "text").write_text("no backup")
    Store.open(tmp_path / "other").close()
    for wrong in (tmp_path / "text", tmp_path / "other" / FILE, tmp_path / "nothing", tmp_path):
        with pytest.raises(UnreadableFile):
            read_backup(wrong)
    with pytest.raises(RunnerError):
        backup(store, tmp_path / "no" / "folder")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE backup SET value = '999' WHERE name = 'version'")
        db.commit()
    with pytest.raises(StoreError, match="newer version"):
        prepare(tmp_path / "new", path)
    assert not (tmp_path / "new").exists()
