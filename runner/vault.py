"""The vault: seals states under a key each, which is wrapped by the day's epoch key, held outside the database.

AES-256-GCM twice: a fresh data key for each envelope, and the epoch key around it. What is sealed is bound to what it
is about, so that envelopes can't be exchanged. Destroying an epoch's key makes everything unreadable that was sealed
in it and not wrapped anew, wherever copies of it may lie (R-ER3).

    ensure_today()      → a key of 32 bytes named YYYY-MM-DD
    seal → open         → in and out
    rewrap, destroy     → the next day: the key that is pending goes into the new epoch, then the old one goes
    fingerprint, keyed  → texts that say nothing without the key named fingerprint, which stays
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from runner import keyfile
from runner.errors import VaultError

PUT_BACK = "Put back the key as it was; without it what is pending can't be read."
_NONCE = 12
_FINGERPRINT = "fingerprint"
_EPOCH = re.compile(r"\d{4}-\d{2}-\d{2}")


class Keys(Protocol):
    """Where keys are held, each by a name of its own: a folder (keyfolder), or what a program looks after (keycommand).

    Each raises StoreError while it can't be told or done, which may pass.
    """

    def names(self) -> list[str]:
        """The names of those that are there."""

    def read(self, name: str) -> bytes:
        """The 32 bytes of a key. Raises VaultError when it isn't there, or not kept safely."""

    def make(self, name: str) -> None:
        """Make a key, unless there is one of that name: of several who make it at once, all get the same."""

    def destroy(self, name: str) -> None:
        """Let it be gone for good; it is no error that it is gone already."""


def called(name: str) -> str:
    """What a key is called in messages.

    >>> called("2026-03-01"), called("fingerprint")
    ('the epoch key 2026-03-01', 'the fingerprint key')
    """
    return f"the epoch key {name}" if _EPOCH.fullmatch(name) else f"the {name} key"


@dataclass(frozen=True)
class WrappedKey:
    """An envelope's data key, readable with the epoch's key only."""

    epoch: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True)
class Sealed:
    """An envelope: its wrapped data key, and what it seals."""

    key: WrappedKey
    ciphertext: bytes = field(repr=False)


class Vault:
    """Seals with the keys that it is given. `now` gives the time as an aware datetime; it decides on the day only.

    VaultError means that a key isn't what it must be, and is for a person to mend; StoreError that one can't be had or
    made just now, which may pass.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from runner.keyfolder import KeyFolder
    >>> vault = Vault(KeyFolder(Path(tempfile.mkdtemp()) / "keys"), now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    >>> sealed = vault.seal(b"a state", "envelope/u1")
    >>> sealed.key.epoch, vault.open(sealed, "envelope/u1")
    ('2026-03-01', b'a state')
    """

    def __init__(self, keys: Keys, *, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._now = now
        self._newest = ""

    def seal(self, plain: bytes, about: str) -> Sealed:
        """Encrypt with a fresh key, wrapped in the newest epoch. Raises VaultError and StoreError."""
        epoch = self.ensure_today()
        key = secrets.token_bytes(keyfile.BYTES)
        return Sealed(WrappedKey(epoch, _encrypt(self._keys.read(epoch), key, about)), _encrypt(key, plain, about))

    def open(self, sealed: Sealed, about: str) -> bytes:
        """What was sealed. Raises VaultError when its key is missing or another, or it is about something else."""
        return _decrypt(self.unwrap(sealed.key, about), sealed.ciphertext, about, "an envelope")

    def unwrap(self, key: WrappedKey, about: str) -> bytes:
        """The data key itself; at start, this is how a wrong epoch key is noticed. Raises VaultError."""
        return _decrypt(self._keys.read(key.epoch), key.wrapped, about, called(key.epoch))

    def rewrap(self, key: WrappedKey, about: str) -> WrappedKey:
        """The same data key in the newest epoch; what it seals stays as it is. Raises VaultError and StoreError."""
        epoch = self.ensure_today()
        return WrappedKey(epoch, _encrypt(self._keys.read(epoch), self.unwrap(key, about), about))

    def fingerprint(self, data: bytes) -> str:
        """A text by which the same bytes are recognised here, and nowhere else (R-RP3)."""
        if not (self._newest or self.epochs()):
            self.ensure_today()
        return hmac.new(self._keys.read(_FINGERPRINT), data, hashlib.sha256).hexdigest()

    def keyed(self, text: str) -> str:
        """An id as the store may keep it: recognised here, and nowhere else."""
        return self.fingerprint(b"text\0" + text.encode())

    @contextmanager
    def reading_once(self) -> Iterator["Vault"]:
        """This vault for the work of a moment, in which it reads each key once, and looks once which there are."""
        brief = copy(self)
        brief._keys = _ReadOnce(self._keys)
        try:
            yield brief
        finally:
            self._newest = max(self._newest, brief._newest)

    def epochs(self) -> list[str]:
        """The days whose keys are here, oldest first. Raises StoreError."""
        return sorted(filter(_EPOCH.fullmatch, self._keys.names()))

    def ensure_today(self) -> str:
        """The newest epoch; today's is made when it is due. A clock that was set back brings no old one back.

        Raises VaultError when the one that was the newest is gone: with a new key in its place, what is sealed from
        then on would be lost as soon as somebody puts the old one back; StoreError while no key can be written.
        """
        today = self._now().astimezone(UTC).date().isoformat()
        known = self._newest  # before looking: another thread may make a newer one meanwhile
        newest = max(self.epochs(), default="")
        if newest < known:
            raise VaultError(f"{called(known)} is missing", fix=PUT_BACK)
        if newest < today:
            if not newest:
                self._keys.make(_FINGERPRINT)
            self._keys.make(today)
            newest = today
        self._newest = max(newest, self._newest)
        return newest

    def destroy(self, epoch: str) -> None:
        """Let the key be gone of an epoch in which nothing is sealed any more. Raises StoreError.

        It is no error that it is gone already: a crash may have come between this and what depends on it.
        """
        self._keys.destroy(epoch)


class _ReadOnce:
    """Keys that are held elsewhere, as they were when they were first asked for."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._names: list[str] | None = None
        self._read: dict[str, bytes] = {}

    def names(self) -> list[str]:
        if self._names is None:
            self._names = self._keys.names()
        return self._names

    def read(self, name: str) -> bytes:
        if name not in self._read:
            self._read[name] = self._keys.read(name)
        return self._read[name]

    def make(self, name: str) -> None:
        self._names = None
        self._keys.make(name)

    def destroy(self, name: str) -> None:
        self._names = None
        self._read.pop(name, None)
        self._keys.destroy(name)


def _encrypt(key: bytes, plain: bytes, about: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, about.encode())


def _decrypt(key: bytes, sealed: bytes, about: str, what: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise VaultError(f"{what} doesn't open what was sealed", fix=PUT_BACK) from None
