"""Several processes on one PostgreSQL database: units handed out by procrastinate, real kills, real freezes."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest

from runner import keys
from runner.cli import main
from runner.store import Store
from tests.chaos.processes import Service, free_port
from tests.chaos.sender import Sender

LONG = 60  # seconds that nothing here takes
JOB = '''"""Sends a number to the far side, when a message comes; it waits for a file before."""

import os
import time
from pathlib import Path

from adaptors.common import data_value, each
from adaptors.http import post


def begin(state):
    with open("begun.txt", "a") as begun:
        begun.write(f"{os.getpid()} {state['data']['number']}\\n")
    while not Path("go").exists():
        time.sleep(0.05)
    return state


operations = [
    begin,
    post("/effects", {"number": data_value("number")}, credential="far"),
]
'''
PROJECT = """\
name: test
store: {address}
jobs:
  send: {{script: send.py, trigger: posted, credentials: [far], workers: 4}}
  clock: {{script: clock.py, trigger: often}}
triggers:
  posted:
    message: {{type: send}}
    subject: $.child
  often: {{cron: "* * * * *"}}
inbox: {{port: {port}}}
"""
CLOCK = '"""Keeps nothing. Every minute."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'


class Fleet:
    """Processes of one project; `effects` is what reached the far side."""

    def __init__(self, folder, at, port, effects):
        self.folder, self.at, self.effects = folder, at, effects
        self._port, self._services = port, []
        with Store.open(folder / "data", at=at) as store:
            self._key = keys.create(store, "unhcr", now=datetime.now(UTC))

    def begin(self, name, *words):
        """Another process, ready."""
        service = Service(self.folder, words=words, name=name)
        self._services.append(service)
        service.start()
        service.wait_until_ready()
        return service

    def post(self, *numbers, child=None):
        """Post a message for each number."""
        with Sender(f"http://127.0.0.1:{self._port}", self._key) as sender:
            for number in numbers:
                body = {"type": "send", "number": number, "child": child or f"child {number}"}
                assert 202 == sender.post(json.dumps(body).encode()).status_code

    def begun(self):
        """Which process began which number, in order."""
        file = self.folder / "begun.txt"
        return [tuple(map(int, line.split())) for line in file.read_text().splitlines()] if file.exists() else []

    def go(self):
        """Let what was begun go on."""
        (self.folder / "go").touch()

    def outcomes(self):
        """The outcomes of the runs of the job."""
        with Store.open(self.folder / "data", at=self.at) as store:
            return sorted(run.outcome for run in store.runs(1000, job="send"))

    def away(self):
        """End them all, those that stand still, too."""
        for service in self._services:
            service.away()


def until(told, seconds=LONG):
    """Wait until this is so."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it doesn't come"
        time.sleep(0.05)


@contextmanager
def far_side():
    """A far side that takes whatever it is sent; its port, and the numbers in order."""
    taken = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["number"])
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def fleet(tmp_path, in_postgres):
    """A project whose store is in PostgreSQL, and a far side."""
    at, port = in_postgres.address(tmp_path / "data"), free_port()
    (tmp_path / "project.yaml").write_text(PROJECT.format(address=json.dumps(at), port=port))
    (tmp_path / "send.py").write_text(JOB)
    (tmp_path / "clock.py").write_text(CLOCK)
    (tmp_path / "credentials").mkdir(mode=0o700)
    with far_side() as (far, effects):
        (tmp_path / "credentials" / "far.yaml").write_text(f"url: http://127.0.0.1:{far}\n")
        (tmp_path / "credentials" / "far.yaml").chmod(0o600)
        fleet = Fleet(tmp_path, at, port, effects)
        try:
            yield fleet
        finally:
            fleet.away()


def test_one_takes_in_and_another_works(fleet):
    """What one process takes in, another does; both end in order, and the store has what the two did."""
    inbox, worker = fleet.begin("inbox", "--inbox"), fleet.begin("worker", "--worker")
    fleet.go()
    fleet.post(1, 2, 3)
    until(lambda: len(fleet.effects) == 3)
    until(lambda: fleet.outcomes() == ["succeeded"] * 3)
    assert [1, 2, 3] == sorted(fleet.effects)
    assert {worker.pid} == {pid for pid, _ in fleet.begun()}
    assert (0, 0) == (inbox.stop(), worker.stop())


def test_one_at_a_time_for_each_subject(fleet):
    """H18 Whatever process has them: messages about one child are done in order of arrival, never two at once."""
    fleet.begin("one")
    fleet.begin("two", "--worker")
    fleet.post(1, 2, 3, child="the same")
    until(lambda: fleet.begun())
    time.sleep(1)
    assert [1] == [number for _, number in fleet.begun()]
    fleet.go()
    until(lambda: len(fleet.effects) == 3)
    assert [1, 2, 3] == fleet.effects


def test_killed(fleet):
    """R-ID2 H16 What a killed worker was at is done by another."""
    fleet.begin("inbox", "--inbox")
    first = fleet.begin("first", "--worker")
    fleet.post(1)
    until(lambda: fleet.begun())
    fleet.begin("second", "--worker")
    first.kill()
    until(lambda: len(fleet.begun()) == 2)
    fleet.go()
    until(lambda: fleet.outcomes() == ["succeeded"])
    assert [1] == fleet.effects


def test_frozen_and_woken(fleet):
    """R-ID2 A worker that was frozen past its lease, and wakes after another has taken over, sends nothing more."""
    fleet.begin("inbox", "--inbox")
    first = fleet.begin("first", "--worker")
    fleet.post(1)
    until(lambda: fleet.begun())
    fleet.begin("second", "--worker")
    first.freeze()
    until(lambda: len(fleet.begun()) == 2)
    fleet.go()
    until(lambda: fleet.effects)
    first.wake()
    time.sleep(3)
    assert [1] == fleet.effects
    until(lambda: fleet.outcomes() == ["succeeded"])
    fleet.post(2)
    until(lambda: 2 in fleet.effects)
    assert 0 == first.stop()


def test_end_that_is_not_written(fleet):
    """H16 A worker that could not write that it has ended something doesn't keep others from what comes after it."""
    fleet.begin("both")
    fleet.post(1, child="sister")
    until(lambda: fleet.begun())
    with psycopg.connect(fleet.at, autocommit=True) as database:
        database.execute("CREATE SEQUENCE tries")
        database.execute("ALTER FUNCTION procrastinate_finish_job_v1 RENAME TO kept_aside")
        database.execute("""CREATE FUNCTION procrastinate_finish_job_v1(bigint, procrastinate_job_status, boolean)
            RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'away'; END $$""")
        fleet.go()
        until(lambda: database.execute("SELECT is_called FROM tries").fetchone() == (True,))
        database.execute("DROP FUNCTION procrastinate_finish_job_v1")
        database.execute("ALTER FUNCTION kept_aside RENAME TO procrastinate_finish_job_v1")
    fleet.post(2, child="sister")
    until(lambda: [1, 2] == fleet.effects)


def test_parts_need_a_database(tmp_path, monkeypatch, capsys):
    """One machine's service has both parts: a file can't be shared by several."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clock.py").write_text(CLOCK)
    (tmp_path / "project.yaml").write_text("name: test\njobs:\n  clock: {script: clock.py}\n")
    assert 2 == main(["serve", "--worker"])
    assert "docs/scaling.md" in capsys.readouterr().err


def test_one_machine_needs_nothing_of_it(tmp_path):
    """In a file's service neither psycopg nor procrastinate is imported, not even when the store is opened."""
    program = (
        "import sys, pathlib, runner.commands.serve, runner.work.worker; from runner.store import Store;"
        f"Store.open(pathlib.Path({str(tmp_path / 'data')!r})).close();"
        "sys.exit(bool({'psycopg', 'procrastinate'} & sys.modules.keys()))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
