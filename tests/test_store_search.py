"""What is known of an id, and what was run: found in both databases, and gone when it was erased or is too old."""

from dataclasses import replace

import pytest

from runner.store import ItemRecord, Parked
from runner.store.mentions import note_all
from tests.databases import InFiles
from tests.kept import DAY, ERROR, HOUR, NOON, claim, post, run, unit

REFERRAL = "GAM-26-00901"
DONE = {"status": "done", "value": "accepted", "answer": {}}


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path, now=lambda: NOON) as store:
        yield store


def about(name, *ids, outcome="done", code=None, job="sort", unit_id=None, ended=NOON):
    """A run with an item for each of these ids."""
    items = tuple(ItemRecord(index, outcome, each, code) for index, each in enumerate(ids))
    return replace(run(name, job=job, unit_id=unit_id, code=code, ended=ended), items=items)


def kept(store, *runs):
    for each in runs:
        store.settle_scheduled(each.job, each, now=NOON)


def runs_about(store, name):
    return [(found.run.id, found.item.index) for found in store.known(name).items]


def test_items_by_any_of_their_ids(store):
    """Each id of an item finds it: under whatever name, among several in a field, before a `#`; the newest first."""
    kept(store, about("r1", {"case": "c-1"}, {"individual": REFERRAL}), about("r2", {"cases": f"c-1 {REFERRAL}"}))
    kept(store, about("r3", {"kind": "answer", "key": f"{REFERRAL}#accepted"}))
    assert [("r3", 0), ("r2", 0), ("r1", 1)] == runs_about(store, REFERRAL)
    assert [("r2", 0), ("r1", 0)] == runs_about(store, "c-1")
    assert [[], [], []] == [runs_about(store, name) for name in ("answer", "c-10", REFERRAL[:-1])]


def test_what_changed_nothing(store):
    """What changed nothing is counted only, and so it isn't found either."""
    kept(store, about("r1", {"case": "c-1"}, outcome="unchanged"))
    assert [] == runs_about(store, "c-1")


def test_what_waits(store):
    """A unit is found by its subject before it was ever run, and by the items of its runs; a parked record by its id,
    and by what else its item names."""
    post(store, "m1", unit("u1", subject="keyed subject"))
    assert ["u1"] == [line.id for line in store.known("x", subject="keyed subject").units]
    store.try_again(claim(store), about("r1", {"case": "c-1"}, outcome="failed", unit_id="u1"), due=NOON + HOUR,
                    error=ERROR, now=NOON)  # fmt: skip
    assert [("u1", "pending")] == [(line.id, line.status) for line in store.known("c-1").units]
    waiting = about("r2", {"id": "c-9", "individual": REFERRAL}, outcome="parked", code="no_service")
    store.settle_scheduled("sort", waiting, parked=[Parked("sort", "c-9", {"id": "c-9"}, "no_service")], now=NOON)
    assert [["sort/c-9"]] * 2 == [[record.id for record in store.known(name).records] for name in ("c-9", REFERRAL)]
    store.retry("sort/c-9", now=NOON)
    assert () == tuple(store.known("c-9").records)


def test_what_was_sent(store):
    """The ledger tells what was sent under an id, or under one that begins with it; of an erased one that there was
    something."""
    for kind, key in (("referral", REFERRAL), ("answer", f"{REFERRAL}#1"), ("answer", f"{REFERRAL}1"), ("answer", "x")):
        store.ledger().write(kind, key, DONE)
    expected = [("answer", "done", NOON), ("referral", "done", NOON)]
    assert expected == sorted((each.kind, each.status, each.updated) for each in store.known(REFERRAL).entries)
    store.erase_subject([REFERRAL], receipt="a1", now=NOON)
    assert ["referral"] == [each.kind for each in store.known(REFERRAL).entries]


def test_no_more_than_asked_for(store):
    """Of what there is very much, the newest are shown."""
    kept(store, *(about(f"r{number}", {"case": "c-1"}) for number in range(4)))
    assert [("r3", 0), ("r2", 0)] == [(each.run.id, each.item.index) for each in store.known("c-1", limit=2).items]


def test_nobody_reads_an_id_from_mentions(store):
    """R-ER5 The table of mentions holds no id as it is, and nothing any more of an item that was erased."""
    kept(store, about("r1", {"individual": REFERRAL, "cases": "c-1 c-2"}, {"case": "c-3"}))
    assert REFERRAL not in repr(store.read("SELECT * FROM mentions"))
    assert 4 == len(store.read("SELECT * FROM mentions"))
    store.erase_subject(["c-2"], receipt="a1", now=NOON)
    assert [[], [], [("r1", 1)]] == [runs_about(store, name) for name in (REFERRAL, "c-1", "c-3")]
    assert 1 == len(store.read("SELECT * FROM mentions"))
    assert {} == store.run("r1").items[0].ids


def test_what_is_too_old(store):
    """R-ER8 With a run its items go, and whom they name."""
    kept(store, about("r1", {"case": "c-1"}, ended=NOON - 2 * DAY), about("r2", {"case": "c-1"}))
    store.purge(runs=NOON - DAY, messages=NOON - DAY, now=NOON)
    assert [("r2", 0)] == runs_about(store, "c-1")
    assert 1 == len(store.read("SELECT * FROM mentions"))


def test_what_was_kept_before(store):
    """A store of an older version gets its mentions when it is opened, those of many runs piece by piece."""
    kept(store, *(about(f"r{number}", {"case": f"c-{number}"}) for number in range(3)))
    before = sorted(store.read("SELECT * FROM mentions"))
    store.change(lambda db: db.execute("DELETE FROM mentions"))
    store.change(note_all)
    assert before == sorted(store.read("SELECT * FROM mentions"))


