"""Messages: accepted once, counted when repeated, quarantined when nobody wants them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from runner.errors import EpochRetired, StoreError
from tests.kept import DAY, ERROR, HOUR, NOON, claim, message, post, run, sealed, unit


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def settle(store, how):
    work = claim(store)
    record = run("r1", "refused" if how == "refused" else "done")
    match how:
        case "succeeded" | "refused":
            store.succeed(work, record, now=NOON)
        case "parked":
            store.park(work, record, expires=NOON + DAY, now=NOON)
        case "dead":
            store.give_up(work, record, error=ERROR, expires=NOON + DAY, now=NOON)
        case "again":
            store.try_again(work, record, due=NOON + HOUR, error=ERROR, now=NOON)


def test_a_hundred_at_once(store):
    """H21: of a hundred identical posts at once one is kept, and all get its id."""
    with ThreadPoolExecutor(20) as pool:
        accepted = list(pool.map(lambda n: post(store, f"m{n}", fingerprint="same"), range(100)))
    first = [each for each in accepted if not each.duplicate]
    assert (1, {first[0].id}) == (len(first), {each.id for each in accepted})
    assert {1} == {each.matched for each in accepted}
    assert (1, 99) == (len(store.units()), store.message(first[0].id).duplicates)


def test_alike_in_one_transaction(store):
    """H21: of messages that are kept together, one that repeats another, or fails, is told so; the others are kept."""
    given = [
        (message("m1", fingerprint="same"), [unit("u1")]),
        (message("m2", fingerprint="same"), [unit("u2")]),
        (message("m3"), [unit("u1")]),
        (message("m4"), [unit("u4")]),
    ]
    first, again, failed, last = store.accept_each(given, now=NOON)
    assert (("m1", False), ("m1", True)) == ((first().id, first().duplicate), (again().id, again().duplicate))
    with pytest.raises(StoreError):
        failed()
    assert ("m4", ["m1", "m4"]) == (last().id, sorted(line.id for line in store.messages()))


@pytest.mark.parametrize(
    ("how", "duplicate"),
    [
        ("nothing", True), ("running", True), ("again", True), ("parked", True), ("succeeded", True),
        ("refused", False), ("dead", False),
    ],
)  # fmt: skip
def test_repeated(store, how, duplicate):
    """H21: a repeat is a duplicate while the first is pending or succeeded; after a refusal or dead end it is new."""
    post(store, "m1", fingerprint="same")
    if how == "running":
        claim(store)
    elif how != "nothing":
        settle(store, how)
    again = post(store, "m2", fingerprint="same", now=NOON + HOUR)
    assert (duplicate, "m1" if duplicate else "m2") == (again.duplicate, again.id)


def test_window(store):
    """R-RP2: what succeeded longer ago than the window is forgotten; what is pending never is."""
    post(store, "m1", fingerprint="same")
    late = NOON + 30 * DAY
    assert post(store, "m2", fingerprint="same", now=late).duplicate
    settle(store, "succeeded")
    window = timedelta(days=2)
    assert store.accept(message("m3", fingerprint="same"), [unit("u3")], now=NOON + DAY, window=window).duplicate
    assert not store.accept(
        message("m3", fingerprint="same"), [unit("u3")], now=NOON + 3 * DAY, window=window
    ).duplicate


def test_quarantine(store):
    """H37: what no job wants is kept, sealed, and counted; the answer says that nothing matched."""
    accepted = store.accept(message(envelope=sealed("whole")), [], now=NOON, keep=DAY)
    assert ("m1", 0, False) == (accepted.id, accepted.matched, accepted.duplicate)
    assert ("quarantined", NOON + DAY) == (store.message("m1").status, store.message("m1").expires)
    assert (1, sealed("whole")) == (store.counts().quarantined, store.envelope("m1"))
    assert not store.accept(message("m2", fingerprint="fingerprint of m1"), [unit("u1")], now=NOON).duplicate


def test_all_or_nothing(store):
    """R-WH1: when one of its units can't be kept, the message isn't either."""
    store.retire("2026-02-28")
    with pytest.raises(EpochRetired):
        post(store, "m1", unit("u1"), unit("u2", envelope=sealed(epoch="2026-02-28")))
    assert (None, None, [], []) == (store.message("m1"), store.envelope("u1"), store.units(), store.pending_epochs())


def test_status_of_several_units(store):
    """A message is as far as the unit of it that is least settled, and is over with the last."""
    post(store, "m1", unit("u1"), unit("u2"), unit("u3"))
    found = []
    for how in ("succeeded", "refused", "parked"):
        work = claim(store)
        found.append(store.message("m1").status)
        record = run(f"r{how}", "refused" if how == "refused" else "done")
        store.park(work, record, expires=NOON, now=NOON) if how == "parked" else store.succeed(work, record, now=NOON)
    found.append(store.message("m1").status)
    store.retry("u3", now=NOON)
    found.append(store.message("m1").status)
    store.succeed(claim(store), run("r4", "done"), now=NOON)
    found.append(store.message("m1").status)
    assert ["pending", "pending", "pending", "parked", "pending", "refused"] == found


def test_listed(store):
    """`inbox list` sees the newest first, by status if wanted, and nothing of what was posted."""
    for name in ("m1", "m2"):
        post(store, name)
    store.accept(message("m3", envelope=sealed("whole")), [], now=NOON)
    assert ["m3", "m2", "m1"] == [line.id for line in store.messages()]
    assert ["m2"] == [line.id for line in store.messages(status="pending", limit=1)]
    assert (100, "unhcr", 1, NOON) == tuple(
        getattr(store.message("m1"), name) for name in ("size", "key_label", "matched", "arrived")
    )
