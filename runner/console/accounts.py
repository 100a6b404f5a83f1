"""Accounts: made with a password and a second factor, and recognised by both (argon2id, totp.py).

Whoever is refused learns nothing of why: unknown names are counted and compared as known ones are, and take as long.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from runner.console import totp
from runner.errors import WrongUse
from runner.store import Account, Store

Role = Literal["viewer", "operator", "administrator"]

ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
TRIES = 5  # that fail, before nobody is let in under that name for a while
LOCKED = timedelta(minutes=15)

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_LONGEST = 200  # characters of what somebody types
_PASSWORD = 15  # bytes
_hasher = PasswordHasher()
_NOBODY = Account("", "viewer", _hasher.hash(secrets.token_hex()), "", datetime.min)


def make(store: Store, name: str, role: Role, *, now: datetime) -> tuple[str, str]:
    """Make an account, or make it anew; its password and the address for an authenticator, which can't be had again.

    Raises WrongUse for a name that isn't a plain word.
    """
    if not _NAME.fullmatch(name):
        raise WrongUse("an account's name is a plain word", fix="Use small letters, digits, - . and _, such as amal.k.")
    password, salt = secrets.token_urlsafe(_PASSWORD), secrets.token_hex(16)
    store.put_account(Account(name, role, _hasher.hash(password), salt, now))
    return password, totp.address(secret(store, name, salt), name)


def secret(store: Store, name: str, salt: str) -> bytes:
    """The secret of a second factor. Who has only the database can't make it."""
    return bytes.fromhex(store.sealed(f"second factor {name} {salt}"))[:20]


def new_password(store: Store, name: str, *, session: str, now: datetime) -> str | None:
    """Make another password for an account, and end its other sessions; None when there is no such account.

    It takes a tenth of a second of one core.
    """
    password = secrets.token_urlsafe(_PASSWORD)
    return password if store.change_password(name, _hasher.hash(password), session=session, now=now) else None


def new_factor(store: Store, name: str, salt: str, code: str, *, session: str, now: datetime) -> bool:
    """Let the second factor of this salt be that of an account, and end its other sessions.

    False when the code is none of it, or too many tries failed: then all is as it was.
    """
    key = store.sealed(f"sign in {name}")
    tries = store.count_try(key, since=now - LOCKED, now=now)
    step = totp.matching(secret(store, name, salt), code.replace(" ", "")[:_LONGEST], now)
    if not step or tries > TRIES:
        return False
    return store.change_factor(name, salt, step, session=session, now=now)


def recognise(store: Store, name: str, password: str, code: str, *, now: datetime) -> Account | None:
    """The account, when password and code are its own, the code wasn't used before, and not too many tries failed.

    It takes a tenth of a second of one core: call it in a thread. Raises StoreError.
    """
    name, password, code = name[:_LONGEST], password[:_LONGEST], code.replace(" ", "")[:_LONGEST]
    key = store.sealed(f"sign in {name}")
    tries = store.count_try(key, since=now - LOCKED, now=now)
    account = store.account(name) or _NOBODY
    right = _is_password(account, password)
    step = totp.matching(secret(store, name, account.salt), code, now)
    if right and step and tries <= TRIES and account.name and store.take_step(name, step, key=key):
        return account
    if tries <= TRIES + 1:  # what comes after that, until it is forgotten, says nothing new
        why = "too_many" if tries > TRIES else "refused"
        store.record("sign_in_failed", now=now, account=account.name or "unknown", code=why)
    return None


def may(role: str, needed: Role) -> bool:
    """Whether somebody of this role may do what needs that one.

    >>> may("operator", "viewer"), may("operator", "administrator"), may("owner", "viewer")
    (True, False, False)
    """
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


def _is_password(account: Account, password: str) -> bool:
    try:
        return _hasher.verify(account.password, password)
    except VerifyMismatchError:
        return False
