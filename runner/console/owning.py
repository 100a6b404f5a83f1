"""One's own account: its sessions, another password, another second factor.

For either of these whoever asks proves in the same form who they are, with the old ones. The new second factor counts
as soon as a code of it was given, so that nobody locks themselves out. Its salt is made of the session that asks, so
that nobody can bring one whose secret they know.
"""

from typing import Any

from runner.console import accounts, sessions, totp
from runner.console.visit import Answer, Moved, Page, Visit
from runner.store import Account, Session

_SALT = 32  # hexadecimal digits


def account(visit: Visit) -> Answer:
    """Who is signed in, and where."""
    return _page(visit)


def change_password(visit: Visit) -> Answer:
    """Make another password, and show it this once; the other sessions end."""
    if not _is_proved(visit):
        return _page(visit, refused=True)
    holder, session = _own(visit)
    with visit.acting() as store:
        password = accounts.new_password(store, holder.name, session=session.digest, now=visit.now)
    return Page("password.html", {"password": password}) if password else Page("nothing.html", status=404)


def offer_factor(visit: Visit) -> Answer:
    """Show another second factor, which counts once a code of it is given."""
    return _factor(visit) if _is_proved(visit) else _page(visit, refused=True)


def renew_factor(visit: Visit) -> Answer:
    """Let that one count; the other sessions end, and this one has another id."""
    holder, session = _own(visit)
    with visit.acting() as store:
        salt, code = _salt(visit), visit.fields["code"]
        if not accounts.new_factor(store, holder.name, salt, code, session=session.digest, now=visit.now):
            return _page(visit, refused=True)
    secret = sessions.begin(visit.store, holder.name, now=visit.now, instead_of=visit.secret)
    return Moved("/account", secret=secret)


def end_session(visit: Visit) -> Answer:
    """End one of one's own sessions."""
    holder, _ = _own(visit)
    visit.store.end_session(visit.fields["session"], account=holder.name, now=visit.now)
    return Moved("/account")


def end_others(visit: Visit) -> Answer:
    """End all of them but this one."""
    holder, session = _own(visit)
    visit.store.end_sessions(holder.name, but=session.digest, now=visit.now)
    return Moved("/account")


def _page(visit: Visit, *, refused: bool = False) -> Page:
    holder, own = _own(visit)
    rows = [_row(each, own) for each in visit.store.sessions(holder.name) if sessions.is_on(each, visit.now)]
    return Page("account.html", {"sessions": rows, "refused": refused}, status=403 if refused else 200)


def _factor(visit: Visit) -> Page:
    holder, _ = _own(visit)
    fresh = totp.address(accounts.secret(visit.store, holder.name, _salt(visit)), holder.name)
    return Page("factor.html", {"address": fresh})


def _salt(visit: Visit) -> str:
    return sessions.token(visit.secret, "second factor")[:_SALT]


def _is_proved(visit: Visit) -> bool:
    password, code = visit.fields["password"], visit.fields["code"]
    return accounts.recognise(visit.store, _own(visit)[0].name, password, code, now=visit.now) is not None


def _own(visit: Visit) -> tuple[Account, Session]:
    assert visit.account, "nobody else gets here"
    assert visit.session
    return visit.account, visit.session


def _row(session: Session, own: Session) -> dict[str, Any]:
    names = ("digest", "begun", "used")
    return {**{name: getattr(session, name) for name in names}, "own": session.digest == own.digest}
