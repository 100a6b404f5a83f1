"""A disk that is really full or read-only, a database that is really locked, a key that is really gone; no stand-ins.

The small disk is a tmpfs, the one that breaks down a file system in a file (as root only), in a mount namespace that a
process of its own holds. Where this machine allows none, the tests that need it are skipped.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from runner.store import FILE
from tests import servers
from tests.canaries import traces
from tests.chaos.processes import environment

CANARIES = ("Nyakím «Quillwort» Deng-58213", "+251 91 155 57 731")
BYTES = 8_000_000  # of the small disk: room for all that a test posts and for the log of changes (4 MB) beside it
LONG = 60  # seconds that nothing here takes

JOB = '''"""Fails until the gate is open. When a message comes."""

from pathlib import Path


def wait_for_gate(state):
    """The far side is away."""
    if not Path("gate").exists():
        raise ConnectionError
    return state


operations = [wait_for_gate]
'''
PROJECT = """\
name: test
jobs:
  whole: {script: whole.py, trigger: posted}
triggers:
  posted: {message: {type: whole}}
retry: {minutes: [0.005], every: 0.005, hours: 100}
inbox: {port: 0}
"""


@pytest.fixture
def folder(tmp_path):
    """A project whose only job waits for a gate, which is open; and a key."""
    (tmp_path / "whole.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(PROJECT)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "gate").touch()
    return tmp_path


def runner(folder, *words, inside=()):
    """One command, to its end."""
    command = [*inside, sys.executable, "-m", "runner", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=LONG, check=False
    )


def key_of(folder, inside=()):
    """A key of the inbox."""
    return runner(folder, "keys", "create", "unhcr", inside=inside).stdout.strip()


@contextmanager
def serving(folder, key, inside=(), program=("runner",)):
    """The service, and a client of its inbox; it is killed when the block hasn't ended it."""
    command = [*inside, sys.executable, "-m", *program, "serve", "--json"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=LONG, trust_env=False) as client:
                yield process, client
        finally:
            process.kill()


def post(client, number, size=100):
    """Post one message of about this size; the answer."""
    body = {"type": "whole", "number": number, "child": CANARIES, "more": "x" * size}
    return client.post("/inbox", json=body)


def stopped(process):
    """Its exit code after SIGTERM, and what it said."""
    process.send_signal(signal.SIGTERM)
    return process.wait(LONG), process.communicate()[1]


def succeed_in_time(folder, ids, inside=()):
    """Whether all these messages succeed before too long."""
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        listed = json.loads(runner(folder, "inbox", "list", "--json", inside=inside).stdout)["messages"]
        if set(ids) <= {message["id"] for message in listed if message["status"] == "succeeded"}:
            return True
        time.sleep(0.1)
    return False


class Disk:
    """A small disk at `<folder>/data`.

    `inside` runs a command where it is mounted; `path` is how plain files are read from outside (SQLite would find its
    way to what lies under the disk).
    """

    def __init__(self, folder, holder):
        self.path = folder.__class__(f"/proc/{holder.pid}/root{folder}/data")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.inside = ["nsenter", "--target", str(holder.pid), "--mount", *user, f"--wdns={folder}"]

    def fill(self):
        """Leave no byte free."""
        with open(self.path / "ballast", "ab", buffering=0) as ballast:
            for size in (100_000, 1000, 1):
                while self._taken(ballast, size):
                    pass

    def _taken(self, ballast, size):
        try:
            return ballast.write(b"\0" * size) == size
        except OSError:
            return False

    def free(self):
        """Make room again."""
        (self.path / "ballast").unlink()

    def make_read_only(self):
        """Let nobody write any more."""
        subprocess.run([*self.inside, "mount", "-o", "remount,ro", "data"], check=True, timeout=LONG)

    def break_down(self):
        """Let the file system notice a fault, as when a disk dies: from now on nobody can write, whatever is open."""
        subprocess.run([*self.inside, "mount", "-o", "remount,abort", "data"], check=True, timeout=LONG)

    def repair(self):
        """Mount it anew, as after a repair; nobody may use it meanwhile."""
        subprocess.run([*self.inside, "umount", "data"], check=True, timeout=LONG)
        subprocess.run([*self.inside, "sh", "-c", MOUNT_IMAGE], check=True, timeout=LONG)


MOUNT_IMAGE = "mount -o loop image data"


