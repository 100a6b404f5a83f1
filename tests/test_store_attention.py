"""What waits for a person: tried again, discarded, or erased when nobody came."""

from dataclasses import replace

import pytest

from runner.store import ItemRecord, Parked
from runner.store.ledger import tombstone
from tests.kept import DAY, ERROR, HOUR, NOON, claim, message, post, run, sealed, unit


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def kill(store, name, code="unreachable"):
    """A unit that was given up."""
    post(store, f"m-{name}", unit(name))
    store.give_up(
        claim(store), run(f"r-{name}", code=code), error={**ERROR, "code": code}, expires=NOON + 7 * DAY, now=NOON
    )


def test_dead(store):
    """R-DL3: a dead unit keeps its envelope, and tells code, step, tries and when it expires."""
    kill(store, "u1")
    line = store.unit("u1")
    assert ("dead", "unreachable", "send", 1, NOON + 7 * DAY) == (
        line.status, line.code, line.error["operation"], line.tries, line.expires,
    )  # fmt: skip
    assert (sealed(), None) == (store.envelope("u1"), claim(store, NOON + 30 * DAY))


def test_expired(store):
    """R-DL4: what nobody settled in time is erased, and the erasure is recorded with ids; what has time left isn't."""
    kill(store, "u1")
    store.accept(message("m2", envelope=sealed()), [], now=NOON, keep=DAY)
    assert 0 == store.expire(NOON + HOUR)
    assert 1 == store.expire(NOON + DAY)
    assert ("expired", None, sealed()) == (store.message("m2").status, store.envelope("m2"), store.envelope("u1"))
    assert 1 == store.expire(NOON + 7 * DAY)
    assert ("expired", None) == (store.unit("u1").status, store.envelope("u1"))
    (receipt,) = store.receipts("u1")
    assert ("u1", "m-u1", "expired", NOON, NOON + 7 * DAY, None) == (
        receipt.holder, receipt.message_id, receipt.reason, receipt.accepted, receipt.erased, receipt.verified,
    )  # fmt: skip
    assert (0, 0, []) == (store.expire(NOON + 30 * DAY), store.retry("u1", now=NOON), store.pending_epochs())


def parked_answer(store, **entry):
    """An answer that waits, and the record by which a person is told of it."""
    waiting = {"system": "south", "kind": "answer", "key": "INT-1", "value": "m1", "send": {}, **entry}
    store.outbox().append(waiting)
    ids = {"id": "INT-1", "kind": "answer", "key": "INT-1"}
    store.settle_scheduled("answers", run("r1"), parked=[Parked("answers", "INT-1", ids, "outcome_unknown")], now=NOON)
    return waiting


def test_discard_an_answer(store):
    """H19 Discarding the record of an answer that waits drops the answer, and the ledger shows it as done."""
    parked_answer(store)
    assert store.discard("answers/INT-1", reason="test", now=NOON)
    assert ([], [], "done") == (store.outbox("south"), store.parked(), store.ledger().read("answer", "INT-1")["status"])
    assert not store.discard("answers/INT-1", reason="test", now=NOON)


def test_discard_the_first_answer_only(store):
    """H51 Of several answers of one key the first is dropped; the others wait on, and so does the ledger."""
    parked_answer(store)
    store.outbox().append(later := {"system": "south", "kind": "answer", "key": "INT-1", "value": "m2", "send": {}})
    store.outbox().append(other := {**later, "kind": "decision", "value": ""})
    assert store.discard("answers/INT-1", reason="test", now=NOON)
    assert ([later, other], "waiting") == (store.outbox("south"), store.ledger().read("answer", "INT-1")["status"])


def test_discard_a_record_that_names_an_answer(store):
    """A record of a case that names an answer in its ids is discarded, and the answer waits on."""
    waiting = parked_answer(store)
    parked = [Parked("read", "c-1", {"id": "c-1", "kind": "answer", "key": "INT-1"}, "not_vouched")]
    store.settle_scheduled("read", run("r2"), parked=parked, now=NOON)
    assert store.discard("read/c-1", reason="test", now=NOON)
    assert [waiting] == store.outbox("south")


def refused_answer(store, *keys):
    """A unit that was parked since the far side refused its answers of these keys."""
    ids = [{"kind": "answer", "key": key} for key in keys]
    for key in keys:
        store.ledger().write("answer", key, {"status": "refused", "value": "m1", "answer": {}})
    items = tuple(ItemRecord(index, "parked", each, "answer_refused") for index, each in enumerate(ids))
    post(store, "m1", unit("u1"))
    store.park(claim(store), replace(run("r1", unit_id="u1"), items=items), expires=NOON + DAY, now=NOON)


