"""What is other in PostgreSQL: connections that break off, locks that go with them, and hosts that share."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from runner import keyfile
from runner.errors import InUse, StoreError, Unconfirmed, WrongUse
from runner.store import Store, postgres, tables
from runner.store.address import checked
from tests import servers
from tests.kept import HOUR, NOON, claim, post, run, unit

ENTRY = {"status": "intended", "value": "v", "answer": {}}


@pytest.fixture
def store(in_postgres, tmp_path):
    with in_postgres.open(tmp_path) as store:
        yield store


def break_off(store, in_postgres):
    """End the connection that writes, as a network does: without a word to us."""
    pid = store._writer._raw.info.backend_pid
    assert [(True,)] == in_postgres.do(store.folder, f"SELECT pg_terminate_backend({pid}, 10000)")


def test_embedded_mode_needs_none_of_it():
    """The store in a file, and every command that opens one, load nothing of PostgreSQL."""
    script = (
        "import sys, tempfile; from pathlib import Path; from runner.store import Store, moving\n"
        "Store.open(Path(tempfile.mkdtemp())).close()\n"
        "sys.exit(any(name.split('.')[0] in ('psycopg', 'procrastinate') for name in sys.modules))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode


def test_not_installed(tmp_path, monkeypatch):
    """Where the extra isn't installed, that is said."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "runner.store.postgres")
    with pytest.raises(StoreError, match="not installed") as caught:
        Store.open(tmp_path, at="postgresql://runner@localhost/none")
    assert "[postgres]" in caught.value.fix


def test_flushed_before_it_counts(store):
    """R-WH1 A commit is on the disk before anybody is told of it, whatever the server's own settings say."""
    assert [("on",)] == store._writer.execute("SHOW synchronous_commit").fetchall()
    with store.reading() as db:
        assert [("on",)] == db.execute("SHOW synchronous_commit").fetchall()


def test_connection_that_broke_off_while_idle(store, in_postgres):
    """What comes after is done on another connection, as if nothing had been; reading too, after one complaint."""
    store.set_setting("before", "x")
    break_off(store, in_postgres)
    store.set_setting("after", "x")
    assert [("after",), ("before",)] == store.read("SELECT name FROM settings ORDER BY name")
    assert 1 == store.session


def test_server_that_is_started_anew(tmp_path):
    """R-WH2 While the server is away all is refused; when it is back the store goes on by itself."""
    server = servers.Server(servers.programs() or servers.missing(), durable=True)
    try:
        with Store.open(tmp_path, at=server.address(), patience=2) as store:
            store.set_setting("before", "x")
            server.stop()
            for use in (lambda: store.set_setting("away", "x"), lambda: store.setting("before")):
                with pytest.raises(StoreError) as caught:
                    use()
            assert caught.value.fix
            server.start()
            store.set_setting("after", "x")
            assert [("after",), ("before",)] == store.read("SELECT name FROM settings ORDER BY name")
    finally:
        server.remove()


def test_restarts_under_load(tmp_path):
    """R-WH1 H16 However often the server loses its power: what was accepted is there once, what was refused isn't."""
    server = servers.Server(servers.programs() or servers.missing(), durable=True)
    accepted, refused, unconfirmed = set(), set(), set()
    numbers, enough = itertools.count(), threading.Event()

    def keep_on(store):
        while not enough.is_set():
            name = f"m{next(numbers)}"
            try:
                post(store, name)
                accepted.add(name)
            except Unconfirmed:
                unconfirmed.add(name)
            except StoreError:
                refused.add(name)
                time.sleep(0.01)

    try:
        with Store.open(tmp_path, at=server.address(), patience=3) as store, ThreadPoolExecutor(4) as pool:
            posting = [pool.submit(keep_on, store) for _ in range(4)]
            try:
                for _ in range(3):
                    time.sleep(0.3)
                    server.stop()
                    server.start()
            finally:
                enough.set()
            for each in posting:
                each.result(60)
            kept = {name for (name,) in store.read("SELECT id FROM messages")}
            assert refused
            assert kept - unconfirmed == accepted
            assert len(kept) == store.read("SELECT count(*) FROM units")[0][0]
    finally:
        server.remove()


def test_broken_off_in_the_midst(store, in_postgres):
    """H16 A change whose connection breaks off before its commit is refused, and nothing of it is kept."""

    def half(db):
        db.execute("INSERT INTO settings VALUES ('half', 'a change')")
        break_off(store, in_postgres)
        db.execute("INSERT INTO settings VALUES ('other', 'half')")

    with pytest.raises(StoreError):
        store.change(half)
    store.set_setting("whole", "change")
    assert [("whole",)] == store.read("SELECT name FROM settings")


