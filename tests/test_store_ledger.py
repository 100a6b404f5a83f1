"""What jobs remember from run to run: what was sent, how far was read, and which answers wait."""

from datetime import UTC, datetime

ENTRY = {"status": "done", "value": "v", "answer": {"case_id": "c-1"}}
ANSWER = {"system": "south", "kind": "answer", "key": "INT-1", "value": "", "send": {"status": "accepted"}}


def test_ledger_outlives_the_process(database, tmp_path):
    """R-ID2: what was written down is there when the store is opened again, can be changed, and forgotten."""
    with database.open(tmp_path) as store:
        store.ledger().write("referral", "r1", {**ENTRY, "status": "intended"})
        store.ledger().write("referral", "r1", ENTRY)
        store.ledger().write("decision", "r1", ENTRY)
    with database.open(tmp_path) as store:
        assert ENTRY == store.ledger().read("referral", "r1")
        store.ledger().write("referral", "r1", None)
        assert store.ledger().read("referral", "r1") is None
        assert ENTRY == store.ledger().read("decision", "r1")


def test_cursor(database, tmp_path):
    """A job's cursor is its own, and the newest one counts."""
    with database.open(tmp_path) as store:
        assert store.cursor("decisions") is None
        store.move_cursor("decisions", "2026-03-01T10:00:00Z")
        store.move_cursor("decisions", "2026-03-02T10:00:00Z")
        assert ("2026-03-02T10:00:00Z", None) == (store.cursor("decisions"), store.cursor("referrals"))


def test_outbox_keeps_at_once(database, tmp_path):
    """H16: an answer that waits is kept the moment it is added, and forgotten the moment it was delivered."""
    with database.open(tmp_path) as store, database.open(tmp_path) as after_a_crash:
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


def test_ledger_knows_what_waits(database, tmp_path):
    """H16 H19 What waits stands in the ledger as waiting from the same moment on: else it could be sent twice."""
    with database.open(tmp_path) as store:
        store.outbox().append({**ANSWER, "value": "m1"})
        assert {"status": "waiting", "value": "m1", "answer": {}} == store.ledger().read("answer", "INT-1")


def test_answer_that_waits_already(database, tmp_path):
    """H19 An answer that waits already isn't kept twice, as a run would that was killed just after keeping it."""
    with database.open(tmp_path) as store:
        store.outbox().append(ANSWER)
        store.outbox().append(dict(ANSWER))
        assert [ANSWER] == store.outbox("south")


def test_dated_by_the_clock_that_was_given(database, tmp_path):
    """What operations write down bears the time of the clock that the store was opened with."""
    with database.open(tmp_path, now=lambda: datetime(2026, 3, 1, tzinfo=UTC)) as store:
        store.ledger().write("referral", "r1", ENTRY)
        store.outbox().append(ANSWER)
        store.move_cursor("decisions", "2026")
        dates = {
            date
            for table, column in [("ledger", "updated"), ("outbox", "since"), ("cursors", "updated")]
            for (date,) in store.read(f"SELECT {column} FROM {table}")
        }
        assert {"2026-03-01T00:00:00.000+00:00"} == dates
