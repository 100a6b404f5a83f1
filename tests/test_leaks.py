"""Nothing leaked: canaries in every message, record, error, header and page are in no output and in no file."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from canaries import traces
from flows import decision, held, intervention, outgoing, send
from hostile import ANSWERS, CANARIES, CANARY, SAID, Misnamed, SometimesHostile, credentials_for, found_in, hostile
from virtual import NOON, Clock, Service

from adaptors.exchange import Answer
from adaptors.primero.filters import filter_by
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from runner.cli import main
from runner.inbox.routing import Part
from runner.logs.log import Log, as_json
from runner.outcome import Run
from runner.store import NewMessage, NewUnit, Unit
from runner.vault import Sealed, WrappedKey

ROOT = Path(__file__).parent.parent
PROJECT = str(ROOT / "project.yaml")
NOT_SAID = {
    "interventiontype.progres_description", "individuals.progres_dateofbirth", "individuals.progres_sex",
    "progres_interventionstartdate", "progres_reasonforreferral",
}  # fmt: skip


REFERRAL = "0b6f9a52-7d83-4a51-9a5e-6f1e2d3c4b5a#0b6f9a527d83"


def laden(number="0000901"):
    """An intervention with canaries in all its texts but those that a job looks up or is told by."""
    given = intervention()
    texts = {name: SAID for name, value in given.items() if isinstance(value, str) and name not in NOT_SAID}
    known = {"individuals.progres_id": f"GAM-{number}", "progres_interventionnumber": f"GAM-26-PRTITV-{number}"}
    return {**given, **texts, **known}


MESSAGES = {
    "progres_to_primero": outgoing(laden()),
    "progres_decisions_to_primero": decision(REFERRAL, "125080000", progres_comments=SAID),
}
SCHEDULED = ("primero_decisions_to_progres", "primero_to_progres")


@pytest.fixture
def far_side(tmp_path, monkeypatch):
    """A hostile far side, and what a command needs to reach it."""
    monkeypatch.setattr(Runtime, "sleep", lambda _self, _seconds: None)
    for job, message in MESSAGES.items():
        (tmp_path / f"{job}.json").write_text(json.dumps(message))
    with hostile() as server:
        folder = credentials_for(server, tmp_path / "credentials")
        yield server, ["--project", PROJECT, "--credentials", str(folder), "--data", str(tmp_path / "data")]


def runs_of(tmp_path):
    """The words of one run of each job."""
    for job in MESSAGES:
        yield ["run", job, "--message", str(tmp_path / f"{job}.json")]
    for job in SCHEDULED:
        yield ["run", job, "--since", "2026-03-01T00:00:00Z"]


@pytest.mark.parametrize("answers", ANSWERS)
def test_what_a_far_side_says(far_side, tmp_path, capfd, answers):
    """R-LG3 H41 H42 Bodies, headers, redirects, pages and reasons of a far side are in no output and in no file."""
    server, places = far_side
    server.answers = answers
    for words in runs_of(tmp_path):
        for form in ([], ["--json"]):
            assert main([*words, *places, *form]) != 3
    for command in (
        ["status"],
        ["runs", "list"],
        ["parked"],
        ["inbox", "list"],
        ["status", "--json"],
        ["parked", "--json"],
    ):
        main([*command, *places])
    output = "".join(capfd.readouterr())
    assert output.count("\n") > 20
    assert [] == found_in(output)
    assert [] == traces(tmp_path / "data", *CANARIES)


def with_cases(clock):
    """A sandbox with cases that are to be referred, each with canaries in all its texts, and two users of that name."""
    sandbox = Sandbox(clock=clock, cases=20, seed=7)
    for case in held(sandbox, "/cases", "per=100"):
        texts = {"name_first": CANARY, "name_last": SAID, "name_other": SAID, "address_current": SAID}
        send(sandbox, "PATCH", f"/cases/{case['id']}", {**texts, "telephone_current": CANARIES[3]})
    return sandbox


@pytest.mark.parametrize("answers", ANSWERS)
def test_what_a_service_tells(tmp_path, capfd, answers):
    """R-LG1 R-LG3 H41 A whole service between hostile systems: its log, its files and its commands tell no child."""
    clock, lines = Clock(), []
    sandbox = with_cases(clock)
    log = Log(lambda _, line: lines.append(line), now=clock, form=as_json)
    transport = sandbox.transport = SometimesHostile(sandbox, answers)
    with Service(tmp_path, sandbox=sandbox, clock=clock, log=log) as service:
        for job in SCHEDULED:
            service.store.move_cursor(job, "2026-01-01T00:00:00Z")
        service.post(outgoing(laden("0000901"), laden("0000902")))
        service.post(decision(REFERRAL, "125080000", progres_comments=SAID))
        service.post({"request_type": "Other", "name": SAID})
        service.run(hours=4)
        tell_all(service, tmp_path)
    output = "".join(capfd.readouterr())
    assert transport.hostile > 5
    assert len(lines) > 20
    assert [] == found_in(output, *lines)
    assert [] == traces(tmp_path, *CANARIES)


def tell_all(service, folder):
    """Let every command that looks at something tell all of it."""
    runs = (["runs", "show", run.id] for run in service.store.runs(1000))
    looks = (["runs", "list"], ["status"], ["parked"], ["inbox", "list"], ["audit", "show"])
    for words in (*runs, *looks):
        for form in ([], ["--json"]):
            main([*words, "--project", PROJECT, "--data", str(folder), *form])


IDS = ("individuals.progres_id", "progres_interventionnumber", "progres_primeroid")


@pytest.mark.parametrize("name", [CANARY, "nyakuoth"])
@pytest.mark.parametrize("fields", [("id",), ("case_id", "unique_id", "owned_by", "user_name")], ids=len)
def test_names_in_place_of_ids(tmp_path, capfd, fields, name):
    """R-ER1 R-LG1 H41 Where both sides put names into fields that hold ids, they are in no output and in no file."""
    clock, lines = Clock(), []
    sandbox = with_cases(clock)
    transport = sandbox.transport = Misnamed(sandbox, name, *fields)
    log = Log(lambda _, line: lines.append(line), now=clock, form=as_json)
    with Service(tmp_path, sandbox=sandbox, clock=clock, log=log) as service:
        for job in SCHEDULED:
            service.store.move_cursor(job, "2026-01-01T00:00:00Z")
        for field in IDS:
            service.post(outgoing(laden("0000901"), {**laden("0000902"), field: name}))
        service.post(decision(name, "125080000"))
        service.run(hours=2)
        tell_all(service, tmp_path)
    output = "".join(capfd.readouterr())
    assert transport.given > 5
    assert output.count("\n") > 20
    assert [] == found_in(output, *lines)
    assert [] == traces(tmp_path, *CANARIES)


NOISY = '''"""Does with a message whatever must not be done with one. When one comes."""

import ctypes
import logging
import os
import resource
import sys
import threading
import warnings

from adaptors.http import get


PR_GET_DUMPABLE = 3


def fail(name):
    raise KeyError(name)


def fail_late(name):
    threading.main_thread().join()
    fail(name)


def talk(state):
    assert (0, 0) == resource.getrlimit(resource.RLIMIT_CORE)
    assert sys.platform != "linux" or 0 == ctypes.CDLL(None).prctl(PR_GET_DUMPABLE)
    name = state["data"]["name"]
    for logger in (logging.getLogger(), *map(logging.getLogger, ("httpx", "httpcore", "uvicorn.error"))):
        logger.setLevel(1)
        logger.disabled = False
        logger.addHandler(logging.StreamHandler())
        logger.critical(name)
    print(name, state)
    print(name, file=sys.stderr)
    warnings.warn(name)
    os.write(1, name.encode())
    os.write(2, name.encode())
    thread = threading.Thread(target=fail, args=(name,))
    thread.start()
    thread.join()
    threading.Timer(0.3, fail, args=(name,)).start()
    return state


def ask(state):
    try:
        return get("/children", credential="north", query={"name": state["data"]["name"]})(state)
    except Exception as error:
        logging.getLogger("httpx").exception(error)
        return state


def end(state):
    raise ValueError(state["data"]["name"])


operations = [talk, ask, end]
'''
ABOVE_DESCRIPTORS = NOISY.replace("    os.write(1, name.encode())\n    os.write(2, name.encode())\n", "").replace(
    "Timer(0.3, fail,", "Thread(target=fail_late,"
)
NOISY_PROJECT = """\
name: test
jobs:
  noisy: {script: noisy.py, trigger: posted, credentials: {north: primero}}
