"""Accounts and sessions of the console: who is let in, and for how long."""

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.cli import main
from runner.console import accounts, sessions, totp
from runner.errors import WrongUse
from runner.store import Store
from tests.kept import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "data") as store:
        yield store


def secret_of(address):
    return base64.b32decode(parse_qs(urlsplit(address).query)["secret"][0])


@pytest.fixture
def enter(store):
    """Somebody who knows password and second factor of an account, and may get each of them wrong."""
    password, address = accounts.make(store, "amal", "viewer", now=NOON)
    secret = secret_of(address)

    def enter(now=NOON, *, name="amal", given=None, code=None, shown_at=None):
        code = code or totp.code(secret, totp.step_of(shown_at or now))
        return accounts.recognise(store, name, password if given is None else given, code, now=now)

    return enter


def test_both_factors(enter):
    """Password and code together let in; none of them does alone."""
    assert [None, None, None] == [enter(given="guessed"), enter(code="000000"), enter(name="nobody")]
    assert "amal" == enter().name


def test_a_code_lets_in_once(enter):
    """A code that was used lets nobody in again, also in the same half minute."""
    assert ["amal", None] == [found and found.name for found in (enter(), enter())]
    assert "amal" == enter(NOON + 30 * SECOND).name


def test_a_clock_that_is_off(enter):
    """A telephone's clock may be half a minute off, not more."""
    tried = [enter(shown_at=NOON + apart * SECOND) for apart in (90, -90, 30)]
    assert [None, None, "amal"] == [found and found.name for found in tried]


@pytest.mark.parametrize("name", ["amal", "nobody"])
def test_tries_are_limited(store, enter, name):
    """After five tries that failed nobody is let in for a quarter of an hour, and unknown names fare alike."""
    for _ in range(accounts.TRIES):
        enter(name=name, given="guessed")
    assert enter(name=name) is None
    assert ["refused"] * 5 + ["too_many"] == [line.about["code"] for line in store.audit_log(event="sign_in_failed")]
    enter(name=name)
    assert 6 == len(store.audit_log(event="sign_in_failed"))
    later = enter(NOON + accounts.LOCKED + MINUTE, name=name)
    assert (name == "amal") == (later is not None)


def test_nothing_secret_is_kept(store, enter):
    """Neither the password nor the secret of the second factor stands in the store, nor the id of a session."""
    password, address = accounts.make(store, "bo", "viewer", now=NOON)
    visit = sessions.begin(store, "bo", now=NOON)
    kept = repr([store.read(f"SELECT * FROM {table}") for table in ("accounts", "sessions", "audit")])
    hidden = (password, parse_qs(urlsplit(address).query)["secret"][0], secret_of(address).hex(), visit)
    assert [] == [text for text in hidden if text in kept]
    assert "$argon2id$" in kept


def test_an_account_made_anew(store, enter):
    """Who makes an account anew gives it another password and another second factor."""
    before = accounts.make(store, "amal", "viewer", now=NOON)
    assert enter() is None
    assert not set(before) & set(accounts.make(store, "amal", "viewer", now=NOON))


def test_an_ended_account(store, enter):
    """An account that was ended lets nobody in."""
    store.end_account("amal", now=NOON)
    assert enter() is None


@pytest.mark.parametrize("name", ["", "Amal", "a b", "<b>", "a" * 41, "amal\n"])
def test_names(store, name):
    """An account's name is a plain word, so that pages and logs can show it."""
    with pytest.raises(WrongUse):
        accounts.make(store, name, "viewer", now=NOON)


def test_a_session_ends(store):
    """A session ends when it isn't used for half an hour, and after eight hours in any case."""
    visit = sessions.begin(store, "amal", now=NOON)
    moment = NOON
    while moment < NOON + sessions.LONGEST - sessions.IDLE:
        moment += sessions.IDLE - MINUTE
        assert sessions.find(store, visit, now=moment)
    assert sessions.find(store, visit, now=NOON + sessions.LONGEST) is None
    idle = sessions.begin(store, "amal", now=NOON)
    assert sessions.find(store, idle, now=NOON + sessions.IDLE) is None


def test_a_planted_session(store):
    """What the browser had before signing in is worth nothing afterwards, and was never taken as an id."""
    planted = sessions.begin(store, "mallory", now=NOON)
    fresh = sessions.begin(store, "amal", now=NOON, instead_of=planted)
    assert sessions.find(store, planted, now=NOON) is None
    assert "amal" == sessions.find(store, fresh, now=NOON).account
    assert sessions.find(store, "", now=NOON) is sessions.find(store, "chosen", now=NOON) is None


def test_proof_grows_old(store):
    """Ten minutes after they proved who they are, somebody must do so again before changing something."""
    visit = sessions.find(store, sessions.begin(store, "amal", now=NOON), now=NOON)
    assert [True, False] == [sessions.is_fresh(visit, NOON + apart * MINUTE) for apart in (9, 10)]


def test_command(tmp_path, monkeypatch, capsys):
    """`console add-user` shows password and second factor once; `list` shows neither; `end-user` ends the account."""
    monkeypatch.chdir(tmp_path)
    assert 0 == main(["console", "add-user", "amal", "--role", "operator", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert {"name", "password", "authenticator"} == set(made)
    assert 0 == main(["console", "list"])
    assert made["password"] not in (listed := capsys.readouterr().out)
    assert "operator" in listed
    assert [0, 2] == [main(["console", "end-user", "amal"]) for _ in range(2)]
