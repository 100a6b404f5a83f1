"""The database of one story: a PostgreSQL server of its own, which is ended and started, and cuts people off."""

import subprocess
import threading
import time

import psycopg

from tests.canaries import traces
from tests.servers import Server, missing, programs

_LONG = 30  # seconds until a server that was killed is gone
_SOON = 5  # seconds that a connection beside the service may take


class Database:
    """A server that keeps its promises (it flushes), gone when the block ends. One thing happens to it at a time."""

    def __init__(self):
        self._server = Server(programs() or missing(), durable=True)
        self._turn = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.remove()

    @property
    def address(self):
        """Where the store is."""
        return self._server.address()

    def restart(self, pause, mode):
        """End it and start it again after so many seconds; `immediate` is as if its machine had lost its power."""
        with self._turn:
            if mode == "kill":
                self._server.kill()
            else:
                self._server.stop(mode)
            time.sleep(pause)
            self._start()

    def cut(self, pick):
        """End one of the connections that the service and commands have; how many there were."""
        with self._turn, psycopg.connect(self.address, autocommit=True, connect_timeout=_SOON) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " ORDER BY pid"
            ).fetchall()
            if found:
                connection.execute("SELECT pg_terminate_backend(%s)", found[int(pick * len(found))])
            return len(found)

    def _start(self):
        """Start it; what a server that was killed has left running may be in its way for a moment."""
        until = time.monotonic() + _LONG
        while True:
            try:
                return self._server.start()
            except subprocess.CalledProcessError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def rest(self):
        """End it in order, so that all is in its files."""
        self._server.stop("fast")

    def traces(self, *texts):
        """In which of its files one of these texts is found; `(file, form)`."""
        return traces(self._server.folder, *texts)
