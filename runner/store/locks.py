"""Locks that end with the process that holds them, even when it is killed."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from runner.errors import InUse
from runner.store.database import Database, told


class Locks(Database):
    """Who is at what, among all processes and threads that use this directory."""

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a name, such as `serve`, `job/decisions` or `subject/<keyed>`. Raises InUse when it is held.

        The name is free again when the block ends, or the process.
        """
        path = self.folder / "locks" / hashlib.sha256(name.encode()).hexdigest()[:32]
        with told():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            handle = _locked(str(path))
        if handle is None:
            raise InUse(f"{name.split('/')[0]} is in use", fix="Wait until the other one has ended.")
        try:
            yield
        finally:
            os.unlink(path)  # before it is free, so that whoever takes the name next makes a file of their own
            os.close(handle)


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