class BreakingOff:
    """A connection that breaks off at its commit, `after` it or before."""

    def __init__(self, raw, do, *, after):
        self._raw, self._do, self._after = raw, do, after

    def __getattr__(self, name):
        return getattr(self._raw, name)

    def execute(self, statement, *values):
        if statement != "COMMIT":
            return self._raw.execute(statement, *values)
        if self._after:
            self._raw.execute("COMMIT")
        self._do()
        return self._raw.execute("SELECT 1")  # finds out


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_broken_off_at_the_commit(store, in_postgres, after):
    """H16 Whether a commit counted whose answer was lost is asked: then it is told as done, or as not done."""
    store._writer._raw = BreakingOff(store._writer._raw, lambda: break_off(store, in_postgres), after=after)
    if after:
        store.set_setting("name", "x")
    else:
        with pytest.raises(StoreError) as caught:
            store.set_setting("name", "x")
        assert not isinstance(caught.value, Unconfirmed)
    assert ("x" if after else None) == store.setting("name")


def test_nobody_to_ask(tmp_path):
    """H16 Where the server is gone with the answer, what becomes of the change is told as not known."""
    server = servers.Server(servers.programs() or servers.missing(), durable=True)
    try:
        with Store.open(tmp_path, at=server.address(), patience=2) as store:
            store._writer._raw = BreakingOff(store._writer._raw, server.stop, after=True)
            with pytest.raises(Unconfirmed, match="may have been kept") as caught:
                store.set_setting("name", "x")
            assert caught.value.fix
            server.start()
            assert "x" == store.setting("name")
    finally:
        server.remove()


def test_work_that_was_begun_unknown(tmp_path):
    """H16 What was begun, or a slot that was taken, while nobody could tell that it was, is begun when the server is
    back; its tries count from there."""
    server = servers.Server(servers.programs() or servers.missing(), durable=True)
    try:
        with Store.open(tmp_path, at=server.address(), patience=0.5) as store:
            post(store, "m1")
            for begin in (lambda: claim(store), lambda: store.take_slot("read", NOON, now=NOON)):
                store.set_setting("alive", "yes")
                store._writer._raw = BreakingOff(store._writer._raw, server.stop, after=True)
                for _ in range(2):
                    with pytest.raises(Unconfirmed):
                        begin()
                server.start()
                found = begin()
                assert found is True or ("m1", 1) == (found.id, found.tries)
            assert not store.take_slot("read", NOON, now=NOON)
            assert claim(store) is None
    finally:
        server.remove()


def test_locks_go_with_the_connection(store, in_postgres):
    """H16 A run whose locks may be somebody else's by now writes nothing into the ledger, so it sends nothing; the next
    one does."""
    with store.lock("job/read"):
        ledger, other = store.ledger(), store.ledger()
        ledger.write("referral", "1", ENTRY)
        break_off(store, in_postgres)
        store.set_setting("anything", "else")
        for each in (ledger, other):
            with pytest.raises(StoreError, match="locks"):
                each.write("referral", "2", ENTRY)
        assert store.ledger().read("referral", "2") is None
        store.ledger().write("referral", "2", ENTRY)


def test_answers_of_a_run_that_lost_its_locks(store, in_postgres):
    """H16 Nor does it add to what waits to be sent, or take away from it."""
    entry = {"system": "south", "kind": "answer", "key": "INT-1", "value": "m1", "send": {}}
    outbox = store.outbox("south")
    outbox.append(entry)
    break_off(store, in_postgres)
    for change in (outbox.append, outbox.remove):
        with pytest.raises(StoreError, match="locks"):
            change(entry)
    assert [entry] == store.outbox("south")


def test_held_again_on_the_next_connection(store, in_postgres):
    """Until those who relied on a lock have given up, nobody else gets it, unless they were quicker."""
    with in_postgres.open(store.folder) as other:
        with store.lock("serve"), store.lock("job/read"):
            with pytest.raises(InUse), other.lock("serve"):
                pass
            break_off(store, in_postgres)
            with other.lock("job/read"):
                store.set_setting("anything", "else")
                with pytest.raises(InUse), other.lock("serve"):
                    pass
        with other.lock("serve"), other.lock("job/read"):
            pass


def test_one_who_stopped_while_writing(store, in_postgres, monkeypatch):
    """H16 A process that was frozen in the midst of a change holds nobody up for long, and finds its change refused."""
    monkeypatch.setattr(postgres, "_IDLE", 1)
    with in_postgres.open(store.folder) as frozen, ThreadPoolExecutor(1) as pool:

        def freeze(db):
            db.execute("INSERT INTO settings VALUES ('frozen', 'x')")
            time.sleep(3)

        lost = pool.submit(frozen.change, freeze)
        time.sleep(0.2)
        store.set_setting("other", "x")
        assert not lost.done()
        with pytest.raises(StoreError):
            lost.result(10)
        assert [("other",)] == store.read("SELECT name FROM settings")