@contextmanager
def mounted(folder, script):
    """What a script mounts at `<folder>/data`, where nobody else sees it."""
    (folder / "data").mkdir()
    new_namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    words = [*new_namespace, "sh", "-c", f"{script} && echo ready && exec sleep 300"]
    try:
        holder = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    with holder:
        try:
            if holder.stdout.readline() != "ready\n":
                pytest.skip(f"no disk can be mounted here: {holder.stderr.read().strip()}")
            yield Disk(folder, holder)
        finally:
            holder.kill()


@pytest.fixture
def disk(folder):
    """The small disk."""
    with mounted(folder, f"mount -t tmpfs -o size={BYTES},mode=0700 none data") as found:
        yield found


@pytest.fixture
def breakable_disk(folder):
    """A disk that can break down while it is used."""
    made = "truncate -s 16M image && mkfs.ext4 -q -F image"
    with mounted(folder, f"{made} && {MOUNT_IMAGE} && rmdir data/lost+found && chmod 700 data") as found:
        yield found


def test_disk_that_is_full(folder, disk):
    """R-WH2 H16 On a full disk the answer is 503 with Retry-After, what was answered 202 is done once there is room."""
    key = key_of(folder, disk.inside)
    with serving(folder, key, disk.inside) as (process, client):
        (folder / "gate").unlink()
        before = [post(client, number) for number in range(3)]
        disk.fill()
        full = [post(client, number, 60_000) for number in range(10, 15)]
        assert {202} == {answer.status_code for answer in before}
        assert {(503, "30")} == {(answer.status_code, answer.headers.get("retry-after")) for answer in full}
        assert [] == traces(disk.path, *CANARIES)
        disk.free()
        (folder / "gate").touch()
        after = [post(client, number, 60_000) for number in range(10, 15)]
        assert {202} == {answer.status_code for answer in after}
        assert succeed_in_time(folder, [answer.json()["id"] for answer in before + after], disk.inside)
        assert 0 == stopped(process)[0]
    assert [] == traces(disk.path, *CANARIES) + traces(folder / "tmp", *CANARIES)


def test_killed_on_a_full_disk(folder, disk):
    """R-WH1 R-WH2 Killed while the disk is full, the service starts again once there is room, and nothing is lost."""
    key = key_of(folder, disk.inside)
    with serving(folder, key, disk.inside) as (process, client):
        (folder / "gate").unlink()
        kept = [post(client, number).json()["id"] for number in range(3)]
        disk.fill()
        answers = [post(client, number) for number in range(10, 40)]
        kept += [answer.json()["id"] for answer in answers if answer.status_code == 202]
        assert {202, 503} >= {answer.status_code for answer in answers} >= {503}
        process.kill()
    started = runner(folder, "serve", inside=[*disk.inside, "timeout", "-s", "KILL", "10"])
    assert "Traceback" not in started.stderr
    disk.free()
    (folder / "gate").touch()
    with serving(folder, key, disk.inside) as (process, _client):
        assert succeed_in_time(folder, kept, disk.inside)
        assert 0 == stopped(process)[0]
    assert [] == traces(disk.path, *CANARIES)


def test_midnight_on_a_full_disk(folder, disk):
    """R-WH2 R-RT4 While no room is left for the new day's key the answer is 503; the service goes on when there is."""
    key = key_of(folder, disk.inside)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    begin = midnight - timedelta(minutes=5)  # three seconds, at that speed
    clock = (begin.isoformat(), str(time.time()), "100")
    with serving(folder, key, disk.inside, program=("tests.chaos.fast", *clock)) as (process, client):
        before = post(client, 1)
        assert succeed_in_time(folder, [before.json()["id"]], disk.inside)
        disk.fill()
        time.sleep(4)
        full = post(client, 2)
        assert (503, "30") == (full.status_code, full.headers.get("retry-after"))
        disk.free()
        after = post(client, 2)
        assert succeed_in_time(folder, [after.json()["id"]], disk.inside)
        assert 0 == stopped(process)[0]
    assert [midnight.date().isoformat(), "fingerprint"] == sorted(path.stem for path in (disk.path / "keys").iterdir())


def test_start_on_a_disk_that_is_read_only(folder, disk):
    """R-WH2 On a disk that can't be written the service refuses to start, with a plain message, and touches nothing."""
    key = key_of(folder, disk.inside)
    with serving(folder, key, disk.inside) as (process, client):
        (folder / "gate").unlink()
        kept = post(client, 1).json()["id"]
        process.kill()
    disk.make_read_only()
    before = {path.name: path.read_bytes() for path in disk.path.iterdir() if path.is_file()}
    refused = runner(folder, "serve", inside=disk.inside)
    assert (2, "") == (refused.returncode, refused.stdout)
    assert "can't be used" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert before == {path.name: path.read_bytes() for path in disk.path.iterdir() if path.is_file()}
    assert kept
    assert [] == traces(disk.path, *CANARIES)


