"""Moving a store from its file into PostgreSQL: everything comes along, and nothing is used in two places."""

import json

import pytest

from runner.cli import main
from runner.errors import InUse, StoreError, Unconfirmed, WrongUse
from runner.keyfolder import KeyFolder
from runner.store import FILE, Account, Key, Parked, Session, Store, Telling, Told, moving, tables
from runner.store.moving import move
from runner.vault import Vault
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, unit
from tests.virtual import Clock, Service, made

DONE = {"status": "done", "value": "accepted", "answer": {"case_id": "c-1"}}
ANSWER = {"system": "south", "kind": "answer", "key": "INT-1", "value": "m1", "send": {"status": "delivered"}}


def filled(folder):
    """A store with something in every table; all rows, by table."""
    with Store.open(folder, now=lambda: NOON) as store:
        vault = Vault(KeyFolder(folder / "keys"), now=lambda: NOON)
        for name in ("u1", "u2", "u3", "u4"):
            envelope = vault.seal(b"state", f"envelope/{name}")
            post(store, f"m-{name}", unit(name, subject="child", envelope=envelope))
        store.succeed(claim(store), run("r1", "done", "refused"), now=NOON)
        store.try_again(claim(store), run("r2", "failed"), due=NOON + HOUR, error=ERROR, now=NOON)
        store.set_setting("first start of read", NOON.isoformat())
        store.ledger().write("referral", "INT-7", DONE)
        store.outbox().append(ANSWER)
        store.add_key(Key("k1", "unhcr", b"\0salt", b"digest\xff", NOON))
        store.take_slot("read", NOON, now=NOON)
        store.open_circuit("south", NOON + DAY, "refused")
        store.put_account(Account("amal", "viewer", "hashed", "salt", NOON))
        store.begin_session(Session("digest", "amal", NOON, NOON, NOON))
        store.count_try("keyed", since=NOON, now=NOON)
        parked = [Parked("read", "c-9", {"id": "c-9"}, "no_service")]
        store.note_sign("clock_jumped", now=NOON)
        store.keep_telling(Telling("office", NOON, 0), began=[Told("given_up", "sort", "", "error", 1)], now=NOON)
        store.settle_scheduled("read", run("r3"), cursor="2026-03-01", parked=parked, tries={"c-8": 2}, now=NOON)
        return {table: sorted(store.read(f"SELECT * FROM {table}"), key=repr) for table in tables.TABLES}


def moved(folder, in_postgres):
    """The store of a folder, moved; where it is now."""
    address = in_postgres.address(folder)
    move(folder, address, jobs=["sort"], now=lambda: NOON)
    return address


def test_everything_comes_along(tmp_path, in_postgres):
    """Every row of every table is in PostgreSQL as it was in the file; new ones are numbered behind them."""
    before = filled(tmp_path)
    assert all(before.values()), [table for table, rows in before.items() if not rows]
    with Store.open(tmp_path, at=moved(tmp_path, in_postgres), now=lambda: NOON) as store:
        after = {table: sorted(store.read(f"SELECT * FROM {table}"), key=repr) for table in tables.TABLES}
        for table in set(tables.TABLES) - {"audit", "audit_end", "settings"}:
            assert before[table] == after[table], table
        assert [*before["settings"], ("moved", NOON.isoformat(timespec="milliseconds"))] == after["settings"]
        assert (before["audit"], "store_moved") == (after["audit"][:-1], store.audit_log()[-1].event)
        assert [] == store.audit_faults()
        assert not post(store, "m5", unit("u5", subject="child")).duplicate
        assert post(store, "m6", fingerprint="fingerprint of m-u3").duplicate
        assert "u2" == claim(store, NOON + HOUR).id
    assert not list(tmp_path.glob(f"{FILE}*"))


def test_traffic_in_both(tmp_path, in_postgres):
    """H53 What was posted before the move is done after it, once; what was done isn't again, however often it comes."""
    done = []

    def count(state):
        done.append(state["data"]["number"])
        if state["data"]["number"] == 2 and done.count(2) == 1:
            raise ConnectionError
        return state

    job = made("count", count, on="count", subject="$.child")
    messages = [{"type": "count", "number": number, "child": "A"} for number in range(1, 5)]
    clock = Clock()
    with Service(tmp_path, jobs=[job], clock=clock) as service:
        for message in messages[:3]:
            service.post(message)
        service.settle()
        assert ([1, 2], 2) == (done, service.store.counts().units["pending"])
    address = moved(tmp_path, in_postgres)
    with Service(tmp_path, at=address, jobs=[job], clock=clock) as service:
        for message in messages:
            service.post(message)
        service.run(hours=1)
        assert [1, 2, 2, 3, 4] == done
        assert {"succeeded": 4} == dict(service.store.counts().units)


def test_never_in_both(tmp_path, in_postgres):
    """Once moved, no file is begun in the directory any more; and while a file is there PostgreSQL isn't used."""
    filled(tmp_path)
    with pytest.raises(StoreError, match="store of its own"):
        in_postgres.open(tmp_path)
    moved(tmp_path, in_postgres)
    with pytest.raises(StoreError, match="in PostgreSQL"):
        Store.open(tmp_path)
    with pytest.raises(WrongUse, match="no file"):
        moved(tmp_path, in_postgres)