triggers:
  posted: {message: {type: noisy}}
inbox: {port: 0}
log: {format: json, folder: log}
"""


@pytest.fixture
def noisy(tmp_path):
    """A project whose job is as careless as can be, a hostile far side, and the most verbose settings there are."""
    (tmp_path / "noisy.py").write_text(NOISY)
    (tmp_path / "project.yaml").write_text(NOISY_PROJECT)
    message = {"type": "noisy", "name": SAID, CANARY: CANARY}
    loud = tmp_path / "loud"
    loud.mkdir()
    setting = "import logging\nlogging.basicConfig(level=1, filename='debug.log', force=True)\nlogging.debug('begun')\n"
    (loud / "sitecustomize.py").write_text(setting)
    verbose = {"PYTHONPATH": str(loud), "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "always"}
    verbose |= {"HTTPX_LOG_LEVEL": "trace", "PYTHONFAULTHANDLER": "1", "SSLKEYLOGFILE": str(tmp_path / "tls.log")}
    with hostile("json 422") as server:
        credentials_for(server, tmp_path / "credentials")
        yield tmp_path, message, {**os.environ, **verbose}


def runner(folder, environment, *words):
    """One command of a process of its own, to its end."""
    command = [sys.executable, "-m", "runner", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_service_at_its_loudest(noisy):
    """R-LG2 R-LG4 R-LG7 R-ER9 R-WH11 H48 At the most verbose settings a service writes events, and nothing else."""
    folder, message, environment = noisy
    key = runner(folder, environment, "keys", "create", "unhcr").stdout.strip()
    command = [sys.executable, "-m", "runner", "serve", "--json"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            httpx.post(f"{url}/inbox?name={CANARY}", json=message)
            httpx.post(f"{url}/inbox?name={CANARY}", json=message, headers={"x-api-key": key, "x-child": CANARY})
            assert 202 == httpx.post(f"{url}/inbox", json=message, headers={"x-api-key": key}).status_code
            lines = heard_until(process.stderr, "unit_again")
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert re.search(r"Max core file size +0 +0 ", limits)
    events = {line["event"]: line for line in map(json.loads, [*lines, *errors.splitlines()])}
    assert {"request_unauthorised", "message_refused", "message_accepted", "service_stopped"} <= events.keys()
    raised = {"type": "ValueError", "file": "noisy.py", "operation": "end"}
    assert raised == {name: events["job_raised"][name] for name in raised}
    assert ("thread", "KeyError") == (events["unforeseen"]["part"], events["unforeseen"]["type"])
    assert events["job_printed"]["lines"] >= 7
    assert ("", []) == (output, found_in(*lines, errors))
    assert [] == traces(folder, *CANARIES)
    assert (folder / "debug.log").read_text().startswith("DEBUG:root:begun")


def heard_until(stream, event):
    """The lines of a service's log up to this event."""
    lines = []
    for line in stream:
        lines.append(line)
        if json.loads(line)["event"] == event:
            return lines
    raise AssertionError(f"no {event} among {lines}")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_a_run_at_its_loudest(noisy, form):
    """R-LG2 R-ER9 H41 H48 A run by hand tells type, file, line and operation of an error, and nothing of a child."""
    folder, message, environment = noisy
    (folder / "message.json").write_text(json.dumps(message))
    (folder / "noisy.py").write_text(ABOVE_DESCRIPTORS)
    ended = runner(folder, environment, "run", "noisy", "--message", "message.json", *form)
    (folder / "message.json").unlink()
    assert 1 == ended.returncode
    assert re.search(r"operation 3 \(end\): ValueError in noisy.py, line \d+\n", ended.stderr)
    assert re.search(r"the job printed \d+ line\(s\); dropped", ended.stderr)
    assert re.search(r"went wrong: KeyError in noisy.py, line \d+\n", ended.stderr), "a thread that outlives the run"
    assert [] == found_in(ended.stdout, ended.stderr)
    assert [] == traces(folder, *CANARIES)


