"""Accounts of the console, their sessions, and tries to sign in, over both databases."""

from dataclasses import replace

import pytest

from runner.store import Account, Session
from tests.kept import DAY, HOUR, NOON

AMAL = Account("amal", "operator", "hashed", "salt", NOON)
VISIT = Session("digest", "amal", NOON, NOON, NOON)


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def events(store):
    return [line.event for line in store.audit_log()]


def test_accounts(database, store):
    """An account outlives the process, until it is ended; the audit log tells of both."""
    assert not store.put_account(AMAL)
    with database.open(store.folder) as restarted:
        assert AMAL == restarted.account("amal")
    assert [True, False] == [store.end_account("amal", now=NOON + HOUR) for _ in range(2)]
    assert (None, [replace(AMAL, ended=NOON + HOUR)]) == (store.account("amal"), store.accounts())
    assert ["account_made", "account_ended"] == events(store)


@pytest.mark.parametrize("change", [lambda s: s.put_account(AMAL), lambda s: s.end_account("amal", now=NOON)])
def test_no_session_outlives_its_account(store, change):
    """When an account is made anew or ended, whoever is signed in by it isn't any more."""
    store.put_account(AMAL)
    store.begin_session(VISIT)
    change(store)
    assert store.find_session("digest") is None


def test_sessions(store):
    """A session is found by its hash, touched, and ended; each beginning and end is told once."""
    store.begin_session(VISIT)
    store.touch_session("digest", NOON + HOUR)
    assert replace(VISIT, used=NOON + HOUR) == store.find_session("digest")
    for _ in range(2):
        store.end_session("digest", now=NOON)
    assert (None, ["signed_in", "signed_out"]) == (store.find_session("digest"), events(store))


def test_old_sessions(store):
    """Sessions that began or were used too long ago are deleted, no others."""
    later = replace(VISIT, digest="later", begun=NOON + HOUR, used=NOON + HOUR)
    idle = replace(VISIT, digest="idle", begun=NOON + HOUR)
    for each in (VISIT, later, idle):
        store.begin_session(each)
    store.forget_sessions(begun=NOON + HOUR, used=NOON + HOUR)
    assert [None, later, None] == [store.find_session(name) for name in ("digest", "later", "idle")]


def test_tries(store):
    """Tries are counted for each name, also one that nobody has, and forgotten when there was none for a while."""
    assert [1, 2] == [store.count_try("k", since=NOON - HOUR, now=NOON) for _ in range(2)]
    assert 1 == store.count_try("other", since=NOON - HOUR, now=NOON)
    assert 1 == store.count_try("k", since=NOON + HOUR, now=NOON + DAY)


def test_a_code_counts_once(store):
    """Of the second factor's codes none counts twice, nor one before it; one that counts forgets the tries."""
    store.put_account(AMAL)
    store.count_try("k", since=NOON, now=NOON)
    assert [True, False, False, True] == [store.take_step("amal", step, key="k") for step in (5, 5, 4, 6)]
    assert 1 == store.count_try("k", since=NOON, now=NOON)
