"""Keys of the inbox: made, recognised, replaced and withdrawn.

A key is shown once, when it is made; what is kept is a salted hash of it (R-RT4). One round of SHA-256 is enough, since
256 random bits can't be guessed.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from runner.errors import WrongUse
from runner.store import Key, Store

_BYTES = 32


def create(store: Store, label: str, *, now: datetime, expires: datetime | None = None) -> str:
    """Make a key and give it; it can't be had again. `expires` None means: when it is revoked.

    >>> create(store, "unhcr", now=now)  # doctest: +SKIP
    'p7Vg…'
    """
    text = secrets.token_urlsafe(_BYTES)
    salt = secrets.token_bytes(_BYTES)
    store.add_key(Key(secrets.token_hex(4), label, salt, _hashed(salt, text), now, expires))
    return text


def recognise(text: str, keys: Sequence[Key], now: datetime) -> Key | None:
    """The key that `text` is, unless it has expired. Takes as long for a wrong text as for a right one.

    >>> recognise("guessed", [], datetime.now()) is None
    True
    """
    found = None
    for key in keys:
        same = hmac.compare_digest(_hashed(key.salt, text), key.digest)
        if same and is_active(key, now):
            found = key
    return found


def is_active(key: Key, now: datetime) -> bool:
    """Whether the key opens the inbox at this time."""
    return key.revoked is None and (key.expires is None or now < key.expires)


def active(store: Store, now: datetime) -> list[Key]:
    """The keys that open the inbox at this time."""
    known = store.keys()
    return [key for key in known if is_active(key, now)]


def rotate(store: Store, label: str, *, overlap: timedelta, now: datetime) -> str:
    """Make another key of the label and give it; those it has end after the overlap, if they don't end sooner.

    Raises WrongUse when there is none.
    """
    old = [key for key in active(store, now) if key.label == label]
    if not old:
        raise WrongUse(f"there is no key {label}", fix=f"Make one: runner keys create {label}")
    text = create(store, label, now=now)
    for key in old:
        store.expire_key(key.id, when=now + overlap, now=now)
    return text


def revoke(store: Store, wanted: str, *, now: datetime) -> None:
    """Withdraw the key of this id or label, at once. Raises WrongUse when it is none, or several."""
    found = [key for key in active(store, now) if wanted in (key.id, key.label)]
    if not found:
        raise WrongUse(f"there is no key {wanted}", fix="runner keys list shows them.")
    if len(found) > 1:
        raise WrongUse(f"{len(found)} keys are called {wanted}", fix=f"Name one: {', '.join(key.id for key in found)}.")
    store.revoke_key(found[0].id, now=now)


def _hashed(salt: bytes, text: str) -> bytes:
    return hmac.new(salt, text.encode("utf-8"), hashlib.sha256).digest()
