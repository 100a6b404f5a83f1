"""`runner audit`, and what the commands and the inbox write into it."""

import csv
import io
import json
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from inboxes import Inbox

from runner.cli import main
from runner.keyfolder import KeyFolder
from runner.store import FILE, Store
from runner.vault import Vault
from runner.work import checkpoints
from runner.work.housekeeping import Housekeeping
from tests.kept import DAY, NOON
from tests.test_commands import document
from tests.test_serve import JOB, runner, serving

WHOLE = """\
name: test
jobs:
  whole: {script: whole.py, trigger: posted}
triggers:
  posted: {message: {type: whole}}
inbox: {port: 0}
"""
PROJECT = """\
name: test
jobs:
  sort: {script: sort.py}
  read: {script: sort.py, trigger: hourly}
triggers:
  hourly: {cron: "0 * * * *"}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, in which the commands are given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    return tmp_path


def events(folder):
    with Store.open(folder / "data") as store:
        return [(line.event, dict(line.about)) for line in store.audit_log()]


def tampered(folder, statement):
    with closing(sqlite3.connect(folder / "data" / FILE)) as db:
        db.execute("DROP TRIGGER audit_stays")
        db.execute(statement)
        db.commit()


def test_show(folder, capsys):
    """R-AU3 `audit show` shows who did what, all or some of it; as a table for a spreadsheet, which is an entry too."""
    main(["keys", "create", "unhcr"])
    main(["cursor", "set", "read", "2026-03-01T00:00:00Z"])
    found, code = document(capsys, "audit", "show")
    assert (0, ["key_created", "cursor_set"]) == (code, [entry["event"] for entry in found["entries"]])
    found, _ = document(capsys, "audit", "show", "--event", "cursor_set")
    assert [{"job": "read", "after": "2026-03-01T00:00:00Z"}] == [entry["about"] for entry in found["entries"]]
    assert {"entries": []} == document(capsys, "audit", "show", "--since", "2999-01-01T00:00:00Z")[0]
    assert 0 == main(["audit", "show", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert ["key_created", "cursor_set"] == [row["event"] for row in rows]
    assert "read" == json.loads(rows[1]["about"])["job"]
    assert ("log_exported", {"count": 2}) == events(folder)[-1]
    assert 0 == main(["audit", "show"])
    assert "label=unhcr" in capsys.readouterr().out


def test_verify(folder, capsys):
    """R-AU1 `audit verify` exits with 0 while the log is as it was written, with 4 when it isn't, and says where."""
    main(["keys", "create", "unhcr"])
    main(["keys", "create", "other"])
    found, code = document(capsys, "audit", "verify")
    assert (0, 2, []) == (code, found["entries"], found["faults"])
    tampered(folder, "UPDATE audit SET who = 'somebody' WHERE number = 1")
    assert 4 == main(["audit", "verify"])
    told = capsys.readouterr().out
    assert "! entry 1 is not as it was written" in told
    assert "! what keeps the log from being changed was taken away" in told


def test_checkpoint(folder, capsys):
    """R-AU2 A checkpoint is signed, and others can check it by its public key alone; `verify` compares the log."""
    main(["keys", "create", "unhcr"])
    (folder / "elsewhere").mkdir()
    made, code = document(capsys, "audit", "checkpoint", "elsewhere")
    assert (0, "elsewhere/checkpoint-00000001.json") == (code, made["file"])
    signed = json.dumps({name: made[name] for name in ("hash", "number", "time")}, separators=(",", ":"))
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(made["public_key"])).verify(
        bytes.fromhex(made["signature"]), signed.encode()
    )
    found, code = document(capsys, "audit", "verify", "--checkpoint", made["file"])
    assert (0, made["public_key"]) == (code, found["public_key"])
    assert 2 == main(["audit", "checkpoint", made["file"]])
    with Store.open(folder / "data") as store:
        printed = json.loads((folder / made["file"]).read_text())
        printed["number"] = 2
        assert ["the checkpoint wasn't signed by this store"] == list(checkpoints.faults(store, printed))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"number": "1", "hash": "", "time": "", "public_key": ""}'])
def test_no_checkpoint(folder, capsys, text):
    """What is no checkpoint is told, with 2."""
    (folder / "wrong").write_text(text)
    assert 2 == main(["audit", "verify", "--checkpoint", "wrong"])
    assert "is no checkpoint" in capsys.readouterr().err


