"""Several countries in one repository: each command takes a country's project file, and none shares by accident."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from argparse import _SubParsersAction
from contextlib import ExitStack, contextmanager

import pytest
from invented import ROOT, country

from runner.cli import main, parser

COUNTRIES = ("nirgendwo", "anderswo")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """This repository's project, and two countries in it."""
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in ("project.yaml", "snapshot.json", "scan.yaml", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in COUNTRIES:
        made = tmp_path / name
        made.mkdir()
        file = country(made)
        file.write_text(
            file.read_text("utf-8").replace("script: jobs/", "script: ").replace("name: nirgendwo", f"name: {name}"),
            "utf-8",
        )
        for path in [*(made / "jobs").iterdir()]:
            path.rename(made / path.name)
        (made / "jobs").rmdir()
        (made / "questions.yaml").unlink()
        made.rename(tmp_path / "jobs" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(name):
    return ["--project", f"jobs/{name}/project.yaml"]


# What is said beside the project file, and how the command ends for a country that has never run, without credentials.
COMMANDS = {
    "alerts list": ([], 0),
    "alerts test": ([], 2),
    "audit checkpoint": ([], 0),
    "audit show": ([], 0),
    "audit verify": ([], 0),
    "backup": (["elsewhere/copy"], 0),
    "cert check": ([], 0),
    "cert request": (["client", "--common-name", "bridge.example.org"], 0),
    "cert show": ([], 0),
    "check": (["--offline"], 0),
    "console add-user": (["nobody", "--role", "viewer"], 0),
    "console end-user": (["somebody"], 2),
    "console list": ([], 0),
    "cursor set": (["reconcile", "2026-03-01T00:00:00Z"], 0),
    "cursor show": ([], 0),
    "discard": (["u-1", "--reason", "none"], 2),
    "erase": (["--subject", "GAM-00000001"], 0),
    "find": (["GAM-00000001"], 2),
    "golive": ([], 4),
    "inbox list": ([], 0),
    "inbox show": (["m-1"], 2),
    "keys create": (["dtp"], 0),
    "keys list": ([], 0),
    "keys revoke": (["k-1"], 2),
    "keys rotate": (["dtp"], 0),
    "list": ([], 0),
    "logs inventory": ([], 0),
    "logs keyed": (["GAM-00000001"], 0),
    "mapping diff": ([], 0),
    "mapping export": (["elsewhere/mapping.md"], 0),
    "mapping import": (["elsewhere/nothing.xlsx"], 2),
    "mapping show": ([], 0),
    "parked": ([], 0),
    "reconcile": ([], 3),
    "rehearse": (["--snapshot", "nowhere.json"], 2),  # the whole: test_docs_new_country.py
    "restore": (["elsewhere/nothing"], 2),
    "retry": (["u-1"], 2),
    "run": (["progres_answers"], 3),
    "runs list": ([], 0),
    "runs show": (["r-1"], 2),
    "scan": ([], 0),
    "schedule list": ([], 0),
    "schedule off": (["reconcile", "--reason", "nobody is there"], 0),
    "schedule on": (["reconcile", "--reason", "nobody is there"], 0),
    "snapshot": ([], 3),
    "status": ([], 0),
    "store migrate": (["--to", "postgresql:///nowhere?host=nowhere"], 2),
    "store purge": (["--dry-run"], 0),
}
OTHERS = {"serve", "init"}  # a process, see below; and there it names the project to begin from


def with_project(command, name=""):
    """The commands that take a project file."""
    inner = [action for action in command._actions if isinstance(action, _SubParsersAction)]
    if not inner and any("--project" in action.option_strings for action in command._actions):
        yield name.strip()
    for word, each in [entry for action in inner for entry in action.choices.items()]:
        yield from with_project(each, f"{name} {word}")


def test_every_command_is_tried():
    """Whatever takes a project file is tried below with a country's."""
    assert {*COMMANDS} == {*with_project(parser())} - OTHERS


def files(folder):
    """All files, but for what Python keeps, with what is in them."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_a_command_stays_in_its_country(repository, capsys):
    """Every command does its work for the country that is named, and touches no file of another."""
    (repository / "elsewhere").mkdir()
    (repository / "jobs" / "nirgendwo" / "credentials").mkdir(mode=0o700)
    before, codes = files(repository), {}
    for command, (words, _) in COMMANDS.items():
        codes[command] = main([*command.split(), *words, *of("nirgendwo")])
    capsys.readouterr()
    after = files(repository)
    touched = {path for path in after if after[path] != before.get(path)} | {*before} - {*after}
    own = {path for path in touched if path.is_relative_to(repository / "jobs" / "nirgendwo")}

    assert {command: code for command, (_, code) in COMMANDS.items()} == codes
    assert {"credentials", "data"} == {path.relative_to(repository / "jobs" / "nirgendwo").parts[0] for path in own}
    assert {"elsewhere/copy", "elsewhere/mapping.md"} == {
        path.relative_to(repository).as_posix() for path in touched - own
    }


def test_what_one_country_does_another_does_not_see(repository, capsys):
    """A cursor, a key and a profile of one country are not another's, nor the repository's own."""
    main(["cursor", "set", "reconcile", "2026-03-01T00:00:00Z", *of("nirgendwo")])
    main(["keys", "create", "dtp", *of("nirgendwo")])
    capsys.readouterr()
    seen = {}
    for name, words in [(name, of(name)) for name in COUNTRIES] + [("gambella", [])]:
        main(["cursor", "show", "--json", *words])
        cursors = [row["cursor"] for row in json.loads(capsys.readouterr().out)["cursors"] if row["job"] == "reconcile"]
        main(["keys", "list", "--json", *words])
        seen[name] = (cursors, len(json.loads(capsys.readouterr().out)["keys"]))
    assert {"nirgendwo": 1, "anderswo": 0, "gambella": 0} == {name: count for name, (_, count) in seen.items()}
    assert [None, None] == [seen[name][0][0] for name in ("anderswo", "gambella")]
    assert str(seen["nirgendwo"][0][0]).startswith("2026-03-01")


def test_the_house_rules_hold_for_countries(repository):
    """Jobs in a country's folder are held to the rules of the house as those of the repository are."""
    ignored = shutil.ignore_patterns("vectors*", "samples", "__pycache__")
    shutil.copytree(ROOT / "tests", repository / "tests", ignore=ignored)
    (repository / "jobs" / "nirgendwo" / "stray.py").write_text("import runner\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-c", str(ROOT / "pyproject.toml"), "-k", "nirgendwo"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(repository), str(repository / "tests" / "test_house.py")]
    told = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False).stdout
    assert {"test_jobs_import_only_adaptors", "test_module_says_what_it_is"} == {
        *re.findall(r"FAILED \S+::(\w+)\[jobs/nirgendwo/stray", told)
    }


@contextmanager
def serving(name, folder):
    """The service of a country, and what it says when it is ready."""
    command = [sys.executable, "-m", "runner", "serve", "--json", *of(name)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def ready_to_serve(repository, name, port):
    """Let a country have what its service needs: a key, credentials, and a port."""
    folder = repository / "jobs" / name
    (folder / "credentials").mkdir(mode=0o700)
    for example in (ROOT / "credentials.example").iterdir():
        text = re.sub(r"\$\{\w+\}", "invented", example.read_text("utf-8"))
        text = re.sub(r"^(certificate|private_key|thumbprint_header):.*\n", "", text, flags=re.MULTILINE)
        (folder / "credentials" / example.name).write_text(text, "utf-8")
        (folder / "credentials" / example.name).chmod(0o600)
    file = folder / "project.yaml"
    file.write_text(f"{file.read_text('utf-8')}inbox: {{port: {port}}}\n", "utf-8")
    main(["keys", "create", "dtp", *of(name)])


def test_two_services_side_by_side(repository):
    """Two countries' services run on one machine, each on its port, its data and its locks."""
    for name in COUNTRIES:
        ready_to_serve(repository, name, 0)
    with ExitStack() as stack:
        both = [stack.enter_context(serving(name, repository)) for name in COUNTRIES]
        assert 2 == len({json.loads(ready)["url"] for _, ready in both})
        for process, _ in both:
            process.send_signal(signal.SIGTERM)
        assert [0, 0] == [process.wait(30) for process, _ in both]


def test_two_services_on_one_port(repository):
    """The second to take a port says so, and doesn't start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ready_to_serve(repository, "nirgendwo", taken.getsockname()[1])
        with serving("nirgendwo", repository) as (process, ready):
            assert (2, "") == (process.wait(30), ready)
            assert f"port {taken.getsockname()[1]} " in process.stderr.read()