def test_disk_that_becomes_read_only(folder, breakable_disk):
    """R-WH2 H16 On a disk that becomes read-only under the service the answer is 503; once it is mended, what was
    answered 202 is done."""
    disk = breakable_disk
    key = key_of(folder, disk.inside)
    with serving(folder, key, disk.inside) as (process, client):
        (folder / "gate").unlink()
        kept = [post(client, number).json()["id"] for number in range(3)]
        disk.break_down()
        broken = [post(client, number) for number in range(10, 15)]
        assert {(503, "30")} == {(answer.status_code, answer.headers.get("retry-after")) for answer in broken}
        assert [] == traces(disk.path, *CANARIES)
        assert (None, 200) == (process.poll(), client.get("/healthz").status_code)
        process.kill()
        assert "Traceback" not in process.communicate()[1]
    disk.repair()
    (folder / "gate").touch()
    with serving(folder, key, disk.inside) as (process, client):
        kept += [post(client, number).json()["id"] for number in range(10, 15)]
        assert succeed_in_time(folder, kept, disk.inside)
        assert 0 == stopped(process)[0]
    assert [] == traces(disk.path, *CANARIES) + traces(folder / "tmp", *CANARIES)


def test_locked_database(folder):
    """R-WH2 While another program keeps the file locked the answer is 503; then the service goes on by itself."""
    key = key_of(folder)
    with serving(folder, key) as (process, client):
        before = post(client, 1)
        other = sqlite3.connect(folder / "data" / FILE, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        locked = post(client, 2)
        assert (503, "30") == (locked.status_code, locked.headers.get("retry-after"))
        other.execute("ROLLBACK")
        other.close()
        after = post(client, 2)
        assert [202, 202] == [before.status_code, after.status_code]
        assert succeed_in_time(folder, [before.json()["id"], after.json()["id"]])
        assert 0 == stopped(process)[0]
    assert [] == traces(folder / "data", *CANARIES)


def test_database_that_goes_away(folder):
    """R-WH2 H16 While PostgreSQL is away the answer is 503; then the service goes on, and nothing was lost."""
    server = servers.Server(servers.programs() or servers.missing(), durable=True)
    try:
        with open(folder / "project.yaml", "a") as project:
            project.write(f"store: {server.address()}\n")
        key = key_of(folder)
        with serving(folder, key) as (process, client):
            (folder / "gate").unlink()
            before = post(client, 1)
            server.stop()
            away = post(client, 2)
            assert (503, "30") == (away.status_code, away.headers.get("retry-after"))
            server.start()
            (folder / "gate").touch()
            after = post(client, 2)
            assert [202, 202] == [before.status_code, after.status_code]
            assert succeed_in_time(folder, [before.json()["id"], after.json()["id"]])
            assert 0 == stopped(process)[0]
        assert [] == traces(server.folder, *CANARIES) + traces(folder / "data", *CANARIES)
    finally:
        server.remove()


def test_key_that_goes_while_the_service_runs(folder):
    """R-RT4 An epoch key that is taken away ends the service with 3; once it is back, nothing was lost."""
    key = key_of(folder)
    (folder / "gate").unlink()
    with serving(folder, key) as (process, client):
        kept = [post(client, 1).json()["id"]]
        (epoch,) = (folder / "data" / "keys").glob("2*.key")
        held = epoch.read_bytes()
        epoch.unlink()
        try:
            answer = post(client, 2)
            assert 503 == answer.status_code
        except httpx.TransportError:
            pass  # it ended before
        assert 3 == process.wait(LONG)
        assert "epoch key" in process.communicate()[1]
    assert [] == list((folder / "data" / "keys").glob("2*.key"))
    assert 3 == runner(folder, "serve").returncode
    epoch.write_bytes(held)
    epoch.chmod(0o400)
    (folder / "gate").touch()
    with serving(folder, key) as (process, client):
        kept.append(post(client, 2).json()["id"])
        assert succeed_in_time(folder, kept)
        assert 0 == stopped(process)[0]
    assert [] == traces(folder / "data", *CANARIES)
