"""The data directory: what it keeps, for whom, and beside how many others."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.errors import StoreError
from runner.store import FILE, Store

ENTRY = {"status": "done", "value": "v", "answer": {"case_id": "c-1"}}
ANSWER = {"system": "south", "kind": "answer", "key": "INT-1", "value": "", "send": {"status": "accepted"}}


def test_ledger_outlives_the_process(tmp_path):
    """R-ID2: what was written down is there when the store is opened again, can be changed, and forgotten."""
    with Store.open(tmp_path) as store:
        store.ledger().write("referral", "r1", {**ENTRY, "status": "intended"})
        store.ledger().write("referral", "r1", ENTRY)
        store.ledger().write("decision", "r1", ENTRY)
    with Store.open(tmp_path) as store:
        assert ENTRY == store.ledger().read("referral", "r1")
        store.ledger().write("referral", "r1", None)
        assert store.ledger().read("referral", "r1") is None
        assert ENTRY == store.ledger().read("decision", "r1")


def test_cursor(tmp_path):
    """A job's cursor is its own, and the newest one counts."""
    with Store.open(tmp_path) as store:
        assert store.cursor("decisions") is None
        store.move_cursor("decisions", "2026-03-01T10:00:00Z")
        store.move_cursor("decisions", "2026-03-02T10:00:00Z")
        assert ("2026-03-02T10:00:00Z", None) == (store.cursor("decisions"), store.cursor("referrals"))


def test_outbox_keeps_at_once(tmp_path):
    """H16: an answer that waits is kept the moment it is added, and forgotten the moment it was delivered."""
    with Store.open(tmp_path) as store, Store.open(tmp_path) as after_a_crash:
        outbox = store.outbox()
        outbox.append(ANSWER)
        outbox.append({**ANSWER, "key": "INT-2"})
        outbox.append({**ANSWER, "system": "north"})
        assert 3 == len(outbox)
        assert [ANSWER, {**ANSWER, "key": "INT-2"}] == after_a_crash.outbox("south")
        delivering = after_a_crash.outbox("south")
        delivering.remove(ANSWER)
        assert ["INT-2"] == [entry["key"] for entry in delivering]
        assert ["INT-2"] == [entry["key"] for entry in store.outbox("south")]
        assert [] == store.outbox()


def test_two_answers_alike(tmp_path):
    """Of two answers that are alike, delivering one leaves the other."""
    with Store.open(tmp_path) as store:
        store.outbox().append(ANSWER)
        store.outbox().append(dict(ANSWER))
        store.outbox("south").remove(ANSWER)
        assert [ANSWER] == store.outbox("south")


def test_file_modes(tmp_path):
    """R-RT6: the directory is made for its owner only, and so are all files in it."""
    with Store.open(tmp_path / "data" / "staging") as store:
        store.move_cursor("decisions", "2026")
        folder = tmp_path / "data" / "staging"
        assert 0o700 == folder.stat().st_mode & 0o777
        assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_settings_of_the_file(tmp_path):
    """R-WH1: a commit is flushed before it counts, and what is deleted is overwritten."""
    with Store.open(tmp_path) as store:
        settings = {
            name: store.read(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")
        }
        assert {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1} == settings
        assert (1, 5000) == (store.read("PRAGMA foreign_keys")[0][0], store.read("PRAGMA busy_timeout")[0][0])


def test_threads_side_by_side(tmp_path):
    """Workers of one run share a store without losing a line."""
    with Store.open(tmp_path) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.ledger().write("referral", str(number), ENTRY), range(200)))
        assert 200 == store.read("SELECT count(*) FROM ledger")[0][0]


def test_processes_side_by_side(tmp_path):
    """Several runs at once, one of them the first ever, make one store and lose nothing."""
    script = (
        "import sys; from pathlib import Path; from runner.store import Store\n"
        "with Store.open(Path(sys.argv[1])) as store:\n"
        "    for number in range(50):\n"
        "        store.ledger().write(sys.argv[2], str(number), {'status': 'done', 'value': '', 'answer': {}})\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "data"), str(kind)]) for kind in range(4)]
    assert [0, 0, 0, 0] == [process.wait(60) for process in running]
    with Store.open(tmp_path / "data") as store:
        assert 200 == store.read("SELECT count(*) FROM ledger")[0][0]


def test_file_that_is_no_store(tmp_path):
    """A file of another sort, or of a newer version, is refused and left as it is."""
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at as if it were one" * 20)
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path)
    assert caught.value.fix
    newer = tmp_path / "newer"
    Store.open(newer).close()
    connection = sqlite3.connect(newer / FILE)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(newer)


def test_place_that_is_no_folder(tmp_path):
    """A data directory that can't be one is refused with the reason."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "data")


def test_half_a_change_is_none(tmp_path):
    """A change that fails leaves nothing behind, and the store goes on."""
    with Store.open(tmp_path) as store:
        with pytest.raises(StoreError):
            store.write("INSERT INTO ledger (kind) VALUES (?)", "referral")
        store.ledger().write("referral", "r1", ENTRY)
        assert 1 == store.read("SELECT count(*) FROM ledger")[0][0]
