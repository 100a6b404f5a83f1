"""Locks that end with the process that holds them, even when it is killed."""

from collections.abc import Iterator
from contextlib import contextmanager

from runner.errors import InUse
from runner.store.database import Database


class Locks(Database):
    """Who is at what, among all processes and threads that use this store."""

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a name, such as `serve`, `job/decisions` or `subject/<keyed>`. Raises InUse when it is held.

        The name is free again when the block ends, or the process. In PostgreSQL also when the connection breaks off,
        which is then noticed: see `Database.refuse_since`.
        """
        give_back = self.take(name)
        if give_back is None:
            raise InUse(f"{name.split('/')[0]} is in use", fix="Wait until the other one has ended.")
        try:
            yield
        finally:
            give_back()