def test_several_hosts(store, in_postgres):
    """Processes of several hosts share the work, and each unit is begun once."""
    for number in range(30):
        post(store, f"m{number}", unit(f"u{number}"))
    with in_postgres.open(store.folder) as other, ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda number: claim((store, other)[number % 2]), range(32)))
    assert sorted(f"u{number}" for number in range(30)) == sorted(work.id for work in claimed if work)


def test_other_hosts_key(store, in_postgres, tmp_path_factory):
    """A directory with another store's key is refused, and changes nothing."""
    other = tmp_path_factory.mktemp("other")
    keyfile.make(other / "store.key")
    with pytest.raises(StoreError, match="another data directory") as caught:
        Store.open(other, at=in_postgres.address(store.folder))
    assert "store.key" in caught.value.fix


def test_key_that_is_missing(in_postgres, tmp_path):
    """R-AU1 Without its key the store isn't opened, and no other is made in its place."""
    in_postgres.open(tmp_path).close()
    (tmp_path / "store.key").unlink()
    with pytest.raises(StoreError, match=r"store\.key, is missing"):
        in_postgres.open(tmp_path)
    assert not (tmp_path / "store.key").exists()


def test_newer_version(store, in_postgres):
    """A database that a newer runner made is refused."""
    store.change(lambda db: db.execute("UPDATE store SET version = 999"))
    with pytest.raises(StoreError, match="newer version"):
        in_postgres.open(store.folder)


def test_messages_hold_no_value(store, in_postgres):
    """R-LG3 What PostgreSQL says of values, users and hosts isn't passed on."""
    with pytest.raises(StoreError) as caught:
        store.change(lambda db: db.execute("INSERT INTO ledger (kind, key) VALUES ('referral', 'Nyaruot')"))
    assert "the database can't be used: NotNullViolation" == str(caught.value)
    with pytest.raises(StoreError) as caught:
        Store.open(store.folder, at="postgresql://anna@localhost:1/bridge")
    assert "the database can't be used: nothing answers there" == str(caught.value)


def test_same_tables(store, in_postgres, tmp_path_factory):
    """Both databases have the same tables, columns, indexes and triggers, but for those that hand out units."""
    columns = """SELECT table_name || '.' || column_name FROM information_schema.columns
                 WHERE table_schema = current_schema AND table_name <> 'store'
                   AND NOT starts_with(table_name, 'procrastinate')"""
    theirs = {name for (name,) in in_postgres.do(store.folder, columns)}
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema"
    made = {name for (name,) in in_postgres.do(store.folder, indexes) if not name.endswith(("_pkey", "_key"))}
    theirs |= {name for name in made if "procrastinate" not in name}
    with Store.open(tmp_path_factory.mktemp("file")) as file:
        made = file.read("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'")
        ours = {name for kind, name in made if kind == "index"}
        for table in (name for kind, name in made if kind == "table"):
            ours |= {f"{table}.{column}" for _, column, *_ in file.read(f"PRAGMA table_info({table})")}
        assert ours == theirs
        assert file._writer.guards() == store._writer.guards()
        assert set(tables.TABLES) == {name for kind, name in made if kind == "table"}


def test_texts_compare_byte_by_byte(store, in_postgres):
    """Moments and ids sort as in SQLite, whatever the language of the database."""
    others = """SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = current_schema AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
                  AND NOT starts_with(table_name, 'procrastinate')"""
    assert {"store"} == {table for table, _ in in_postgres.do(store.folder, others)}


def test_audit_log_isnt_emptied(store):
    """R-AU1 The table itself refuses to be emptied at a stroke."""
    store.record("service_stopped", now=NOON)
    with pytest.raises(StoreError):
        store.change(lambda db: db.execute("TRUNCATE audit"))
    assert ([], 1) == (store.audit_faults(), store.audit_end()[0])


def test_version_tells_of_others(store, in_postgres):
    """What another process changes is noticed, and while nobody changes anything nothing is."""
    with in_postgres.open(store.folder) as other:
        before = store.version()
        assert (None, before) == (claim(store), store.version())
        other.set_setting("name", "x")
        assert before != store.version()


