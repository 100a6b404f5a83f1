"""`runner alerts list|test`, and the service that tells people, as processes and over real TLS."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
import trustme
from mailserver import MailServer

from runner import keys
from runner.cli import main
from runner.store import Store
from tests.test_alerts_mail import context_of
from tests.test_commands import document

PROJECT = """\
name: test
jobs:
  whole: {script: whole.py, trigger: posted}
triggers:
  posted: {message: {type: whole}}
inbox: {port: 0}
metrics: {port: 0}
alerts:
  recipients:
    office: {mail: mail, at_once: warning}
    other: {mail: away, at_once: error}
"""
CREDENTIAL = """\
host: localhost
port: %d
sender: bridge@example.org
recipients: office@example.org
ca_file: ca.pem
"""
CANARY = "Nyaruot Beispiel"


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def folder(tmp_path, authority, monkeypatch):
    """A project folder with somebody to tell; of the two credentials one leads nowhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whole.py").write_text('"""Nothing."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    (tmp_path / "credentials").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "credentials" / "ca.pem")
    return tmp_path


def credential(folder, name, port):
    path = folder / "credentials" / f"{name}.yaml"
    path.write_text(CREDENTIAL % port)
    path.chmod(0o600)
    (folder / "credentials" / "ca.pem").chmod(0o600)


def test_list(folder, capsys):
    """What is on now is listed as the status tells it, with 4; with nothing on, 0."""
    found, code = document(capsys, "alerts", "list")
    assert (0, {"conditions": [], "console": ""}) == (code, found)
    with Store.open(folder / "data") as store:
        store.note_sign("audit_broken", now=store.now())
    found, code = document(capsys, "alerts", "list")
    status, _ = document(capsys, "status")
    assert (4, status["conditions"]) == (code, found["conditions"])
    assert "docs/runbook.md#audit_broken" == found["conditions"][0]["runbook"]
    assert 4 == main(["alerts", "list"])
    assert "error   the audit log is not as it was written" in capsys.readouterr().out


def test_test(folder, authority, capsys):
    """One letter goes to each recipient, and what came back is said; who can't be told is, with what to do, and 4."""
    with MailServer(context_of(authority)) as server:
        credential(folder, "mail", server.port)
        assert 0 == main(["alerts", "test", "office"])
        assert "office: delivered by mail, the far side answered 250" in capsys.readouterr().out
        found, code = document(capsys, "alerts", "test")
    assert (4, [True, False]) == (code, [row["delivered"] for row in found["recipients"]])
    assert "there is no credential away" in found["recipients"][1]["message"]
    assert 2 == len(server.letters)
    assert b"Subject: test: a test" in server.letters[0]
    assert 4 == main(["alerts", "test", "office"])
    assert "! office: it can't be reached (unreachable)" in capsys.readouterr().out


def test_nobody_to_tell(folder, capsys):
    """Where there is no recipient, or none of that name, the command says so."""
    assert 2 == main(["alerts", "test", "nobody"])
    (folder / "project.yaml").write_text(PROJECT.partition("alerts:")[0])
    assert 2 == main(["alerts", "test"])
    assert "recipients, in the table alerts" in capsys.readouterr().err


def serving(folder):
    """The service as a process, and the address of its inbox."""
    command = [sys.executable, "-m", "runner", "serve", "--json", "--log-format", "json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline() or "{}").get("url")


def test_no_start_with_a_credential_that_will_not_do(folder):
    """A recipient whose credential is missing is told before the service begins."""
    with Store.open(folder / "data") as store:
        keys.create(store, "unhcr", now=store.now())
    credential(folder, "mail", 25)
    process, _ = serving(folder)
    assert "there is no credential away" in process.communicate(timeout=60)[1]
    assert 3 == process.returncode


def test_the_service_tells(folder, authority):
    """R-LG8 What needs a look comes to the office as a letter over TLS, without a word of what was posted or the name
    of the machine, and the service stops at once although the other recipient can't be reached."""
    with Store.open(folder / "data") as store:
        key = keys.create(store, "unhcr", now=store.now())
    with MailServer(context_of(authority)) as server:
        credential(folder, "mail", server.port)
        credential(folder, "away", 1)
        with Store.open(folder / "data") as store:
            store.note_sign("clock_jumped", now=store.now())
        process, url = serving(folder)
        try:
            httpx.post(f"{url}/inbox", json={"type": "lost", "name": CANARY}, headers={"x-api-key": key})
            assert {"status": "ok"} == httpx.get(f"{url}/readyz").json()
            for _ in range(300):
                if server.letters:
                    break
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=30)
        finally:
            process.kill()
    assert 0 == process.returncode
    letter = server.letters[0].decode()
    assert "clock_jumped" in letter
    assert CANARY not in letter
    assert "alert_sent" in {json.loads(line)["event"] for line in told.splitlines()}
    assert os.environ.get("HOSTNAME", "no name") not in letter
