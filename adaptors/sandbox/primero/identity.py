"""Who is asking: HTTP Basic, the lock after six wrong passwords, the throttle of the log-in call (primero-api §1).

A name is matched exactly. A wrong password, an unknown name and a locked account get the same text; a disabled
account with the right password gets its own. Six wrong passwords lock an account for thirty minutes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from adaptors.sandbox.primero.config import Config, User
from adaptors.sandbox.wire import Request, Response, json_response

_ATTEMPTS = 6
_LOCKED_FOR = timedelta(minutes=30)
_LOGINS = 6
_LOGIN_PERIOD = timedelta(minutes=1)

_NOBODY = "You need to sign in or sign up before continuing."
_WRONG = "Invalid User name or password."
_DISABLED = "Your account is not activated yet."


class Unauthorized(Exception):
    """401; its body has `error`, unlike all other refusals."""

    def response(self) -> Response:
        """The 401 answer with the header that every 401 bears."""
        headers = {"WWW-Authenticate": 'Bearer realm="Primero" charset="UTF8"', "Cache-Control": "no-cache"}
        return json_response(401, {"error": str(self)}, headers)


class Doorkeeper:
    """Checks who is asking, and remembers wrong passwords and log-in calls."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._failed: dict[str, int] = {}
        self._locked_at: dict[str, datetime] = {}
        self._logins: dict[str, list[datetime]] = {}

    def user_of(self, request: Request, now: datetime) -> User:
        """The account behind the credentials. Raises Unauthorized; cookies and bearer tokens count as nothing."""
        credentials = _basic_credentials(request)
        if credentials is None:
            raise Unauthorized(_NOBODY)
        name, password = credentials
        user = self._config.users.get(name)
        if user is None:
            raise Unauthorized(_WRONG)
        self._unlock_in_time(name, now)
        if not _same(password, user.password):
            self._count_failure(name, now)
            raise Unauthorized(_WRONG)
        if name in self._locked_at:
            raise Unauthorized(_WRONG)
        if user.disabled:
            raise Unauthorized(_DISABLED)
        self._failed.pop(name, None)
        return user

    def may_log_in(self, name: str, now: datetime) -> bool:
        """Counts a call of `/tokens` for this name; False from the seventh within a minute on."""
        recent = [moment for moment in self._logins.get(name, ()) if now - moment < _LOGIN_PERIOD]
        self._logins[name] = [*recent, now]
        return len(recent) < _LOGINS

    def _unlock_in_time(self, name: str, now: datetime) -> None:
        if name in self._locked_at and now - self._locked_at[name] >= _LOCKED_FOR:
            del self._locked_at[name]
            self._failed.pop(name, None)

    def _count_failure(self, name: str, now: datetime) -> None:
        self._failed[name] = self._failed.get(name, 0) + 1
        if self._failed[name] >= _ATTEMPTS:
            self._locked_at.setdefault(name, now)


def _basic_credentials(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


def _same(given: str, expected: str | None) -> bool:
    return expected is not None and hmac.compare_digest(given.encode(), expected.encode())