def test_claim_uses_its_index(store):
    """However many wait, the next is found by its index."""
    post(store, "many", *(unit(f"u{number}") for number in range(3000)))
    store.change(lambda db: db.execute("ANALYZE units"))
    plans = []

    def explained(statement, values=()):
        if statement.startswith("SELECT due, turn, number"):
            plans.extend(real(f"EXPLAIN {statement}", values).fetchall())
        return real(statement, values)

    real, store._transaction.execute = store._transaction.execute, explained
    assert claim(store)
    assert "units_due" in str(plans)


def test_a_burst_is_noticed(store):
    """When much more waits than before, the database is told to look, so that handing out goes by its indexes; not
    again while nothing changes."""

    def looked():
        found = "SELECT relname, analyze_count FROM pg_stat_user_tables WHERE relid IN ('units'::regclass, "
        return dict(store.read(f"{found}'procrastinate_jobs'::regclass)"))

    post(store, "many", *(unit(f"u{number}") for number in range(1000)))
    for _ in range(100):  # what has changed is counted within a second or so
        store.offer(NOON, jobs=["sort"])
        if all(looked().values()):
            break
        time.sleep(0.1)
    before = looked()
    assert all(before.values())
    store.offer(NOON, jobs=["sort"])
    assert before == looked()


def test_receipts_wait_for_the_end_of_the_key(store):
    """R-ER3 R-ER4 PostgreSQL overwrites nothing: a receipt is marked when the key of its payload is destroyed."""
    post(store, "m1")
    store.succeed(claim(store), run("r1", "done"), now=NOON)
    assert store.scrub(now=NOON)
    assert (0, {None}) == (store.unscrubbed(), {receipt.verified for receipt in store.receipts("m1")})
    store.destroyed("2026-02-28")
    assert (0, True) == (store.unscrubbed(), store.scrub(now=NOON))
    store.destroyed("2026-03-01")
    assert (2, True) == (store.unscrubbed(), store.scrub(now=NOON + HOUR))
    assert {NOON + HOUR} == {receipt.verified for receipt in store.receipts("m1")}
    assert {"count": 2, "method": "key_destroyed"} == store.audit_log()[-1].about


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://anna:secret@db.example/bridge", "password"),
        ("postgresql://db.example/bridge?password=secret", "password"),
        ("postgresql://db.example/bridge?sslmode=disable", "sslmode"),
        ("postgresql://db.example/bridge?sslmode=require", "sslmode"),
        ("postgresql://localhost/bridge?hostaddr=192.0.2.1&sslmode=prefer", "sslmode"),
        ("postgresql://127.0.0.1,192.0.2.1/bridge?sslmode=prefer", "sslmode"),
        ("postgresql:///bridge", "no host"),
        ("postgresql://db.example/bridge?service=other", "no host"),
        ("postgresql://db.example", "no address"),
        ("https://db.example/bridge", "no address"),
    ],
)
def test_address_that_is_refused(address, told):
    """R-RT5 R-TL3 No password in the address, and none of another machine without encryption that is verified."""
    with pytest.raises(WrongUse, match=told) as caught:
        checked(address)
    assert caught.value.fix
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["postgresql://a@localhost/x", "postgresql://a@[::1]:5433/x", "postgresql:///x?host=/run"]
)
def test_address_on_this_machine(address):
    """On this machine the address is taken as it is."""
    assert address == checked(address)


def test_address_from_the_environment(monkeypatch):
    """R-TL3 libpq would be led elsewhere by its environment: that counts, too."""
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    assert "sslmode=verify-full" in checked("postgresql://a@localhost/x")


HOLD = (
    "import sys; from pathlib import Path; from runner.store import Store\n"
    "store = Store.open(Path(sys.argv[1]), at=sys.argv[2])\n"
    "def work(db):\n"
    "    db.execute(\"INSERT INTO settings VALUES ('half', 'a change')\")\n"
    "    print('writing', flush=True); sys.stdin.read()\n"
    "store.change(work)\n"
)


@contextmanager
def writing(store, in_postgres):
    """Another process in the midst of a change."""
    command = [sys.executable, "-c", HOLD, str(store.folder), in_postgres.address(store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert b"writing" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_killed_while_writing(store, in_postgres):
    """H16 Who is killed in the midst of a change leaves nothing of it, and holds nobody up."""
    with writing(store, in_postgres) as process:
        process.send_signal(signal.SIGKILL)
        store.set_setting("whole", "change")
    assert [("whole",)] == store.read("SELECT name FROM settings")


def test_others_who_write_for_long(store, in_postgres):
    """R-WH2 Who writes for longer than our patience is told of; afterwards it goes on."""
    with in_postgres.open(store.folder, patience=0.1) as hasty:
        with writing(store, in_postgres), pytest.raises(StoreError, match="LockNotAvailable"):
            hasty.set_setting("name", "x")
        hasty.set_setting("name", "x")
