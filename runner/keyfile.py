"""Key files: 32 random bytes in a file that only its owner reads, made whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

BYTES = 32


def make(path: Path) -> None:
    """Make a key, mode 0400; if somebody else makes it meanwhile, theirs counts. Raises OSError.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "keys" / "own.key"
    >>> make(path)
    >>> len(path.read_bytes()), oct(path.stat().st_mode)[-3:]
    (32, '400')
    """
    put(path, secrets.token_bytes(BYTES))


def put(path: Path, key: bytes) -> None:
    """Keep these bytes as a key, unless there is one of that name. Raises OSError."""
    fresh = path.with_suffix(f".{secrets.token_hex(4)}.new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write(fresh, key)
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    flush(path.parent)


def _write(path: Path, key: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400)
    try:
        os.write(handle, key)
        os.fsync(handle)
    finally:
        os.close(handle)


def flush(folder: Path) -> None:
    """Let the folder's entries be on the disk, not only its files. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
