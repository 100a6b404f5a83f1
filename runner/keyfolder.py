"""Keys in a folder: a file NAME.key each, of 32 bytes and mode 0400, overwritten before it is removed."""

import os
import secrets
from pathlib import Path

from runner import keyfile
from runner.errors import StoreError, VaultError
from runner.vault import PUT_BACK, called

_SUFFIX = ".key"
_OURS = "Check that the folder is yours, and its disk neither full nor read-only."


class KeyFolder:
    """The vault's keys in a folder, which may be shared by several hosts.

    >>> import tempfile
    >>> keys = KeyFolder(Path(tempfile.mkdtemp()) / "keys")
    >>> keys.make("2026-03-01")
    >>> keys.names(), len(keys.read("2026-03-01"))
    (['2026-03-01'], 32)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """The names of the keys that are there."""
        try:
            names = os.listdir(self._folder)
        except (FileNotFoundError, NotADirectoryError):  # there are none yet, and why, who makes one will be told
            return []
        return [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]

    def read(self, name: str) -> bytes:
        """A key. Raises VaultError when it can't be read, is none, or others can read it."""
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                mode, key = os.fstat(file.fileno()).st_mode, file.read()
        except OSError as error:
            raise VaultError(f"{called(name)} can't be read: {error.strerror}", fix=PUT_BACK) from None
        if mode & 0o077:
            fix = f"chmod 400 {path}; then let it be replaced soon."
            raise VaultError(f"{called(name)} can be read by others", fix=fix)
        if len(key) != keyfile.BYTES:
            raise VaultError(f"{called(name)} is no key", fix=PUT_BACK)
        return key

    def make(self, name: str) -> None:
        """Make a key, unless there is one of that name. Raises StoreError."""
        try:
            keyfile.make(self._path(name))
        except OSError as error:
            raise StoreError(f"no key can be made in {self._folder}: {error.strerror}", fix=_OURS) from None

    def destroy(self, name: str) -> None:
        """Overwrite and remove a key, where it is there. Raises StoreError."""
        path = self._path(name)
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
            raise StoreError(f"{called(name)} can't be destroyed: {error.strerror}", fix=_OURS) from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"
