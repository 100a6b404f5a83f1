"""The audit log: what is written into it, and that every way of tampering with it is found out."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as draw

from runner.errors import RunnerError, StoreError
from runner.logs.audit import EVENTS, FIELDS, Entry, about
from runner.store import FILE, Key, Parked
from runner.store.attention import DISCARDABLE, close_unit
from runner.work import checkpoints
from tests.canaries import traces
from tests.databases import InFiles
from tests.kept import DAY, ERROR, HOUR, NOON, claim, message, post, run, sealed, unit

FILES = InFiles()
CANARY = "Nyakím «Quillwort» Deng-58213"
COLUMNS = ("number", "time", "event", "who", "about", "previous", "hash", "seal")


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path / "data", who="anna") as store:
        yield store


def filled(database, folder, entries=8):
    """A folder with a log of so many entries, and its key."""
    with database.open(folder, who="anna") as store:
        for number in range(entries):
            store.record("key_used", now=NOON + number * HOUR, key=f"k{number}", label="unhcr")
    return folder


def faults(database, folder):
    with database.open(folder) as store:
        return store.audit_faults()


def written(store):
    """The events of the log, with what they are about."""
    return [(line.event, dict(line.about)) for line in store.audit_log()]


def test_as_it_was_written(database, tmp_path):
    """R-AU1 A log that nobody touched verifies: empty, with entries, opened again, and continued."""
    assert [] == faults(database, tmp_path / "empty")
    folder = filled(database, tmp_path / "data")
    assert [] == faults(database, folder)
    with database.open(folder) as store:
        store.record("service_stopped", now=NOON + DAY)
        assert ([], 9) == (store.audit_faults(), store.audit_end()[0])


def test_append_only(database, store):
    """R-AU1 The table itself refuses to change or to delete an entry."""
    store.record("service_stopped", now=NOON)
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit", "UPDATE audit SET number = 7"):
        with pytest.raises(StoreError):
            store.change(lambda db, statement=statement: db.execute(statement))
    assert [] == store.audit_faults()


@pytest.mark.parametrize("column", COLUMNS)
def test_edit(database, tmp_path, column):
    """R-AU1 An entry of which anything was changed is found, whichever it is, and however small the change."""
    for place in (1, 4, 8):
        folder = filled(database, tmp_path / str(place))
        value = 40 if column == "number" else "x"
        database.tamper(folder, (f"UPDATE audit SET {column} = ? WHERE number = ?", value, place))
        assert faults(database, folder), f"{column} of {place}"


TAMPERED = {
    "one": ("DELETE FROM audit WHERE number = 4",),
    "the first": ("DELETE FROM audit WHERE number <= 3",),
    "the last": ("DELETE FROM audit WHERE number >= 7",),
    "all": ("DELETE FROM audit",),
    "its end": ("DELETE FROM audit_end",),
    "all and its end": ("DELETE FROM audit", "DELETE FROM audit_end"),
    "the last, and the end set back": (
        "DELETE FROM audit WHERE number >= 7",
        "UPDATE audit_end SET number = 6, hash = (SELECT hash FROM audit WHERE number = 6)",
    ),
    "one, and the others moved up": (
        "DELETE FROM audit WHERE number = 4",
        "UPDATE audit SET number = number - 1 WHERE number = 5",
        "UPDATE audit SET number = number - 1 WHERE number = 6",
    ),
    "the order of two": (
        "UPDATE audit SET number = 40 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 40",
    ),
    "one put in": (
        """INSERT INTO audit SELECT 9, time, event, 'somebody', about, hash, hash, seal FROM audit WHERE number = 8""",
    ),
    "one put in before the first": (
        "INSERT INTO audit SELECT 0, time, event, who, about, hash, hash, seal FROM audit WHERE number = 1",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_deletion_insertion_and_order(database, tmp_path, what):
    """R-AU1 Entries that are missing, at the front, in the middle or at the end, were put in, or exchanged, are found;
    also after the log has gone on."""
    folder = filled(database, tmp_path / "data")
    database.tamper(folder, *((statement,) for statement in TAMPERED[what]))
    assert faults(database, folder)
    with database.open(folder) as store:
        store.record("service_stopped", now=NOON + DAY)
        assert store.audit_faults()


def test_guards_taken_away(database, tmp_path):
    """R-AU1 That the table's own guards are gone is a finding by itself."""
    folder = filled(database, tmp_path / "data")
    database.drop_guard(folder, "audit_stays")
    assert ["what keeps the log from being changed was taken away"] == faults(database, folder)