def test_checkpoints_by_themselves(tmp_path):
    """R-AU2 The service puts a checkpoint into the folder that the project file names, each day; where the folder isn't
    there, it makes none, and goes on."""
    time, folder = NOON, tmp_path / "elsewhere"
    with Store.open(tmp_path / "data") as store:
        vault = Vault(KeyFolder(tmp_path / "data" / "keys"), now=lambda: time)
        keeping = Housekeeping(store, vault, now=lambda: time, sign_into=folder)
        while keeping.step():
            pass
        assert not folder.exists()
        folder.mkdir()
        for day in (1, 2):
            time = NOON + day * DAY
            assert keeping.next_due() <= time
            while keeping.step():
                pass
        made = sorted(folder.iterdir())
        assert 2 == len(made)
        assert [] == [fault for path in made for fault in checkpoints.faults(store, checkpoints.read(path))]


def test_run_by_hand(folder):
    """R-AU3 A run by hand is an entry before it begins, with what it was made of; a state written out is another."""
    assert 0 == main(["run", "sort", "-o", "out.json"])
    assert 0 == main(["run", "sort", "--dry-run"])
    first, exported, dry = events(folder)
    assert ("run_by_hand", "sort", 64) == (first[0], first[1]["job"], len(first[1]["configuration"]))
    assert ("state_exported", {"job": "sort"}) == exported
    assert "dry_run" == dry[1]["code"]


def test_cursor_of_a_run_by_hand(folder):
    """R-AU3 A run by hand that moves the cursor is told as a cursor change."""
    read = 'def read(state):\n    return {**state, "cursor": "2026-03-02T00:00:00Z"}\n'
    (folder / "sort.py").write_text(f'"""Sorts."""\n\n\n{read}\n\noperations = [read]\n')
    assert 0 == main(["run", "read", "--move-cursor"])
    assert ("cursor_set", {"job": "read", "after": "2026-03-02T00:00:00Z"}) == events(folder)[-1]


def test_a_service(tmp_path):
    """R-AU3 R-AU5 Start and stop of a service are entries with what it is made of, the receipts lie between; each run
    bears the same; the second start tells which settings changed."""
    (tmp_path / "whole.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(WHOLE)
    key = runner(tmp_path, "keys", "create", "unhcr").stdout.strip()
    for settings in (WHOLE, WHOLE + "retry: {hours: 48}\n"):
        (tmp_path / "project.yaml").write_text(settings)
        with serving(tmp_path) as (process, url):
            answer = httpx.post(f"{url}/inbox", json={"type": "whole", "n": settings}, headers={"x-api-key": key})
            assert 202 == answer.status_code
            waited_for(tmp_path, answer.json()["id"])
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(30)
    with Store.open(tmp_path / "data") as store:
        log, runs = store.audit_log(), store.runs()
        assert [] == store.audit_faults()
    told = [line.event for line in log]
    assert ["key_created", "service_started"] == told[:2]
    assert (2, 2, "service_stopped") == (told.count("service_stopped"), told.count("payload_erased"), told[-1])
    (changed,) = (line.about for line in log if line.event == "setting_changed")
    assert {"setting": "project.retry.hours", "after": "48"} == changed
    started = [line.about["configuration"] for line in log if line.event == "service_started"]
    assert 2 == len(set(started))
    assert started == [run.configuration for run in reversed(runs)]
    assert {"service"} == {line.who for line in log[1:]}


def waited_for(folder, message):
    """Wait until a message has succeeded."""
    with Store.open(folder / "data") as store:
        end = time.monotonic() + 30
        while store.message(message).status != "succeeded":
            assert time.monotonic() < end
            time.sleep(0.05)


def failed(store):
    return [line.about["count"] for line in store.audit_log(event="authentication_failed")]


def test_failed_authentication(tmp_path):
    """R-AU3 Failed authentication is an entry with a count, once a minute at most, however many there are."""
    with Inbox(tmp_path) as inbox:
        for _ in range(5):
            assert 401 == inbox.post({"type": "whole"}, key="wrong").status_code
        assert [1] == failed(inbox.store)
        inbox.time += timedelta(minutes=1)
        assert 401 == inbox.post({}, key="", path="/elsewhere").status_code
        assert [1, 5] == failed(inbox.store)
        assert 202 == inbox.post({"type": "whole"}).status_code
        assert [1, 5] == failed(inbox.store)


def test_use_of_a_key(tmp_path):
    """R-AU3 That a key was used is an entry by label, once a day; a message is none."""
    with Inbox(tmp_path) as inbox:
        for hours in (0, 1, 24):
            inbox.time += timedelta(hours=hours)
            assert 202 == inbox.post({"type": "whole", "hours": hours}).status_code
        told = [line.about["label"] for line in inbox.store.audit_log(event="key_used")]
        assert (["unhcr"] * 2, 3) == (told, len(inbox.store.audit_log()))
