"""R-LP5: the unit of systemd and the container file leave the service no more than it needs."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from pages import DOCS, blocks

from runner.cli import parser
from runner.store import Store

DEPLOY = DOCS / "deploy"
UNIT, CONTAINER = DEPLOY / "runner.service", DEPLOY / "Containerfile"
ANALYZE = shutil.which("systemd-analyze")
WORST = "20"  # tenths of systemd's scale from 0 to 10; 1.2 is what it gives today


def settings():
    """The settings of the unit, each with its values in order."""
    found = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if name := re.match(r"(\w+)=", line):
            found.setdefault(name[1], []).append(line[name.end() :])
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User", "bridge"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "true"),
        ("StateDirectory", "bridge"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("NoNewPrivileges", "true"),
        ("CapabilityBoundingSet", ""),
        ("PrivateTmp", "true"),
        ("PrivateDevices", "true"),
        ("LimitCORE", "0"),
        ("MemorySwapMax", "0"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ],
)
def test_confinement(name, value):
    """R-LP5: unprivileged, code that can't be changed, one private directory, no new rights, no core dump, no swap."""
    assert [value] == settings()[name]


def test_one_writable_directory():
    """R-LP5: nothing but the state directory is made writable, and memory is limited."""
    found = settings()
    assert not {"ReadWritePaths", "CacheDirectory", "LogsDirectory", "RuntimeDirectory", "BindPaths"} & set(found)
    assert re.fullmatch(r"\d+M", found["MemoryMax"][0])


def test_no_secret_in_a_process_listing():
    """R-ER9: neither arguments nor environment of the unit hold a secret; secrets come from files."""
    found = settings()
    assert ["PYTHONDONTWRITEBYTECODE=1"] == found["Environment"]
    assert not {"EnvironmentFile", "PassEnvironment"} & set(found)


def test_a_wrong_configuration_is_not_tried_again():
    """R-LP5: what a person must mend isn't started again and again; what crashed, or lacks its store, is."""
    found = settings()
    assert (["on-failure"], ["3"]) == (found["Restart"], found["RestartPreventExitStatus"])


def test_the_units_command():
    """The unit starts the service by a command that there is, on the directory that it may write."""
    program, *words = shlex.split(settings()["ExecStart"][0])
    parsed = parser().parse_args(words)
    assert ("serve", "/var/lib/bridge") == (parsed.command, parsed.data)
    assert program.endswith("/.venv/bin/runner")


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that there is on this machine, as verification asks for one."""
    copy = tmp_path / "bridge.service"
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8")))
    return str(copy)


def analyze(*words):
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze isn't there")
def test_systemd_understands_it(unit):
    """R-LP5: systemd finds nothing to complain about in the unit."""
    verified = analyze("verify", "--man=no", unit)
    assert (0, "") == (verified.returncode, verified.stderr)


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze isn't there")
def test_systemd_finds_it_safe(unit):
    """R-LP5: by systemd's own measure the service is exposed to little."""
    measured = analyze("security", "--offline=true", "--no-pager", f"--threshold={WORST}", unit)
    if "unrecognized option" in measured.stderr:
        pytest.skip("this systemd-analyze can't measure a file")
    assert 0 == measured.returncode, measured.stdout[-200:]


@pytest.fixture
def machine(tmp_path):
    """A machine as deployment.md sets it up, in a folder and without other users; runs a script of the docs."""
    for place in ("opt/bridge/.venv/bin", "etc/bridge/credentials", "var/lib", "usr/local/bin"):
        (tmp_path / place).mkdir(mode=0o700, parents=True)
    program = tmp_path / "opt/bridge/.venv/bin/runner"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    (tmp_path / "opt/bridge/project.yaml").write_text("name: test\njobs: {}\n")
    (wrapper,) = (block for block in blocks(DOCS / "deployment.md", "text") if block.startswith("#!/bin/sh"))
    (tmp_path / "usr/local/bin/runner").write_text(here(wrapper, tmp_path))
    for path in (program, tmp_path / "usr/local/bin/runner"):
        path.chmod(0o755)
    search = f"{tmp_path}/usr/local/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": search, "PYTHONPATH": str(DOCS.parent)}

    def run(script):
        words = ["sh", "-e", "-c", here(script, tmp_path)]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def here(script, folder):
    """A script of the docs for this user, with the machine's folders in a folder."""
    script = re.sub(r"sudo( -u bridge)? |--owner bridge --group bridge ", "", script)
    return re.sub(r"(?<![\w.])/(?=opt|etc|var|usr)", f"{folder}/", script)


@pytest.mark.parametrize(("page", "first"), [("keeping.md", "backup"), ("incident.md", "inbox list --status pending")])
def test_backup_and_restore_as_documented(machine, tmp_path, page, first):
    """R-ER6: on a machine that was set up as documented, the documented commands make a backup and restore it."""
    with Store.open(tmp_path / "var/lib/bridge") as store:
        store.ledger().write("answer", "INT-1", {"status": "done", "value": "", "answer": {}})
    (script,) = (block for block in blocks(DOCS / page, "sh") if f"runner {first}" in block and " restore " in block)
    played = machine(script)
    assert (0, "") == (played.returncode, played.stderr)
    assert "1 rows of the ledger" in played.stdout
    with Store.open(tmp_path / "var/lib/bridge-new") as store:
        assert "done" == store.ledger().read("answer", "INT-1")["status"]


def instructions():
    """The container file's instructions, each with the rest of its line."""
    text = CONTAINER.read_text("utf-8").replace("\\\n", "")
    return [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_container():
    """R-LP5: the container runs unprivileged, with hashes checked, one volume, and by a command that there is."""
    found = instructions()
    last = dict(found)
    assert ("10001:10001", "/var/lib/bridge") == (last["USER"], last["VOLUME"])
    assert any("--require-hashes" in rest for word, rest in found if word == "RUN")
    parsed = parser().parse_args(json.loads(last["CMD"]))
    assert ("serve", "/var/lib/bridge") == (parsed.command, parsed.data)


def test_the_container_holds_no_secret():
    """R-RT5: neither credentials nor data get into the container's layers, and nothing comes from an address."""
    copied = [rest for word, rest in instructions() if word in ("COPY", "ADD")]
    assert not [rest for rest in copied if re.search(r"credentials|data|^\. |https?:", rest)]
    assert not re.search(r"(?i)password|secret|token|index-url|https?://", CONTAINER.read_text("utf-8"))