def rehashed(folder, start):
    """Make the chain anew from an entry on, as far as that goes without the key."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        rows = [Entry(*row) for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY number")]
    previous, statements = rows[start - 1].previous, []
    for row in rows[start - 1 :]:
        entry = Entry(row.number, row.time, row.event, row.who, row.about, previous)
        previous = entry.hashed()
        values = (entry.previous, previous, row.number)
        statements.append(("UPDATE audit SET previous = ?, hash = ? WHERE number = ?", *values))
    FILES.tamper(folder, *statements, ("UPDATE audit_end SET hash = ?", previous))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    column=draw.sampled_from([name for name in COLUMNS if name != "number"]),
    place=draw.integers(1, 8),
    value=draw.one_of(draw.text(max_size=5), draw.integers(-3, 3), draw.binary(max_size=4)),
    anew=draw.booleans(),
)
def test_any_change(tmp_path_factory, column, place, value, anew):
    """R-AU1 Any value in any column of any entry is found, also when all hashes after it are made anew."""
    folder = filled(FILES, tmp_path_factory.mktemp("log") / "data")
    with closing(sqlite3.connect(folder / FILE)) as db:
        (before,) = db.execute(f"SELECT {column} FROM audit WHERE number = ?", (place,)).fetchone()
    FILES.tamper(folder, (f"UPDATE audit SET {column} = ? WHERE number = ?", value, place))
    with closing(sqlite3.connect(folder / FILE)) as db:
        (after,) = db.execute(f"SELECT {column} FROM audit WHERE number = ?", (place,)).fetchone()
    if anew and column not in ("previous", "hash", "seal"):
        rehashed(folder, place)
    assert (before != after) == bool(faults(FILES, folder))


def test_log_of_somebody_elses_key(tmp_path):
    """R-AU1 A whole log that was made anew, with all its hashes and another key, is found."""
    folder, other = filled(FILES, tmp_path / "data"), filled(FILES, tmp_path / "other", 3)
    (other / FILE).replace(folder / FILE)
    assert faults(FILES, folder)


def test_old_copy_of_the_whole_file(tmp_path):
    """R-AU1 R-AU2 A log that was cut off with everything that belongs to it is found by the last checkpoint."""
    folder = filled(FILES, tmp_path / "data", 4)
    early = (folder / FILE).read_bytes()
    with FILES.open(folder) as store:
        store.record("service_stopped", now=NOON + DAY)
        made = checkpoints.make(store, now=NOON + DAY)
        assert [] == list(checkpoints.faults(store, made))
    (folder / FILE).write_bytes(early)
    with FILES.open(folder) as store:
        assert [] == store.audit_faults()
        assert ["the log has no entry 5 any more, at which the checkpoint was made"] == list(
            checkpoints.faults(store, made)
        )
        store.record("service_started", now=NOON + DAY)
        assert ["entry 5 is another than when the checkpoint was made"] == list(checkpoints.faults(store, made))


def test_what_cant_be_said():
    """R-AU4 An entry holds declared fields only, and of a value that is no id, code or time, its length."""
    assert {"id": "(29 characters)"} == about("discarded", {"id": CANARY})
    assert {"code": "(29 characters)", "count": "(29 characters)"} == about(
        "retried", {"code": CANARY, "count": CANARY}
    )
    with pytest.raises(KeyError):
        about("discarded", {"reason": CANARY})
    with pytest.raises(KeyError):
        about("unheard_of", {})
    undeclared = {(event, name) for event, (_, fields) in EVENTS.items() for name in fields if name not in FIELDS}
    as_given = {(event, name) for event, name in undeclared if name not in ("before", "after")}
    with_reason = {"golive_overridden", "schedule_off", "schedule_on"}  # held to runner/logs/reasons.py
    assert {("golive_signed", "name"), *((event, "reason") for event in with_reason)} == as_given


def test_receipts_are_entries(store):
    """R-AU5 What is erased is an entry: which message, of what job, when accepted, when erased, how; then seen gone."""
    post(store, "m1", unit("u1"), now=NOON)
    store.succeed(claim(store), run("r1"), now=NOON + HOUR)
    store.destroyed("2026-03-01")
    assert store.scrub(now=NOON + HOUR)
    first, second = store.audit_log()
    assert ("payload_erased", "2026-03-01T13:00:00.000+00:00", "anna") == (first.event, first.time, first.who)
    accepted = {"accepted": "2026-03-01T12:00:00.000Z"}
    assert {"unit": "u1", "message": "m1", "job": "sort", "method": "succeeded", **accepted} == first.about
    assert ("payloads_scrubbed", 1) == (second.event, second.about["count"])


def test_same_transaction(store):
    """R-AU1 An entry is kept with what it is about, or neither is."""
    post(store, "m1", unit("u1"))

    def fail(db):
        db.execute("DELETE FROM units")
        raise StoreError("no")

    store.park(claim(store), run("r1", "parked"), expires=NOON + DAY, now=NOON)
    before = store.audit_end()
    with pytest.raises(StoreError):
        store.change(lambda db: (store_discard(db, "u1"), fail(db)))
    assert (before, "parked") == (store.audit_end(), store.unit("u1").status)
    assert store.discard("u1", reason="test", now=NOON)
    assert before[0] + 2 == store.audit_end()[0]


def store_discard(db, name):
    """What discarding does, within a transaction."""
    return close_unit(db, f"id = ? AND {DISCARDABLE}", name, "discarded", "discarded: test", NOON)


def test_keys(store):
    """R-AU3 Keys that are made, used (once a day), replaced and withdrawn are entries, by id and label."""
    store.add_key(Key("k1", "unhcr", b"salt", b"digest", NOON))
    for time in (NOON, NOON + HOUR, NOON + DAY):
        store.touch_key("k1", time)
    store.expire_key("k1", NOON + 3 * DAY, now=NOON + DAY)
    store.revoke_key("k1", now=NOON + 2 * DAY)
    store.revoke_key("k1", now=NOON + 2 * DAY)
    key = {"key": "k1", "label": "unhcr"}
    assert [
        ("key_created", key), ("key_used", key), ("key_used", key),
        ("key_rotated", {**key, "until": "2026-03-04T12:00:00.000Z"}), ("key_revoked", key),
    ] == written(store)  # fmt: skip


def test_decisions_of_people(store):
    """R-AU3 Retry, discard and a cursor that is set are entries; what came to nothing isn't."""
    name = "5" * 32
    post(store, "m1", unit(name))
    store.park(claim(store), run("r1", "parked"), expires=NOON + DAY, now=NOON)
    store.retry("nothing", now=NOON)
    store.retry(name, now=NOON)
    store.retry(code="rejected", now=NOON)
    store.discard("nothing", reason=CANARY, now=NOON)
    store.discard(name, reason=CANARY, now=NOON)
    store.move_cursor("read", "2026-03-01T00:00:00Z")
    store.move_cursor("read", "2026-03-02T00:00:00Z")
    told = [entry for entry in written(store) if entry[0] != "payload_erased"]
    assert [
        ("retried", {"id": name, "count": 1}),
        ("discarded", {"id": name}),
        ("cursor_set", {"job": "read", "after": "2026-03-01T00:00:00Z"}),
        ("cursor_set", {"job": "read", "before": "2026-03-01T00:00:00Z", "after": "2026-03-02T00:00:00Z"}),
    ] == told


