"""One's own account in the console: another password, another second factor, and the sessions that there are."""

import base64
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.console import accounts, sessions, totp
from tests.consoles import Console


@pytest.fixture
def console(tmp_path):
    """A console at which amal has signed in."""
    with Console(tmp_path / "data") as console:
        console.enter(role="viewer")
        yield console


def elsewhere(console):
    """The cookies of amal, signed in once more in another browser, who goes on in this one."""
    here, console.cookies = console.cookies, {}
    console.enter()
    there, console.cookies = console.cookies, here
    return there


def proved(console, path, **wrong):
    """Send a form with which amal proves who they are, half a minute later."""
    console.time += timedelta(seconds=30)
    return console.act(path, **{**console.proof("amal"), **wrong})


def offered(console):
    """The secret of the second factor that is offered."""
    text = proved(console, "/account/factor").text
    address = re.search(r"<code>(otpauth://[^<]+)</code>", text)[1].replace("&amp;", "&")
    return base64.b32decode(parse_qs(urlsplit(address).query)["secret"][0])


def keep(console, secret, apart=0):
    """Give the code of a second factor; what is answered."""
    return console.act("/account/factor/keep", code=totp.code(secret, totp.step_of(console.time) + apart))


def events(console):
    return [line.event for line in console.store.audit_log() if line.about.get("account") == "amal"]


def test_another_password(console):
    """The new password is shown once and lets in, the old one doesn't; the other sessions end, this one lasts."""
    there = elsewhere(console)
    text = proved(console, "/account/password").text
    fresh = re.search(r"<code>([\w-]{20})</code>", text)[1]
    assert fresh not in console.get("/account").text
    assert [True, False] == [bool(session(console, each)) for each in (console.cookies, there)]
    console.time += timedelta(seconds=30)
    assert 403 == console.post("/enter", console.proof("amal")).status_code
    assert 303 == console.post("/enter", console.proof("amal", password=fresh)).status_code
    assert ("password_changed", "amal (console)") == next(
        (line.event, line.who) for line in console.store.audit_log(event="password_changed")
    )


def session(console, cookies):
    return sessions.find(console.store, cookies["console"], now=console.time)


@pytest.mark.parametrize("path", ["/account/password", "/account/factor"])
@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"code": "000000"}], ids=str)
def test_they_prove_who_they_are(console, path, wrong):
    """Even right after signing in, nobody changes either without both secrets; the page says that it wasn't right."""
    before = console.store.account("amal")
    answer = proved(console, path, **wrong)
    assert (403, True) == (answer.status_code, 'role="alert"' in answer.text)
    assert "otpauth" not in answer.text
    assert before == console.store.account("amal")


def test_guessing_is_limited(console):
    """Tries to prove it count like tries to sign in: after five that fail nobody gets in under that name."""
    for _ in range(accounts.TRIES):
        proved(console, "/account/password", password="guess")
    assert 403 == proved(console, "/account/password").status_code
    assert [] == console.store.audit_log(event="password_changed")


def test_another_second_factor(console):
    """The new second factor counts once a code of it was given, and the old one until then; the other sessions end."""
    there, before = elsewhere(console), console.cookies["console"]
    secret = offered(console)
    assert 403 == keep(console, secret, apart=5).status_code
    assert "factor_renewed" not in events(console)
    answer = keep(console, secret)
    assert (303, "/account") == (answer.status_code, answer.headers["location"])
    assert [None, None] == [sessions.find(console.store, old, now=console.time) for old in (before, there["console"])]
    assert 200 == console.get("/account").status_code
    console.time += timedelta(seconds=60)
    assert 403 == console.post("/enter", console.proof("amal")).status_code
    console.secrets["amal"] = console.secrets["amal"][0], secret
    assert 303 == console.post("/enter", console.proof("amal")).status_code
    assert "factor_renewed" in events(console)


def test_a_second_factor_of_before(console):
    """What was offered to another session, or chosen by somebody, can't be brought in."""
    offer = offered(console)
    console.enter()
    assert 403 == keep(console, offer).status_code
    assert 403 == console.act("/account/factor/keep", code="1" * 6, salt="0" * 32).status_code


def test_guessing_the_new_one_is_limited(console):
    """The codes of what is offered can't be tried one after the other."""
    secret = offered(console)
    for _ in range(accounts.TRIES):
        console.act("/account/factor/keep", code="000000")
    assert 403 == keep(console, secret).status_code


def test_sessions(console):
    """Somebody sees where they are signed in, and ends one of the others, or all; nobody ends those of others."""
    there, third = elsewhere(console), elsewhere(console)
    console.account("bo", "viewer")
    foreign = sessions.begin(console.store, "bo", now=console.time)
    text = console.get("/account").text
    ends = re.findall(r'name="session" value="(\w{64})"', text)
    assert (2, 1) == (len(ends), text.count("this one"))
    console.act("/account/end-session", session=session(console, there).digest)
    console.act("/account/end-session", session=sessions.find(console.store, foreign, now=console.time).digest)
    assert [None, True] == [session(console, there), bool(session(console, third))]
    console.act("/account/end-others")
    assert [None, True] == [session(console, third), bool(session(console, console.cookies))]
    assert sessions.find(console.store, foreign, now=console.time)


def test_what_has_lasted_too_long(console):
    """A session that nobody used for long isn't shown: it lets nobody in."""
    elsewhere(console)
    console.time += sessions.IDLE - timedelta(minutes=1)
    console.get("/")
    console.time += timedelta(minutes=2)
    assert [] == re.findall(r'name="session" value="', console.get("/account").text)
