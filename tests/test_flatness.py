"""What keeps the bridge fast and flat, in counts: a time depends on the machine, these don't (docs/performance.md)."""

import gc
import json
import math
import random

import httpx
import pytest
from bench.far_side import OWNERS, FarSide
from bench.load import SIZE, body
from flows import JOBS
from kept import DAY, NOON, claim, post, unit

from adaptors.agreed import Record
from adaptors.ledger import MemoryLedger
from adaptors.runtime import Runtime
from runner import execute, jobscript
from runner.store import Store
from runner.tally import Tally

JOB = jobscript.load(JOBS / "primero_to_progres.py")
CREDENTIALS = {
    "primero": {"url": "https://primero.example.org", "user": "integration", "password": "invented", "rate": 1e9},
    "progres": {
        "transport": "dtp", "rate": 1e9, "subscription_key": "invented",
        "referral_url": "https://dtp.example.org/ReceiveIncomingReferral",
        "decision_url": "https://dtp.example.org/ReceiveDecisionOutgoingReferral",
    },
}  # fmt: skip


def perform(far_side, watch=lambda asked: None):
    """A run of 2a against a far side in this process; `watch` is called at each request, with its number."""

    def answered(request):
        watch(far_side.asked)
        return httpx.Response(200, json=far_side.answer(request.method, request.url.raw_path.decode()))

    state = execute.initial_state({"cursor": "2026-01-01T00:00:00Z"}, CREDENTIALS, store=None)
    state |= {"runtime": Runtime(transport=httpx.MockTransport(answered), seed=1), "ledger": MemoryLedger()}
    return execute.execute(JOB, state)


@pytest.mark.parametrize("cases", [60, 120])
def test_requests_for_each_case(cases):
    """Two requests for each case, one for its referrals and one that sends; owner, page and setting are asked once."""
    far_side = FarSide(cases, largest=50)
    run = perform(far_side)
    assert ["done"] * cases == [item["outcome"] for item in run.items]
    pages, first, owners = math.ceil(cases / 49), ["settings", "newest stamp"], OWNERS
    # Workers that come at once may ask for one owner at once.
    assert 0 <= far_side.asked - (2 * cases + pages + len(first) + owners) <= 12


def test_the_state_never_holds_all():
    """Of 400 cases no more are held at a time than a page has, and those under way."""
    held = []

    def count(asked):
        if asked % 100 == 0:
            held.append(sum(type(each) is Record and "case_id" in each for each in gc.get_objects()))

    run = perform(FarSide(400, largest=50), count)
    assert 400 == len(run.items)
    assert 8 <= len(held)
    # Under way are at most twice the workers, each cut down once for the outer and once for the inner operations.
    assert max(held) <= 50 + 3 * 24


def test_a_settled_item_is_small():
    """What became of a referral takes 300 bytes and not a kilobyte, so that 50,000 take 15 MB."""
    kept = execute.initial_state({}, {}, store=None)["outcomes"]
    assert isinstance(kept, Tally)
    kept += perform(FarSide(20)).state["outcomes"]
    assert max(len(packed) for packed in kept._packed) <= 300


def plans(store, work):
    """How SQLite goes about each statement that some work makes: lines of EXPLAIN QUERY PLAN."""
    statements = []
    store._writer.set_trace_callback(statements.append)
    work()
    store._writer.set_trace_callback(None)
    told = (each for each in statements if each.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")))
    return [row[3] for each in told for row in store._writer.execute(f"EXPLAIN QUERY PLAN {each}")]


def test_no_claim_looks_at_what_waits_behind(tmp_path):
    """A claim, and what puts a unit back or settles it, finds each row by an index, however many wait."""
    with Store.open(tmp_path / "data") as store:
        for number in range(20):
            post(store, f"m{number}", unit(f"u{number}", subject=f"child {number // 2}"))
        found = plans(store, lambda: store.put_back(claim(store), now=NOON, due=NOON + DAY))
    assert any("units_due" in line for line in found)
    assert [] == [line for line in found if line.startswith("SCAN")]


WAITING, NEAR = 120, 12  # units in line, and how many rows of a table one that is at hand may take


def rows_read(store, work):
    """How many rows of each table PostgreSQL reads for some work, by an index or not, and for what its commit sets off.

    An index that is gone through as a whole would show in no plan as a scan of the table.
    """
    writer, before, found = store._writer, {}, {}
    begin, commit = writer.begin, writer.commit

    def counts():
        query = """SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
                   WHERE schemaname = current_schema"""
        return dict(writer.execute(query).fetchall())

    def begun():
        begin()
        before.update(counts())

    def counted():
        writer.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, count in counts().items():
            found[table] = found.get(table, 0) + count - before[table]
        commit()

    writer.begin, writer.commit = begun, counted
    work()
    writer.begin, writer.commit = begin, commit
    return found


@pytest.fixture
def in_line(in_postgres, tmp_path):
    """A store in PostgreSQL where units wait, which goes through a whole table only where no index could be used."""
    address = in_postgres.address(tmp_path) + "%20-cenable_seqscan%3Doff"
    with Store.open(tmp_path, at=address) as store:
        for number in range(WAITING):
            post(store, f"m{number}", unit(f"u{number}", subject=f"child {number // 2}"))
        in_postgres.do(
            tmp_path, "ANALYZE"
        )  # as the server does by itself in time: to nothing known, all plans look alike
        yield store


def test_no_claim_reads_what_waits_behind_in_postgres(in_line):
    """A claim, what puts a unit back, and what hands it out read a few rows in PostgreSQL, however many wait."""
    found = rows_read(in_line, lambda: in_line.put_back(claim(in_line), now=NOON, due=NOON + DAY))
    assert {} == {table: count for table, count in found.items() if count > NEAR}
    assert 0 < found["units"]


def test_no_message_reads_what_waits_before_in_postgres(in_line):
    """To keep a message and to hand out its unit takes a few rows in PostgreSQL, however many wait."""
    found = rows_read(in_line, lambda: post(in_line, "new", unit("new", subject="a new child")))
    assert {} == {table: count for table, count in found.items() if count > NEAR}
    assert 0 < found["units"]


def test_all_that_is_read_is_counted_in_postgres(in_line):
    """The count finds a statement that goes through a whole table."""
    found = rows_read(in_line, lambda: in_line.change(lambda db: db.execute("DELETE FROM units WHERE code = 'x'")))
    assert WAITING == found["units"]


def test_a_scan_would_be_noticed(tmp_path):
    """The look at the plans finds a statement that goes through a whole table."""
    with Store.open(tmp_path / "data") as store:
        found = plans(store, lambda: store.change(lambda db: db.execute("DELETE FROM units WHERE code = 'x'")))
    assert [line for line in found if line.startswith("SCAN")]


def test_the_load_is_what_it_says():
    """The bodies of the load are of 8,000 bytes, and no two alike."""
    bodies = [body(number) for number in random.Random(1).sample(range(10**9), 50)]
    assert ({SIZE}, 50) == ({len(each) for each in bodies}, len(set(bodies)))
    assert all(json.loads(each)["request_type"] == "Keep" for each in bodies)