def test_prints_in_a_rehearsal(noisy):
    """R-LG2 `--show-prints` shows them with the credentials of a stand-in, and is refused with any other, or none."""
    folder, message, environment = noisy
    (folder / "message.json").write_text(json.dumps(message))
    (folder / "noisy.py").write_text(ABOVE_DESCRIPTORS)
    words = ["run", "noisy", "--message", "message.json", "--show-prints"]
    shown = runner(folder, environment, *words, "--json")
    assert CANARY in shown.stderr
    assert json.loads(shown.stdout)
    credential = folder / "credentials" / "primero.yaml"
    for text in ('{"url": "https://primero.example.org"}', '{"user": "integration"}'):
        credential.write_text(text)
        refused = runner(folder, environment, *words)
        assert (2, []) == (refused.returncode, found_in(refused.stdout, refused.stderr))
        assert "--show-prints is for stand-ins" in refused.stderr
    project = NOISY_PROJECT.replace(", credentials: {north: primero}", "")
    (folder / "project.yaml").write_text(project)
    assert 2 == runner(folder, environment, *words).returncode


EXITS = ("sys.exit(name)", "raise SystemExit(name)", "raise KeyboardInterrupt(name)")


@pytest.mark.parametrize("end", EXITS)
def test_ways_to_end(tmp_path, capfd, monkeypatch, end):
    """H41 However a job ends itself, the text that it gives is not shown."""
    monkeypatch.chdir(tmp_path)
    function = f'def end(state):\n    name = state["data"]["name"]\n    {end}\n'
    (tmp_path / "end.py").write_text(f'"""Ends."""\nimport sys\n\n{function}\noperations = [end]\n')
    (tmp_path / "message.json").write_text(json.dumps({"name": CANARY}))
    main(["run", "end.py", "--memory", "--message", "message.json"])
    assert [] == found_in(*capfd.readouterr())


