"""The vault: seals states under a key each, which is wrapped by the day's epoch key, a file outside the database.

AES-256-GCM twice: a fresh data key for each envelope, and the epoch key around it. What is sealed is bound to what it
is about, so that envelopes can't be exchanged. Destroying an epoch's file makes everything unreadable that was sealed
in it and not wrapped anew, wherever copies of it may lie (R-ER3).

    ensure_today()      → a file YYYY-MM-DD.key of 32 bytes, mode 0400
    seal → open         → in and out
    rewrap, destroy     → the next day: the key that is pending goes into the new epoch, then the old file goes
    fingerprint, keyed  → texts that say nothing without fingerprint.key, which stays
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner import keyfile
from runner.errors import StoreError, VaultError

_NONCE = 12
_FINGERPRINT = "fingerprint"
_EPOCH = re.compile(r"(\d{4}-\d{2}-\d{2})\.key")
_OURS = "Check that the folder is yours, and its disk neither full nor read-only."
_FIX = "Put back the key's file as it was; without it what is pending can't be read."


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
    """The keys in one folder. `now` gives the time as an aware datetime; it decides on the day only.

    VaultError means that a key isn't what it must be, and is for a person to mend; StoreError that the disk refuses to
    write one, which may pass.

    >>> import tempfile
    >>> vault = Vault(Path(tempfile.mkdtemp()) / "keys", now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    >>> sealed = vault.seal(b"a state", "envelope/u1")
    >>> sealed.key.epoch, vault.open(sealed, "envelope/u1")
    ('2026-03-01', b'a state')
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._newest = ""

    def seal(self, plain: bytes, about: str) -> Sealed:
        """Encrypt with a fresh key, wrapped in the newest epoch. Raises VaultError and StoreError."""
        epoch = self.ensure_today()
        key = secrets.token_bytes(keyfile.BYTES)
        return Sealed(WrappedKey(epoch, _encrypt(self._epoch_key(epoch), key, about)), _encrypt(key, plain, about))

    def open(self, sealed: Sealed, about: str) -> bytes:
        """What was sealed. Raises VaultError when its key is missing or another, or it is about something else."""
        return _decrypt(self.unwrap(sealed.key, about), sealed.ciphertext, about, "an envelope")

    def unwrap(self, key: WrappedKey, about: str) -> bytes:
        """The data key itself; at start, this is how a wrong epoch key is noticed. Raises VaultError."""
        return _decrypt(self._epoch_key(key.epoch), key.wrapped, about, f"the epoch key {key.epoch}")

    def rewrap(self, key: WrappedKey, about: str) -> WrappedKey:
        """The same data key in the newest epoch; what it seals stays as it is. Raises VaultError and StoreError."""
        epoch = self.ensure_today()
        return WrappedKey(epoch, _encrypt(self._epoch_key(epoch), self.unwrap(key, about), about))

    def fingerprint(self, data: bytes) -> str:
        """A text by which the same bytes are recognised here, and nowhere else (R-RP3)."""
        if not (self._newest or self.epochs()):
            self.ensure_today()
        return hmac.new(self._read(_FINGERPRINT, "the fingerprint key"), data, hashlib.sha256).hexdigest()

    def keyed(self, text: str) -> str:
        """An id as the store may keep it: recognised here, and nowhere else."""
        return self.fingerprint(b"text\0" + text.encode())

    def epochs(self) -> list[str]:
        """The days whose keys are here, oldest first."""
        try:
            names = os.listdir(self._folder)
        except (FileNotFoundError, NotADirectoryError):  # there are none yet, and why, who makes one will be told
            return []
        return sorted(found[1] for found in map(_EPOCH.fullmatch, names) if found)

    def ensure_today(self) -> str:
        """The newest epoch; today's is made when it is due. A clock that was set back brings no old one back.

        Raises VaultError when the one that was the newest is gone: with a new key in its place, what is sealed from
        then on would be lost as soon as somebody puts the old one back; StoreError while no key can be written.
        """
        today = self._now().astimezone(UTC).date().isoformat()
        known = self._newest  # before looking: another thread may make a newer one meanwhile
        newest = max(self.epochs(), default="")
        if newest < known:
            raise VaultError(f"the epoch key {known} is missing", fix=_FIX)
        if newest < today:
            if not newest:
                self._make(_FINGERPRINT)
            self._make(today)
            newest = today
        self._newest = max(newest, self._newest)
        return newest

    def destroy(self, epoch: str) -> None:
        """Overwrite and remove the key of an epoch in which nothing is sealed any more. Raises StoreError.

        It is no error that it is gone already: a crash may have come between this and what depends on it.
        """
        path = self._path(epoch)
        try:
            path.chmod(0o600)
            with open(path, "r+b") as file:
                file.write(secrets.token_bytes(keyfile.BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            keyfile.flush(self._folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"the epoch key {epoch} can't be destroyed: {error.strerror}", fix=_OURS) from None

    def _epoch_key(self, epoch: str) -> bytes:
        return self._read(epoch, f"the epoch key {epoch}")

    def _read(self, name: str, what: str) -> bytes:
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                mode, key = os.fstat(file.fileno()).st_mode, file.read()
        except OSError as error:
            raise VaultError(f"{what} can't be read: {error.strerror}", fix=_FIX) from None
        if mode & 0o077:
            raise VaultError(f"{what} can be read by others", fix=f"chmod 400 {path}; then let it be replaced soon.")
        if len(key) != keyfile.BYTES:
            raise VaultError(f"{what} is no key", fix=_FIX)
        return key

    def _make(self, name: str) -> None:
        try:
            keyfile.make(self._path(name))
        except OSError as error:
            raise StoreError(f"no key can be made in {self._folder}: {error.strerror}", fix=_OURS) from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.key"


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
        raise VaultError(f"{what} doesn't open what was sealed", fix=_FIX) from None