def test_steps(store):
    """A run keeps how long each of its operations took, and the class of the error that ended it."""
    kept(store, replace(run("r1"), steps=(("get_cases", 0.5), ("each", 2.0)), error_type="Unreachable"))
    found = store.run("r1")
    assert ((("get_cases", 0.5), ("each", 2.0)), "Unreachable") == (found.steps, found.error_type)


@pytest.fixture
def history(store):
    """Runs of two jobs with several outcomes and codes, one an hour, the last at noon."""
    rows = [("sort", "done", None), ("tell", "parked", "no_service"), ("sort", "failed", "unreachable"),
            ("tell", "done", None), ("sort", "parked", "no_service")]  # fmt: skip
    for number, (job, outcome, code) in enumerate(rows):
        ended = NOON - (len(rows) - 1 - number) * HOUR
        kept(store, about(f"r{number}", {"case": f"c-{number}"}, outcome=outcome, code=code, job=job, ended=ended))
    return store


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "43210"),
        ({"job": "tell"}, "31"),
        ({"outcome": "done"}, "30"),
        ({"outcome": "parked"}, "41"),
        ({"code": "no_service"}, "41"),
        ({"job": "tell", "outcome": "parked", "code": "no_service"}, "1"),
        ({"job": "tell", "outcome": "failed"}, ""),
        ({"since": NOON - 2 * HOUR}, "432"),
        ({"until": NOON - 2 * HOUR}, "10"),
        ({"since": NOON - 3 * HOUR, "until": NOON, "code": "no_service"}, "1"),
        ({"since": NOON + DAY}, ""),
        ({"until": NOON - DAY}, ""),
        ({"limit": 1, "outcome": "parked"}, "4"),
    ],
)
def test_items(history, wanted, expected):
    """Items are chosen by job, outcome, code and time, by any of them together, the newest first."""
    assert expected == "".join(found.run.id[1:] for found in history.items(**wanted))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"job": "sort", "code": "unreachable"}, "2"),
        ({"outcome": "succeeded", "job": "tell"}, "31"),
        ({"outcome": "failed"}, ""),
        ({"since": NOON - HOUR, "until": NOON + HOUR, "job": "tell"}, "3"),
    ],
)
def test_runs(history, wanted, expected):
    """Runs are chosen in the same way."""
    assert expected == "".join(found.id[1:] for found in history.runs(**wanted))


def test_after_a_clock_was_set_back(history):
    """What ended at a time is found though runs that were kept before it are dated later."""
    kept(history, about("r5", {"case": "c-5"}, ended=NOON - 20 * HOUR))
    assert ["r5"] == [each.id for each in history.runs(since=NOON - 21 * HOUR, until=NOON - 19 * HOUR)]
    assert ["r5", "r4"] == [each.id for each in history.runs(since=NOON - 21 * HOUR, limit=2)]


def test_codes(history):
    """The codes that runs and items ended with, each once."""
    assert ["no_service", "unreachable"] == history.codes()


def test_parked_for(store):
    """Parked records of one reason, the oldest first, no more than asked for, and none that was released."""
    for number, code in enumerate(["no_service", "other", "no_service", "no_service"]):
        parked = [Parked("sort", f"c-{number}", {}, code)]
        store.settle_scheduled("sort", run(f"r{number}"), parked=parked, now=NOON + number * HOUR)
    assert ["c-0", "c-2"] == [record.record_id for record in store.parked_for("no_service", 2)]
    store.retry("sort/c-0", now=NOON)
    assert ["c-2", "c-3"] == [record.record_id for record in store.parked_for("no_service", 9)]


QUESTIONS = [
    ("known", lambda store: store.known("c-1", subject="s")),
    ("code", lambda store: store.items(code="x", outcome="parked", job="sort", since=NOON, until=NOON)),
    ("outcome", lambda store: store.items(outcome="parked", job="sort")),
    ("job", lambda store: store.items(job="sort", outcome="done")),
    ("time", lambda store: store.items(since=NOON, until=NOON)),
    ("runs", lambda store: (store.runs(code="x", job="sort"), store.runs(outcome="failed", job="sort"))),
    ("codes", lambda store: store.codes()),
    ("parked", lambda store: store.parked_for("x", 9)),
    ("inbox", lambda store: (store.waiting(9), store.again(9), store.quarantined(9))),
    ("lists", lambda store: (store.units(message="m1"), store.units(status="dead"), store.units_to_settle("x", 9))),
]


@pytest.mark.parametrize("question", [question for _, question in QUESTIONS], ids=[name for name, _ in QUESTIONS])
def test_by_an_index(tmp_path, question):
    """However much there is, SQLite finds it by an index: it reads no whole table, and sorts none."""
    with InFiles().open(tmp_path) as store:
        kept(store, about("r1", {"case": "c-1"}, code="x"))
        asked = []
        with store.reading() as link:
            link.set_trace_callback(asked.append)
        question(store)
        with store.reading() as link:
            link.set_trace_callback(None)
            plans = [row[3] for each in asked for row in link.execute(f"EXPLAIN QUERY PLAN {each}").fetchall()]
    assert asked
    whole = {"SCAN named", "SCAN outbox"}
    assert [] == [plan for plan in plans if plan.startswith("SCAN") and plan not in whole and "INDEX" not in plan]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plans