def test_ids_of_records_are_keyed(store, tmp_path):
    """R-AU4 The id of a case or referral, which may name a person, is in the log in keyed form, always the same."""
    for number in (3, 4):
        parked = [Parked("read", "GAM-26-00901", {"id": "GAM-26-00901"}, "no_service")]
        store.settle_scheduled("read", run(f"r{number}"), parked=parked, now=NOON)
        store.retry("read/GAM-26-00901", now=NOON)
    first, second = (line.about["id"] for line in store.audit_log(event="retried"))
    assert first == second
    assert first.startswith("keyed:")


def test_no_canary(store, tmp_path):
    """R-AU4 Whatever stands in messages, errors, reasons and records, nothing of it is in the log."""
    error = {**ERROR, "fix": CANARY, "item": {"id": CANARY}}
    post(store, "m1", unit("u1", envelope=sealed("sealed")))
    store.try_again(claim(store), run("r1", "failed"), due=NOON, error=error, now=NOON)
    store.give_up(claim(store), run("r2", "failed"), error=error, expires=NOON + DAY, now=NOON)
    store.retry(code=CANARY, now=NOON)
    store.discard("u1", reason=CANARY, now=NOON)
    store.accept(message("m2", envelope=sealed("other")), [], now=NOON)
    store.expire(NOON + 9 * DAY)
    assert ["payload_erased", "discarded", "payload_erased"] == [line.event for line in store.audit_log()]
    with closing(sqlite3.connect(tmp_path / "only.sqlite")) as db:
        db.execute("CREATE TABLE audit (line)")
        db.executemany("INSERT INTO audit VALUES (?)", [(str(line),) for line in store.audit_log()])
        db.commit()
    only = tmp_path / "only"
    only.mkdir()
    (tmp_path / "only.sqlite").rename(only / "log")
    assert [] == traces(only, CANARY)


def test_own_key_missing(database, tmp_path):
    """R-AU1 Without its own key the store isn't opened, and no other is made in its place."""
    folder = filled(database, tmp_path / "data")
    key = (folder / "store.key").read_bytes()
    (folder / "store.key").unlink()
    with pytest.raises(StoreError, match=r"store\.key, is missing"):
        database.open(folder)
    assert not (folder / "store.key").exists()
    (folder / "store.key").write_bytes(key)
    (folder / "store.key").chmod(0o644)
    with pytest.raises(RunnerError, match="can be read by other"):
        database.open(folder)
    (folder / "store.key").chmod(0o600)
    (folder / "store.key").write_bytes(key[1:])
    with pytest.raises(StoreError, match="is no key"):
        database.open(folder)
    (folder / "store.key").write_bytes(key)
    assert [] == faults(database, folder)