SEALED = Sealed(WrappedKey("2026-03-01", CANARY.encode()), CANARY.encode())
HOLDING = {
    "run": Run("sort", {"data": SAID}, (), ()),
    "part": Part("sort", CANARY, {"name": SAID}),
    "answer": Answer(200, {"name": SAID}, {"x-child": CANARY}),
    "filter": filter_by("name", CANARY),
    "sealed": SEALED,
    "unit": Unit("u", "m", "sort", None, "message", 1, NOON, NOON, 1, SEALED),
    "new unit": NewUnit("u", "sort", None, SEALED),
    "new message": NewMessage("m", "unhcr", "f", 100, SEALED),
}


@pytest.mark.parametrize("name", HOLDING)
def test_no_payload_in_a_repr(name):
    """R-ER9 What holds a payload, or its envelope, or its key, doesn't show it when it is printed."""
    assert [] == found_in(repr(HOLDING[name]), str(HOLDING[name]), f"{[HOLDING[name]]}")


STORING = {"pickle", "shelve", "marshal", "copyreg", "tempfile", "subprocess", "multiprocessing"}
# What needs one: an output file that is replaced whole, a client's key on its way into OpenSSL, git and the demo, which
# are told no record.
STORES = {
    "adaptors/tls.py": {"tempfile"},
    "runner/mapping/versions.py": {"subprocess", "tempfile"},  # revisions of job scripts, which hold no data
    "runner/golive/rehearsal.py": {"subprocess"},
    "runner/scan.py": {"subprocess", "tempfile"},
    "runner/inquiry.py": {"subprocess"},  # a key command, which is given the name of a key
    "runner/statefile.py": {"tempfile"},
    "runner/commands/rehearse.py": {"tempfile"},  # synthetic children only
    "runner/template/country.py": {"tempfile"},  # a new folder, complete or not at all
    "runner/commands/demo/__init__.py": {"tempfile"},
    "runner/commands/demo/process.py": {"subprocess"},
    "runner/commands/demo/service.py": {"subprocess"},
    "runner/provenance.py": {"subprocess"},
}


def test_no_payload_beside_the_store():
    """R-ER9 No module pickles, writes temporary files or starts processes, to which a payload might be given."""
    using = {}
    for path in [*ROOT.glob("runner/**/*.py"), *ROOT.glob("adaptors/**/*.py"), *ROOT.glob("jobs/*.py")]:
        name = str(path.relative_to(ROOT))
        if name.startswith(("adaptors/sandbox/", "runner/commands/demo")):
            continue  # they know invented people only
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            using.setdefault(name, set()).update(STORING.intersection(names))
    assert {} == {name: used for name, used in using.items() if used - STORES.get(name, set())}
