"""Signing in, proving once more who one is, and signing out; and in which language one reads."""

from runner.console import accounts, sessions
from runner.console.visit import Answer, Moved, Page, Visit


def ask(visit: Visit) -> Answer:
    """The page that asks who it is; who has signed in is asked to prove it once more."""
    return Page("enter.html")


def enter(visit: Visit) -> Answer:
    """Begin a session, in the place of any that the browser had."""
    return _let_in(visit, visit.fields.get("name", ""))


def confirm(visit: Visit) -> Answer:
    """The same for who is signed in already; nobody else comes in this way."""
    return _let_in(visit, visit.account.name if visit.account else "")


def leave(visit: Visit) -> Answer:
    """End the session."""
    sessions.end(visit.store, visit.secret, now=visit.now)
    return Moved("/enter", secret="")


def choose_language(visit: Visit) -> Answer:
    """Keep the language that somebody chose; anything else changes nothing."""
    wanted = visit.fields.get("language", "")
    return Moved("/", language=wanted if wanted in visit.service.languages else None)


def _let_in(visit: Visit, name: str) -> Answer:
    password, code = visit.fields.get("password", ""), visit.fields.get("code", "")
    account = accounts.recognise(visit.store, name, password, code, now=visit.now)
    if account is None:
        return Page("enter.html", {"refused": True}, status=403)
    return Moved("/", secret=sessions.begin(visit.store, account.name, now=visit.now, instead_of=visit.secret))
