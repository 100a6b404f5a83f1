"""Sessions: kept in the store by the hash of their id, so that each can be ended, and nobody finds one there to use.

A session ends half an hour after it was last used, and eight hours after it began. What changes something needs one
whose holder has proved who they are within the last ten minutes.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from runner.store import Session, Store

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
FRESH = timedelta(minutes=10)

_BYTES = 32
_TOUCHED = timedelta(minutes=1)


def begin(store: Store, account: str, *, now: datetime, instead_of: str = "") -> str:
    """Begin a session and give its secret id. What the browser had before ends, so that nobody can have planted it."""
    store.forget_sessions(begun=now - LONGEST, used=now - IDLE)
    if instead_of:
        end(store, instead_of, now=now)
    fresh = secrets.token_urlsafe(_BYTES)
    store.begin_session(Session(_digest(fresh), account, begun=now, used=now, confirmed=now))
    return fresh


def find(store: Store, wanted: str, *, now: datetime, used: bool = True) -> Session | None:
    """The session of this id, while it lasts. It is noted that it is `used`, where it is. Raises StoreError."""
    found = store.find_session(_digest(wanted)) if wanted else None
    if found is None or not is_on(found, now):
        return None
    if used and now - found.used >= _TOUCHED:
        store.touch_session(found.digest, now)
    return found


def is_on(session: Session, now: datetime) -> bool:
    """Whether it lasts still."""
    return timedelta(0) <= now - session.begun < LONGEST and now - session.used < IDLE


def end(store: Store, wanted: str, *, now: datetime) -> None:
    """End the session of this id, where there is one."""
    store.end_session(_digest(wanted), now=now)


def is_fresh(session: Session, now: datetime) -> bool:
    """Whether its holder has proved a short while ago who they are."""
    return now - session.confirmed < FRESH


def token(wanted: str, use: str = "form") -> str:
    """What each form of a session bears: only its own pages know it. For another use it is another.

    >>> token("one") == token("another"), token("one") == token("one", "salt")
    (False, False)
    """
    return hmac.new(wanted.encode(), use.encode(), hashlib.sha256).hexdigest()


def is_token(wanted: str, given: str) -> bool:
    """Whether a form was made for this session."""
    return hmac.compare_digest(token(wanted).encode(), given.encode())


def _digest(wanted: str) -> str:
    return hashlib.sha256(wanted.encode()).hexdigest()