def standing(store, *keys):
    """What the ledger says of the answers of these keys."""
    return [store.ledger().read("answer", key)["status"] for key in keys]


@pytest.mark.parametrize("end", ["discarded", "expired"])
def test_answer_that_shall_not_be_given(store, end):
    """H51 Where a person discards a refused answer, or nobody comes in time, nothing waits behind it any more; behind
    another's something does."""
    refused_answer(store, "INT-1", "INT-2")
    store.ledger().write("answer", "INT-3", {"status": "refused", "value": "m2", "answer": {}})
    store.ledger().write("decision", "INT-1", {"status": "refused", "value": "", "answer": {}})
    if end == "discarded":
        store.discard("u1", reason="test", now=NOON)
    else:
        store.expire(NOON + DAY)
    assert ["done", "done", "refused"] == standing(store, "INT-1", "INT-2", "INT-3")
    assert "refused" == store.ledger().read("decision", "INT-1")["status"]


def test_answer_of_an_erased_person_that_shall_not_be_given(store):
    """H51 H53 The same where the ledger holds nothing but a tombstone of it."""
    refused_answer(store, "INT-1")
    store.change(lambda db: db.execute("UPDATE ledger SET key = ?", (tombstone(store, "answer", "INT-1"),)))
    store.discard("u1", reason="test", now=NOON)
    assert ["done"] == standing(store, "INT-1")


def test_answer_that_is_tried_again(store):
    """H51 What is tried again goes on holding up what comes after it."""
    refused_answer(store, "INT-1")
    store.retry("u1", now=NOON)
    assert ["refused"] == standing(store, "INT-1")


def test_retry_one(store):
    """R-DL5: what is dead is tried again by its id: due at once, with all its tries and time."""
    kill(store, "u1")
    kill(store, "u2")
    assert (1, 0) == (store.retry("u1", now=NOON + DAY), store.retry("u1", now=NOON + DAY))
    work = claim(store, NOON + DAY)
    assert ("u1", 1, NOON, NOON + DAY, sealed()) == (work.id, work.tries, work.arrived, work.since, work.sealed)
    assert 0 == store.expire(NOON + 6 * DAY)


def test_retry_all_of_a_code(store):
    """R-DL5: all that failed for one reason are tried again, and no others."""
    for name, code in {"u1": "unreachable", "u2": "not_allowed", "u3": "unreachable"}.items():
        kill(store, name, code)
    assert (2, 0, 0) == (
        store.retry(code="unreachable", now=NOON), store.retry(code="other", now=NOON), store.retry(now=NOON),
    )  # fmt: skip
    assert ["u1", "u3"] == sorted(line.id for line in store.units(status="pending"))


@pytest.mark.parametrize("status", ["pending", "parked", "dead", "quarantined"])
def test_discard(store, status):
    """R-DL5: what a person discards is erased with their reason, and is never done."""
    if status == "quarantined":
        store.accept(message("u1", envelope=sealed()), [], now=NOON)
    elif status == "dead":
        kill(store, "u1")
    else:
        post(store, "m-u1", unit("u1"))
        if status == "parked":
            store.park(claim(store), run("r1"), expires=NOON + DAY, now=NOON)
    assert store.discard("u1", reason="twice the same", now=NOON)
    assert not store.discard("u1", reason="again", now=NOON)
    assert (None, None, 0) == (store.envelope("u1"), claim(store), store.retry("u1", now=NOON))
    assert ["discarded: twice the same"] == [receipt.reason for receipt in store.receipts("u1")]
    assert "discarded" == store.messages()[0].status


def test_discard_what_isnt_there(store):
    """What is running, settled, or unknown can't be discarded."""
    post(store, "u1")
    work = claim(store)
    assert not store.discard("u1", reason="test", now=NOON)
    store.succeed(work, run("r1"), now=NOON)
    assert [False, False] == [store.discard(name, reason="test", now=NOON) for name in ("u1", "nobody")]
    assert "succeeded" == store.unit("u1").status


def test_parked_unit_is_kept(store):
    """What needs a person keeps its envelope until then, and tells why."""
    post(store, "m1", unit("u1"))
    store.park(claim(store), run("r1", "parked", code="two_cases"), expires=NOON + DAY, now=NOON)
    line = store.unit("u1")
    assert ("parked", "two_cases", NOON + DAY, sealed()) == (line.status, line.code, line.expires, store.envelope("u1"))
    assert (1, 1) == (store.retry(code="two_cases", now=NOON), store.expire(NOON + 2 * DAY) + 1)
