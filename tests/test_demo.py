"""The demo, and the command line against stand-ins that really listen."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flows import intervention, outgoing

from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.listening import ListeningSandbox

ROOT = Path(__file__).parent.parent


def runner(*arguments):
    """The command, as a user gives it in the project's folder."""
    command = [sys.executable, "-m", "runner", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def listening(tmp_path):
    """Both stand-ins on TLS ports, and a folder of credentials for them."""
    sandbox = Sandbox(cases=20, seed=7, thumbprint_header=THUMBPRINT_HEADER)
    with ListeningSandbox(sandbox) as ports:
        ports.write_credentials(tmp_path / "credentials")
        yield sandbox


def test_the_demo_plays_all_four_exchanges():
    """`runner demo` ends with 0 when all came as the story foretells, and tells who holds what."""
    done = runner("demo", "--json")
    told = json.loads(done.stdout)

    assert [0, ""] == [done.returncode, done.stderr]
    assert 4 == len({run["job"] for run in told["runs"]})
    assert {"arrived", "refused", "not sent"} == {row["outcome"] for row in told["table"]}


def test_the_readme_shows_what_the_demo_prints():
    """The output in the README is the real one."""
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = readme[readme.index("```text") + 8 :].partition("```")[0]

    assert shown in runner("demo").stdout


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
