"""`runner serve`, as a process: what it needs to start, that it is alone, and how it ends."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from runner.console import totp
from runner.store import Store

JOB = '"""Keeps nothing. When a message comes."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'
PROJECT = """\
name: test
jobs:
  whole: {script: whole.py, trigger: posted}
triggers:
  posted: {message: {type: whole}}
inbox: {port: 0}
"""


@pytest.fixture
def folder(tmp_path):
    """A project folder."""
    (tmp_path / "whole.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(PROJECT)
    return tmp_path


def runner(folder, *words):
    """One command, to its end."""
    command = [sys.executable, "-m", "runner", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def serving(folder):
    """The service, and its address; it is killed when the block hasn't ended it."""
    command = [sys.executable, "-m", "runner", "serve", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def test_a_service_and_its_end(folder):
    """It takes a message, is alone on its data, writes what others can't read, and stops on SIGTERM with 0."""
    key = runner(folder, "keys", "create", "unhcr").stdout.strip()
    with serving(folder) as (process, url):
        assert {"status": "ok"} == httpx.get(f"{url}/healthz").json()
        answer = httpx.post(f"{url}/inbox", json={"type": "whole"}, headers={"x-api-key": key})
        assert (202, 1) == (answer.status_code, answer.json()["matched"])
        second = runner(folder, "serve")
        assert 2 == second.returncode
        assert "another service holds" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert (0, "") == (process.wait(30), process.stdout.read())
        events = [line.split()[2] for line in process.stderr.read().splitlines()]
        assert ["service_started", "message_accepted", "service_stopped"] == [events[0], events[1], events[-1]]
    assert [] == [path.name for path in (folder / "data").rglob("*") if path.stat().st_mode & 0o077]


def test_console(folder):
    """With `--console` administrators sign in beside the inbox; without an account it doesn't start, and it ends with
    the service."""
    (folder / "project.yaml").write_text(f"{PROJECT}console: {{port: 0}}\n")
    runner(folder, "keys", "create", "unhcr")
    refused = runner(folder, "serve", "--console")
    assert (3, True) == (refused.returncode, "runner console add-user" in refused.stderr)
    made = json.loads(runner(folder, "console", "add-user", "amal", "--role", "viewer", "--json").stdout)
    secret = base64.b32decode(parse_qs(urlsplit(made["authenticator"]).query)["secret"][0])
    command = [sys.executable, "-m", "runner", "serve", "--json", "--console"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = json.loads(process.stdout.readline())["console"]
            code = totp.code(secret, totp.step_of(datetime.now(UTC)))
            with httpx.Client(base_url=url, headers={"origin": url}) as browser:
                entered = browser.post("/enter", data={"name": "amal", "password": made["password"], "code": code})
                assert (303, 200) == (entered.status_code, browser.get("/").status_code)
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(30)
            assert made["password"] not in process.stderr.read()
        finally:
            process.kill()


def settled(folder, ids):
    """Whether all these messages have succeeded."""
    with Store.open(folder / "data") as store:
        return {"succeeded"} == {store.message(message_id).status for message_id in ids}


def test_what_was_answered_survives_a_kill(folder):
    """R-WH1 H16: what was answered 202 just before kill -9 is done by the next service, without a hand."""
    key = runner(folder, "keys", "create", "unhcr").stdout.strip()
    with serving(folder) as (process, url), httpx.Client(base_url=url, headers={"x-api-key": key}) as client:
        ids = [client.post("/inbox", json={"type": "whole", "number": number}).json()["id"] for number in range(30)]
        process.kill()
    with serving(folder) as (process, _url):
        for _ in range(300):
            if settled(folder, ids):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(30)
    assert settled(folder, ids)


@pytest.mark.parametrize("other", [None, bytes(32)], ids=["gone", "another"])
def test_no_start_without_the_keys_of_what_waits(folder, other):
    """R-RT4: with an epoch's key gone, or another in its place, the service says so, and touches nothing."""
    key = runner(folder, "keys", "create", "unhcr").stdout.strip()
    with serving(folder) as (process, url):
        answer = httpx.post(f"{url}/inbox", json={"type": "for nobody"}, headers={"x-api-key": key})
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    (epoch,) = (folder / "data" / "keys").glob("2*.key")
    epoch.unlink()
    if other:
        epoch.write_bytes(other)
        epoch.chmod(0o400)
    with Store.open(folder / "data") as store:
        before = store.envelope(answer.json()["id"])
        ended = runner(folder, "serve")
        assert (3, before) == (ended.returncode, store.envelope(answer.json()["id"]))
    assert before
    assert f"the epoch key {epoch.stem}" in ended.stderr
    assert other == (epoch.read_bytes() if epoch.exists() else None)


def test_no_start_without_a_key(folder):
    """R-WH3: without any key, or with none that still opens, the service doesn't start, and says how to make one."""
    ended = runner(folder, "serve")
    assert 3 == ended.returncode
    assert "runner keys create" in ended.stderr
    runner(folder, "keys", "create", "unhcr")
    runner(folder, "keys", "revoke", "unhcr")
    assert 3 == runner(folder, "serve").returncode


def test_no_start_in_the_open(folder):
    """Plain HTTP for others than this machine stops the service before anybody can connect."""
    runner(folder, "keys", "create", "unhcr")
    (folder / "project.yaml").write_text(PROJECT.replace("port: 0", 'port: 0, address: "0.0.0.0"'))
    ended = runner(folder, "serve")
    assert 3 == ended.returncode
    assert "plain HTTP" in ended.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_data(folder):
    """R-WH2: on a data directory that can't be written the service refuses to start."""
    (folder / "data").mkdir(mode=0o500)
    ended = runner(folder, "serve")
    assert 2 == ended.returncode
    assert "can't be used" in ended.stderr
