"""The data directory: what it keeps, for whom, and beside how many others."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from runner.errors import StoreError
from runner.store import FILE, Store
from tests.kept import post, sealed, unit

ENTRY = {"status": "done", "value": "v", "answer": {"case_id": "c-1"}}


def test_file_modes(tmp_path):
    """R-RT6: the directory is made for its owner only, and so are all files in it."""
    with Store.open(tmp_path / "data" / "staging") as store:
        store.move_cursor("decisions", "2026")
        folder = tmp_path / "data" / "staging"
        assert 0o700 == folder.stat().st_mode & 0o777
        assert not any(path.stat().st_mode & 0o077 for path in folder.iterdir())


def test_settings_of_the_file(tmp_path):
    """R-WH1: a commit is flushed before it counts, and what is deleted is overwritten."""
    with Store.open(tmp_path) as store:
        settings = {
            name: store.read(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")
        }
        assert {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1} == settings
        assert (1, 5000) == (store.read("PRAGMA foreign_keys")[0][0], store.read("PRAGMA busy_timeout")[0][0])


def test_threads_side_by_side(database, tmp_path):
    """Workers of one run share a store without losing a line."""
    with database.open(tmp_path) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.ledger().write("referral", str(number), ENTRY), range(200)))
        assert 200 == store.read("SELECT count(*) FROM ledger")[0][0]


def test_processes_side_by_side(database, tmp_path):
    """Several runs at once, one of them the first ever, make one store and lose nothing."""
    script = (
        "import sys; from pathlib import Path; from runner.store import Store\n"
        "with Store.open(Path(sys.argv[1]), at=(sys.argv[3:] or [None])[0]) as store:\n"
        "    for number in range(50):\n"
        "        store.ledger().write(sys.argv[2], str(number), {'status': 'done', 'value': '', 'answer': {}})\n"
    )
    folder = tmp_path / "data"
    where = [address for address in [database.address(folder)] if address]
    commands = [[sys.executable, "-c", script, str(folder), str(kind), *where] for kind in range(4)]
    running = [subprocess.Popen(command) for command in commands]
    assert [0, 0, 0, 0] == [process.wait(60) for process in running]
    with database.open(folder) as store:
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


def test_half_a_change_is_none(database, tmp_path):
    """A change that fails leaves nothing behind, and the store goes on."""

    def half(db):
        db.execute("INSERT INTO settings VALUES ('half', 'a change')")
        db.execute("INSERT INTO ledger (kind) VALUES ('referral')")

    with database.open(tmp_path) as store:
        with pytest.raises(StoreError):
            store.change(half)
        store.set_setting("whole", "change")
        assert [("whole",)] == store.read("SELECT name FROM settings")


def test_committed_together(tmp_path):
    """Changes that wait together are one transaction; one of them that fails undoes neither itself half nor others."""
    with Store.open(tmp_path) as store, ThreadPoolExecutor(20) as pool:
        ready, begun = Event(), Event()

        def block(db):
            begun.set()
            ready.wait(10)

        commits = []
        blocking = pool.submit(store.change, block)
        begun.wait(10)
        waiting = [pool.submit(store.set_setting, str(number), "x") for number in range(10)]
        failing = pool.submit(store.change, lambda db: db.execute("INSERT INTO ledger (kind) VALUES ('referral')"))
        while len(store._waiting) < 11:
            sleep(0.001)
        store._writer.set_trace_callback(lambda statement: commits.append(statement == "COMMIT"))
        ready.set()
        blocking.result(10)
        assert [None] * 10 == [change.result(10) for change in waiting]
        with pytest.raises(StoreError):
            failing.result(10)
        assert sum(commits) <= 2  # that of the one which was under way, and that of all who waited
        assert [(10,)] == store.read("SELECT count(*) FROM settings")


def test_several_changes_of_one_caller(database, tmp_path):
    """H16 Several works are committed together, and each has an outcome of its own: one that fails undoes no other."""

    def half(db):
        db.execute("INSERT INTO settings VALUES ('half', 'a change')")
        raise StoreError("no")

    def keep(name):
        return lambda db: (db.execute("INSERT INTO settings VALUES (?, 'x')", (name,)), name)[1]

    with database.open(tmp_path) as store:
        first, failed, last = store.change_each([keep("first"), half, keep("last")])
        assert ("first", "last") == (first(), last())
        with pytest.raises(StoreError, match="no"):
            failed()
        assert [("first",), ("last",)] == store.read("SELECT name FROM settings ORDER BY name")
        assert [] == store.change_each([])


def test_several_changes_are_one_commit(tmp_path):
    """R-WH1 What one caller wants to have done together is flushed once."""
    commits = []
    with Store.open(tmp_path) as store:
        store._writer.set_trace_callback(lambda statement: commits.append(statement == "COMMIT"))
        works = [lambda db, name=name: db.execute("INSERT INTO settings VALUES (?, 'x')", (name,)) for name in "abc"]
        for outcome in store.change_each(works):
            outcome()
        assert 1 == sum(commits)


def test_interrupted_change(database, tmp_path):
    """H16: an interruption in the midst of a change undoes it, is not swallowed, and blocks nobody."""

    def interrupted(db):
        db.execute("INSERT INTO settings VALUES ('half', 'a change')")
        raise KeyboardInterrupt

    with database.open(tmp_path) as store:
        with pytest.raises(KeyboardInterrupt):
            store.change(interrupted)
        store.set_setting("whole", "change")
        assert [("whole",)] == store.read("SELECT name FROM settings")


def test_full_disk(tmp_path):
    """R-WH2: when the disk is full a change is refused as a whole, nothing that was kept is lost, and it recovers."""
    with Store.open(tmp_path) as store:
        store.set_setting("before", "x")
        ((pages,),) = store.read("PRAGMA page_count")
        store.change(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchall())
        with pytest.raises(StoreError, match="full") as caught:
            post(store, "m1", unit("u1", envelope=sealed("x" * 100_000)))
        assert caught.value.fix
        store.change(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchall())
        assert [[("before", "x")], None] == [store.read("SELECT * FROM settings"), store.message("m1")]
        assert not post(store, "m1").duplicate


def test_disk_that_takes_no_more(tmp_path):
    """R-WH2: the same when the file system itself refuses to let a file grow."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from runner.errors import StoreError; from runner.store import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with Store.open(Path(sys.argv[1])) as store:\n"
        "    store.set_setting('before', 'x')\n"
        "    most = max(file.stat().st_size for file in Path(sys.argv[1]).glob('*')) + 150_000\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
        "    try:\n"
        "        store.set_setting('large', 'x' * 500_000)\n"
        "    except StoreError:\n"
        "        store.set_setting('after', 'x')\n"
    )
    assert 0 == subprocess.run([sys.executable, "-c", script, str(tmp_path)], timeout=60, check=False).returncode
    with Store.open(tmp_path) as store:
        assert [("after",), ("before",)] == store.read("SELECT name FROM settings ORDER BY name")


def test_read_only(tmp_path):
    """R-WH2: what can't be written is a StoreError, and reading goes on."""
    with Store.open(tmp_path) as store:
        store.change(lambda db: db.execute("PRAGMA query_only = ON"))
        with pytest.raises(StoreError, match="readonly"):
            post(store, "m1")
        assert store.message("m1") is None


def test_locked(tmp_path):
    """R-WH2: who keeps the file locked for longer than our patience is told of; afterwards it goes on."""
    with Store.open(tmp_path, patience=0.05) as store:
        other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            post(store, "m1")
        other.execute("ROLLBACK")
        other.close()
        assert not post(store, "m1").duplicate


def test_closed(database, tmp_path):
    """A store that was closed neither reads nor writes, and says so."""
    store = database.open(tmp_path)
    store.close()
    for use in (lambda: store.setting("x"), lambda: store.set_setting("x", "y"), store.checkpoint):
        with pytest.raises(StoreError):
            use()


def test_help_needs_no_cryptography():
    """What neither seals nor opens doesn't load the library for it: the command line starts at once."""
    script = "import sys, runner.store, runner.vault; sys.exit('cryptography' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode
