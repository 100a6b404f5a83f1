"""The demo, and the command line against stand-ins that really listen."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from flows import intervention, outgoing

from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.listening import ListeningSandbox
from runner.commands.demo import unforetold
from runner.commands.demo.evidence import look
from runner.commands.demo.played import Played
from runner.commands.demo.process import process
from runner.errors import RunnerError
from runner.golive import rehearsal

ROOT = Path(__file__).parent.parent
LONG = 300  # seconds; the demo waits for a full minute
SIZES = re.compile(r"[\d,]+ files, [\d,]+ bytes")


def runner(*arguments):
    """The command, as a user gives it in the project's folder."""
    command = [sys.executable, "-m", "runner", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)


@pytest.fixture
def listening(tmp_path):
    """Both stand-ins on TLS ports, and a folder of credentials for them."""
    sandbox = Sandbox(cases=20, seed=7, thumbprint_header=THUMBPRINT_HEADER)
    with ListeningSandbox(sandbox) as ports:
        ports.write_credentials(tmp_path / "credentials")
        yield sandbox


def test_the_demo_plays_all_four_exchanges():
    """R-ER1 R-ER2 `runner demo` ends with 0 when all came as the story foretells, by message and by schedule, and no
    byte of a child is found in what the service wrote, while messages wait or afterwards, though the search works."""
    done = runner("demo", "--json")
    told = json.loads(done.stdout)

    assert [0, ""] == [done.returncode, done.stderr]
    assert ["message", "schedule", "schedule", "message"] == [step["started_by"] for step in told["steps"]]
    assert [step["expected"] for step in told["steps"]] == [step["outcomes"] for step in told["steps"]]
    assert {"arrived", "refused", "not sent"} == {row["outcome"] for row in told["table"]}
    assert ["primero_to_progres: 1 parked records (no_service)"] == told["needs_a_look"]
    assert [0, 0] == [search["bytes_found"] for search in told["searches"]]
    assert [3, 12] == [search["children"] for search in told["searches"]]
    assert all(search["files"] > 5 and search["bytes_searched"] > 100_000 for search in told["searches"])
    assert told["control"]["texts"] == told["control"]["texts_found"] == told["searches"][-1]["texts"]
    assert rehearsal.result_of(told).passed  # as the go-live checklist reads it


def test_the_readme_shows_what_the_demo_prints():
    """The output in the README is the real one; so is what it says of the search, apart from the sizes."""
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = readme[readme.index("```text") + 8 :].partition("```")[0]
    printed = runner("demo").stdout

    table, _, found = shown.partition("\nSearched")
    assert table in printed
    assert SIZES.sub("N files, N bytes", found) in SIZES.sub("N files, N bytes", printed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path, number):
    """A demo that is told to end, or interrupted, ends its processes and erases its folder; the exit code is 5."""
    command = [sys.executable, "-m", "runner", "demo"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert "listen on this machine" in demo.stdout.readline()
        port = int(re.search(r"127\.0\.0\.1:(\d+)", demo.stdout.readline())[1])
        socket.create_connection(("127.0.0.1", port)).close()
        demo.send_signal(number)
        assert 5 == demo.wait(LONG)

    assert [] == list(tmp_path.iterdir())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_what_does_not_start_is_told(tmp_path):
    """A process that ends before it is ready is told by its last line, and one that never is ready is killed."""
    command = [sys.executable, "-c", "import sys; sys.exit('no such sandbox')"]
    with (
        pytest.raises(RunnerError, match="no such sandbox"),
        process(command, says=tmp_path / "says.txt", temporary=tmp_path),
    ):
        pytest.fail("it started")


def played(expected, *outcomes):
    """A step of which these outcomes came."""
    step = {"exchange": "1a", "says": "…", "job": "sort", "expected": expected}
    items = [{"outcome": outcome, "message": None} for outcome in outcomes]
    return Played(step, [{"unit": None, "started": "2026-03-01T00:00:00Z"}], items)


def test_what_was_not_foretold(tmp_path):
    """R-ER1 Whatever is other than foretold is told: outcomes, what needs a look, how the service ended, a child
    that is found, and one that the search misses where it is."""
    children = {"first": ["Mockomot"]}
    nothing = look("before", [], children)
    (tmp_path / "log.txt").write_bytes("Mockomot".encode("utf-16-le"))
    leak = look("after the end", [tmp_path], children)
    fine, other = played({"done": 1, "parked": 1}, "done", "parked"), played({"done": 1}, "done", "refused")

    assert [] == list(unforetold([fine], ["primero_to_progres: 1 parked records (no_service)"], 0, [nothing], leak))
    assert ["sort: {'done': 1, 'refused': 1}"] == list(unforetold([other], [], 0, [nothing], leak))
    assert ["parked records: 2"] == list(unforetold([fine], ["parked records: 2"], 0, [nothing], leak))
    assert ["the service ended with -9"] == list(unforetold([], [], -9, [nothing], leak))
    assert ["16 bytes of children were found after the end"] == list(unforetold([], [], 0, [nothing, leak], leak))
    assert ["the search misses what is there"] == list(unforetold([], [], 0, [nothing], nothing))
    assert ["log.txt: UTF-16, little end first"] == leak.document["places"]
    assert "Mockomot" not in str(leak.document)


def test_a_run_over_real_tls(listening, tmp_path):
    """A message goes all the way: TLS with a private authority, client certificate, thumbprint, ledger on disk."""
    message = tmp_path / "message.json"
    message.write_text(json.dumps(outgoing(intervention())), "utf-8")
    places = ("--credentials", tmp_path / "credentials", "--data", tmp_path / "data")

    first = runner("run", "progres_to_primero", "--message", message, *places, "--json")
    again = runner("run", "progres_to_primero", "--message", message, *places, "--json")

    assert [0, 0] == [first.returncode, again.returncode], first.stderr + again.stderr
    assert [["done"], ["unchanged"]] == [
        [item["outcome"] for item in json.loads(run.stdout)["items"]] for run in (first, again)
    ]
    assert ["Pending Acknowledgement"] * 2 == [post.body["status"] for post in listening.dtp.received]


def test_a_dry_run_sends_nothing(listening, tmp_path):
    """--dry-run reads, shows the names of the fields that would be sent, and sends nothing."""
    places = ("--credentials", tmp_path / "credentials", "--data", tmp_path / "data")

    run = runner("run", "primero_to_progres", "--since", "2000-01-01T00:00:00Z", "--dry-run", *places)

    assert "would send to progres: send referral (address_current, " in run.stdout
    assert [] == listening.dtp.received
    assert "Mockomot" not in run.stdout + run.stderr


def test_the_cursor_moves_from_run_to_run(listening, tmp_path):
    """--move-cursor remembers how far was read; the next run needs no --since and sends nothing again."""
    places = ("--credentials", tmp_path / "credentials", "--data", tmp_path / "data", "--move-cursor")

    first = runner("run", "primero_to_progres", "--since", "2000-01-01T00:00:00Z", *places)
    sent = len(listening.dtp.received)
    second = runner("run", "primero_to_progres", *places)

    assert [4, 4] == [first.returncode, second.returncode], first.stderr + second.stderr
    assert [6, 6] == [sent, len(listening.dtp.received)]


def test_a_job_without_a_cursor_says_what_to_do(listening, tmp_path):
    """H6: without a cursor the run ends with 1 and names --since."""
    places = ("--credentials", tmp_path / "credentials", "--data", tmp_path / "data")

    run = runner("run", "primero_to_progres", *places)

    assert 1 == run.returncode
    assert "--since" in run.stderr


def test_a_wrong_password_is_tried_once(listening, tmp_path):
    """After a 401 nothing more is asked: Primero locks an account at the sixth wrong password."""
    credential = tmp_path / "credentials" / "primero.yaml"
    credential.write_text(credential.read_text().replace("sandbox-only", "wrong"))
    message = tmp_path / "message.json"
    message.write_text(json.dumps(outgoing(*(intervention(progres_interventionnumber=f"N-{n}") for n in range(9)))))

    run = runner(
        "run", "progres_to_primero", "--message", message, "--credentials", tmp_path / "credentials", "--memory"
    )

    assert 1 == run.returncode
    assert "401" in run.stderr
    credential.write_text(credential.read_text().replace("wrong", "sandbox-only"))
    after = runner(
        "run", "progres_to_primero", "--message", message, "--credentials", tmp_path / "credentials", "--memory"
    )
    assert 0 == after.returncode, after.stderr


def test_without_a_data_directory_a_run_still_remembers(listening, tmp_path):
    """H21: --memory remembers for the time of the run: one intervention twice in a message is one service."""
    message = tmp_path / "message.json"
    message.write_text(json.dumps(outgoing(intervention(), intervention())), "utf-8")

    run = runner(
        "run", "progres_to_primero", "--message", message, "--credentials", tmp_path / "credentials", "--memory"
    )

    assert 0 == run.returncode, run.stderr
    (case,) = [
        case for case in listening.primero.cases.values() if case.data.get("unhcr_individual_no") == "GAM-00000901"
    ]
    assert 1 == len(case.data["services_section"])