def test_new_in_postgres(tmp_path, in_postgres):
    """A directory whose store was begun in PostgreSQL gets no file either, when the project file forgets to name it."""
    in_postgres.open(tmp_path).close()
    with pytest.raises(StoreError, match="in PostgreSQL"):
        Store.open(tmp_path)


def test_database_that_isnt_empty(tmp_path, in_postgres):
    """What is in use isn't written over; then the file goes on as before."""
    filled(tmp_path)
    with in_postgres.open(tmp_path, moving=True) as target:
        target.set_setting("something", "else")
    with pytest.raises(WrongUse, match="isn't empty"):
        moved(tmp_path, in_postgres)
    with Store.open(tmp_path) as store:
        assert DONE == store.ledger().read("referral", "INT-7")


def test_while_somebody_is_at_work(tmp_path, in_postgres):
    """A service or a job that is at work isn't moved from under its feet."""
    filled(tmp_path)
    for name in ("serve", "job/sort"):
        with Store.open(tmp_path) as store, store.lock(name), pytest.raises(InUse):
            moved(tmp_path, in_postgres)
    with Store.open(tmp_path) as store:
        assert DONE == store.ledger().read("referral", "INT-7")


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("where", ["put_note", "_copy", "remove_file"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_on_the_way(tmp_path, in_postgres, monkeypatch, where, after):
    """H16 Wherever moving breaks off, the store is in neither place or in one, and moving again ends it."""
    before = filled(tmp_path)
    place = moving if where == "_copy" else moving.whereabouts
    real = getattr(place, where)

    def killed(*given):
        if after:
            real(*given)
        raise Killed

    monkeypatch.setattr(place, where, killed)
    with pytest.raises(Killed):
        moved(tmp_path, in_postgres)
    monkeypatch.undo()
    for at in (None, in_postgres.address(tmp_path)):
        if (tmp_path / FILE).exists() and (tmp_path / "store.elsewhere").exists():
            with pytest.raises(StoreError):
                Store.open(tmp_path, at=at)
    if (tmp_path / FILE).exists():
        moved(tmp_path, in_postgres)
    with in_postgres.open(tmp_path) as store:
        assert before["units"] == sorted(store.read("SELECT * FROM units"), key=repr)
        assert ["store_moved"] == [line.event for line in store.audit_log(event="store_moved")]


def test_outcome_unknown(tmp_path, in_postgres, monkeypatch):
    """H16 Where nobody can tell whether the copy was kept, neither place is used until moving has found out."""
    filled(tmp_path)
    real = Store.change

    def lost(store, work):
        result = real(store, work)
        if store.read("SELECT 1 FROM settings WHERE name = 'moved'"):
            raise Unconfirmed("lost")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Store, "change", lost)
        with pytest.raises(Unconfirmed):
            moved(tmp_path, in_postgres)
    with pytest.raises(StoreError, match="in PostgreSQL"):
        Store.open(tmp_path)
    with Store.open(tmp_path, at=moved(tmp_path, in_postgres)) as store:
        assert DONE == store.ledger().read("referral", "INT-7")


def test_others_who_have_the_file_open(tmp_path, in_postgres, monkeypatch):
    """H16 What somebody still writes into the file after it was moved is refused, not lost without a word."""
    filled(tmp_path)
    remove = moving.whereabouts.remove_file

    def late(folder):
        with pytest.raises(StoreError):
            other.set_setting("late", "x")
        remove(folder)

    monkeypatch.setattr(moving.whereabouts, "remove_file", late)
    with Store.open(tmp_path, patience=0.1) as other:
        moved(tmp_path, in_postgres)
        with pytest.raises(StoreError):
            other.set_setting("late", "x")


def test_command(tmp_path, in_postgres, capsys, monkeypatch):
    """`runner store migrate --to` moves, tells how much, and the commands then work where the project file says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text('"""Sorts. By hand."""\n\noperations = []\n')
    (tmp_path / "project.yaml").write_text("name: test\njobs:\n  sort: {script: sort.py}\n")
    filled(tmp_path / "data")
    address = in_postgres.address(tmp_path / "data")
    assert 0 == main(["store", "migrate", "--to", address, "--json"])
    assert {"ledger": 2, "outbox": 1, "messages": 4} == {
        name: count
        for name, count in json.loads(capsys.readouterr().out)["moved"].items()
        if name in ("ledger", "outbox", "messages")
    }
    assert 2 == main(["keys", "list"])
    assert "store:" in capsys.readouterr().err
    with open("project.yaml", "a") as file:
        file.write("store: ${TEST_STORE}\n")
    assert 3 == main(["keys", "list"])
    monkeypatch.setenv("TEST_STORE", address)
    assert 0 == main(["keys", "list", "--json"])
    assert "k1" in capsys.readouterr().out


def test_nothing_is_left_of_the_file(tmp_path, in_postgres):
    """R-ER1 The file's bytes are overwritten before it is removed."""
    filled(tmp_path)
    with open(tmp_path / FILE, "rb") as before:
        moved(tmp_path, in_postgres)
        assert b"" == before.read().strip(b"\0")
