"""A PostgreSQL server of our own: on a socket in a temporary folder, as nobody when we are root, gone in the end.

Its programs are those in `$PG_BIN`, or the system's newest. Where there are none, what needs it is skipped; with
CI_POSTGRES=1 it fails instead, so that CI can't pass without it. `durable`: with fsync, for tests that kill it and
for what is measured. `under`: where the temporary folder is made, if not where the system does.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

LONG = 60  # seconds that nothing here takes
MISSING = "no PostgreSQL is installed here: apt-get install postgresql, or set PG_BIN"


def programs():
    """The folder with `initdb` and `postgres`, or None."""
    named = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    found = shutil.which("initdb")
    places = [*named, *installed, *([Path(found).resolve().parent] if found else [])]
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


def missing():
    """Skip the test at hand, for there is no server; in CI, fail."""
    (pytest.fail if os.environ.get("CI_POSTGRES") == "1" else pytest.skip)(MISSING)


class Server:
    """A server, running. `address` is that of a database; `restart` and `kill` are for those who test what then."""

    def __init__(self, place, *, durable=False, under=None):
        self._place = place
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=under))
        self._as = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._do("initdb", "-A", "trust", "-U", "runner", "-E", "UTF8", "--locale=C", "--no-sync")
        self._settings = f"-c listen_addresses='' -k {self.folder}"
        if not durable:
            self._settings += " -c fsync=off -c synchronous_commit=off"
        self.start()

    def address(self, schema="public", database="postgres"):
        """The address of a database, and of a schema in it."""
        return f"postgresql://runner@/{database}?host={self.folder}&options=-csearch_path%3D{schema}"

    def start(self):
        """Begin to serve."""
        log = str(self.folder / "log")
        self._do("pg_ctl", "-w", "-l", log, "-o", self._settings, "start")

    def stop(self, mode="immediate"):
        """End it; `immediate` is as if the machine had lost its power, `fast` in order."""
        self._do("pg_ctl", "-w", "-m", mode, "stop")

    def kill(self):
        """End the server's process by SIGKILL; what it had begun is found by the next start."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def remove(self):
        """End it where it runs, and leave nothing."""
        try:
            if (self.folder / "data" / "postmaster.pid").exists():
                self.stop()
        finally:
            shutil.rmtree(self.folder)

    def _do(self, program, *words):
        command = [str(self._place / program), "-D", str(self.folder / "data"), *words]
        subprocess.run(
            command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LONG,
            **self._as,
        )  # fmt: skip


@contextmanager
def running_server():
    """A server of our own while the block runs; its address."""
    server = Server(programs() or sys.exit(MISSING))
    try:
        yield server.address()
    finally:
        server.remove()


@contextmanager
def new_database(server, name):
    """An empty database of the server at this address, while the block runs; its address, or None without a server."""
    if server is None:
        yield None
        return
    import psycopg  # here, since most need nothing of it

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield server.replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
