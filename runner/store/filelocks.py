"""Files that are locked while somebody is at something, on one machine."""

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path


def take(folder: Path, name: str) -> Callable[[], None] | None:
    """Lock a file that stands for the name; how to give it back, or None when somebody has it. Raises OSError."""
    path = str(folder / hashlib.sha256(name.encode()).hexdigest()[:32])
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = _locked(path)
    if handle is None:
        return None

    def give_back() -> None:
        os.unlink(path)  # before it is free, so that whoever takes the name next makes a file of their own
        os.close(handle)

    return give_back


def _locked(path: str) -> int | None:
    """A handle of the file, locked; None when somebody else has it."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        os.close(handle)
