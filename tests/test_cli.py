"""The command line, as a person or a program meets it: output, exit codes, files."""

import json
import subprocess
import sys

import pytest

from runner.cli import main

JOB = '''"""Sorts records. When asked; edit SORTS."""

SORTS = {"good": "done", "odd": "refused", "hard": "parked", "late": "failed", "same": "unchanged"}


def sort(state):
    for record in state["data"].get("records", []):
        item = {"outcome": SORTS[record["sort"]], "ids": {"case_id": record["id"]}}
        why = {"code": "c", "message": "m", "fix": "f", "operation": "sort"}
        state["outcomes"].append(item if item["outcome"] == "done" else {**item, **why})
    state["cursor"] = "2026-03-02T00:00:00Z"
    return state


def remember(state):
    state["seen"] = {key: state[key] for key in ("data", "cursor") if key in state}
    state["users"] = {name: given.get("user") for name, given in state["configuration"].items()}
    return state


operations = [sort, remember]
'''
PROJECT = """\
name: Gambella
jobs:
  sort: {script: sort.py, credentials: [north], trigger: nightly}
  plain: {script: sort.py, enabled: false}
triggers:
  nightly: {cron: "30 2 * * *", timezone: Africa/Addis_Ababa}
  unused: {message: {}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, in which the command is given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(PROJECT)
    (tmp_path / "credentials").mkdir()
    credential = tmp_path / "credentials" / "north.yaml"
    credential.write_text("user: from the file\npassword: s3cret\n")
    credential.chmod(0o600)
    return tmp_path


def records(folder, *sorts):
    """A message with a record of each sort."""
    path = folder / "message.json"
    path.write_text(json.dumps({"records": [{"id": f"c-{n}", "sort": sort} for n, sort in enumerate(sorts)]}))
    return str(path)


def test_list(folder, capsys):
    """`runner list` shows each job with its trigger in words and its first line, and warnings below."""
    assert 0 == main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert ["job", "starts with", "enabled", "what it does"] == [word.strip() for word in lines[0].split("  ") if word]
    assert lines[1].startswith("sort   At 02:30 every day (Africa/Addis_Ababa)  yes ")
    assert lines[2].startswith("plain  by hand ")
    assert "warning: project.yaml, line 7, column 3: no job uses the trigger unused" == lines[3]


def test_list_as_json(folder, capsys):
    """`runner list --json` is one document."""
    main(["list", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert {
        "job": "plain", "trigger": "by hand", "enabled": False, "summary": "Sorts records. When asked; edit SORTS.",
    } == document["jobs"][1]  # fmt: skip
    assert 1 == len(document["warnings"])


@pytest.mark.parametrize(
    ("sorts", "code"),
    [(("good", "same"), 0), (("good", "odd"), 4), (("hard",), 4), (("late", "good"), 4), ((), 0), (("unheard of",), 1)],
)
def test_exit_codes_of_a_run(folder, sorts, code):
    """0 when all is done, 4 when an item needs a look, 1 when the job failed."""
    assert code == main(["run", "sort", "--message", records(folder, *sorts)])


def test_json_document(folder, capsys):
    """`--json` prints exactly the document of engine.md, whatever the job prints itself."""
    (folder / "sort.py").write_text(JOB.replace('    state["cursor"] =', '    print("noise")\n    state["cursor"] ='))
    main(["run", "sort", "--json", "--message", records(folder, "good", "odd")])
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert ["job", "outcome", "items", "operations"] == list(document)
    assert ("sort", "succeeded", ["sort", "remember"]) == (
        document["job"], document["outcome"], [operation["name"] for operation in document["operations"]]
    )  # fmt: skip
    odd = {"index": 1, "outcome": "refused", "ids": {"case_id": "c-1"}, "code": "c", "message": "m", "fix": "f"}
    assert odd == document["items"][1]
    assert "printed 1 line" in shown.err


def test_error_on_standard_error(folder, capsys):
    """H41: an error names job, operation, type, file and line, with a fix; no data, no traceback."""
    main(["run", "sort", "--message", records(folder, "Nyaruot")])
    shown = capsys.readouterr()
    assert "ERROR sort, operation 1 (sort): KeyError in sort.py, line 8\n  fix: Look at sort in sort.py.\n" == shown.err
    assert "Nyaruot" not in shown.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "sotr"], 2, "Did you mean sort?"),
        (["run", "missing/sort.py"], 2, "there is no script"),
        (["run", "sort", "-s", "missing.json"], 2, "missing.json can't be read"),
        (["run", "sort", "-o", "missing/out.json"], 2, "can't be written"),
        (["run", "sort", "--only", "3"], 2, "1 sort, 2 remember"),
        (["run", "sort", "--only", "1", "--end", "2"], 2, "--only"),
        (["run", "sort", "--since", "yesterday"], 2, "2026-03-01T00:00:00Z"),
        (["run", "sort", "--since", "2026-03-01T00:00:00"], 2, "time zone"),
        (["run", "sort", "--move-cursor", "--dry-run"], 2, "--move-cursor"),
        (["run", "sort", "--move-cursor", "--start", "2"], 2, "--move-cursor"),
        (["run", "sort", "--profile", "../x"], 2, "profile"),
        (["run", "sort", "--profile", "staging"], 3, "there is no credential north in credentials/staging"),
        (["run", "sort", "--project", "missing.yaml"], 2, "missing.yaml"),
        (["list", "--project", "sort.py"], 3, "sort.py"),
        ([], 2, "usage"),
    ],
)
def test_wrong_use(folder, capsys, arguments, code, words):
    """Wrong use ends with a sentence and its fix, before anything runs."""
    assert code == main(arguments)
    shown = capsys.readouterr()
    assert words in shown.err
    assert "" == shown.out


@pytest.mark.parametrize("option", [["--verify-tls", "no"], ["--timeout", "0"], ["--timeout", "inf"], ["--time", "3"]])
def test_unknown_option(folder, option):
    """H44: an option that doesn't exist, such as one to switch verification off, is wrong use; so is a wrong value."""
    with pytest.raises(SystemExit, match="2"):
        main(["run", "sort", *option])


def test_a_message_for_another_job_is_refused(folder, capsys):
    """A message that doesn't fit the job's filter stops the command before anything is read or answered."""
    project = PROJECT.replace("message: {}", "message: {type: sorts}").replace("trigger: nightly", "trigger: unused")
    (folder / "project.yaml").write_text(project)

    assert 2 == main(["run", "sort", "--message", records(folder, "good")])
    assert "message type sorts" in capsys.readouterr().err


def test_invalid_job_script(folder, capsys):
    """H31: a table with a key written twice stops the command with exit code 3."""
    (folder / "sort.py").write_text(JOB.replace('"odd": "refused"', '"good": "refused"'))
    assert 3 == main(["run", "sort"])
    assert "sort.py, line 3: the key 'good' is written twice in SORTS" in capsys.readouterr().err


def test_openfn_state_file(folder):
    """A state file from OpenFn runs; its configuration stands in for the first credential and is not in the output."""
    state = {"data": {"records": []}, "configuration": {"user": "from the state", "password": "s3cret"}, "kept": 1}
    (folder / "state.json").write_text(json.dumps(state))
    assert 0 == main(["run", "sort", "-s", "state.json", "-o", "out.json"])
    output = json.loads((folder / "out.json").read_text())
    assert {"data", "kept", "cursor", "seen", "users", "errors"} == set(output)
    assert {"north": "from the state"} == output["users"]
    assert "s3cret" not in (folder / "out.json").read_text()


@pytest.mark.parametrize(
    ("job", "configuration", "users"),
    [
        ("sort", {}, {"north": "from the file"}),
        ("sort", {"north": {"user": "by name"}}, {"north": "by name"}),
        ("sort", {"south": {"user": "by name"}}, {"north": "from the file"}),
        ("plain", {"user": "flat"}, {}),
    ],
)
def test_configuration_of_a_state_file(folder, job, configuration, users):
    """By name it counts for that credential; a job that has no credential ignores a flat one."""
    (folder / "state.json").write_text(json.dumps({"configuration": configuration}))
    main(["run", job, "-s", "state.json", "-o", "out.json"])
    assert users == json.loads((folder / "out.json").read_text())["users"]


def test_script_outside_a_project(folder):
    """A script runs without any project; a state file may then name any credential."""
    (folder / "project.yaml").unlink()
    (folder / "sort.py").write_text(JOB.replace("\nSORTS", "\nfrom adaptors import http\n\nSORTS"))
    (folder / "state.json").write_text(json.dumps({"configuration": {"third": {"user": "by name"}}}))
    assert 0 == main(["run", "./sort.py", "-s", "state.json", "-o", "out.json"])
    assert {"third": "by name"} == json.loads((folder / "out.json").read_text())["users"]


def test_script_of_the_project(folder):
    """The path of a script that the project knows is that job, with its credentials."""
    main(["run", "./sort.py", "-o", "out.json"])
    assert {"north": "from the file"} == json.loads((folder / "out.json").read_text())["users"]


def seen_cursor(folder, *arguments):
    main(["run", "sort", "-o", "out.json", "--only", "remember", *arguments])
    return json.loads((folder / "out.json").read_text())["seen"].get("cursor")


def test_cursor_moves_only_when_asked(folder):
    """The cursor comes from the state file, or --since, else from the data directory; only --move-cursor moves it."""
    assert seen_cursor(folder) is None
    main(["run", "sort"])
    assert seen_cursor(folder) is None
    main(["run", "sort", "--move-cursor"])
    assert "2026-03-02T00:00:00Z" == seen_cursor(folder)
    assert "2026-02-28T21:00:00Z" == seen_cursor(folder, "--since", "2026-03-01T00:00:00+03:00")
    (folder / "state.json").write_text('{"cursor": "2025-01-01T00:00:00Z"}')
    assert "2025-01-01T00:00:00Z" == seen_cursor(folder, "-s", "state.json")
    assert seen_cursor(folder, "--memory") is None


def test_cursor_stays_when_an_item_failed(folder):
    """H3: the cursor stays where it was when an item is to be tried again."""
    main(["run", "sort", "--move-cursor", "--message", records(folder, "good", "late")])
    assert seen_cursor(folder) is None


def test_profile(folder):
    """A profile has credentials and data of its own."""
    (folder / "credentials" / "staging").mkdir()
    credential = folder / "credentials" / "staging" / "north.yaml"
    credential.write_text("user: staging\n")
    credential.chmod(0o600)
    assert 0 == main(["run", "sort", "--profile", "staging", "-o", "out.json"])
    assert {"north": "staging"} == json.loads((folder / "out.json").read_text())["users"]
    assert ["staging"] == [path.name for path in (folder / "data").iterdir()]


def test_memory_leaves_nothing(folder):
    """With --memory there is no data directory."""
    assert 0 == main(["run", "sort", "--memory"])
    assert not (folder / "data").exists()


def test_timeout(folder, capsys):
    """A run that takes too long ends with exit code 5, and its report is still given."""
    (folder / "sort.py").write_text(JOB + "\nimport time\n\noperations = [sort, lambda state: time.sleep(30)]\n")
    assert 5 == main(["run", "sort", "--timeout", "0.1", "--message", records(folder, "good")])
    shown = capsys.readouterr()
    assert "1 done" in shown.out
    assert "sort took more than 0.1 seconds" in shown.err


def test_unforeseen_error_of_the_runner(folder, capsys, monkeypatch):
    """R-ER9: even a mistake of our own ends in a sentence without data, never in a traceback."""
    monkeypatch.setattr("runner.project.load", lambda path: {}["Nyaruot"])
    assert 1 == main(["list"])
    shown = capsys.readouterr()
    assert "ERROR the runner itself went wrong: KeyError in test_cli.py" in shown.err
    assert "Nyaruot" not in shown.err


def test_an_error_when_nothing_can_be_imported_any_more(tmp_path):
    """R-ER9: it is told as well where no module can be loaded, since no file can be opened any more."""
    script = (
        "import resource, sys; from runner import cli;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); sys.exit(cli.main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "list"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (1, "") == (ended.returncode, ended.stdout)
    assert ended.stderr.startswith("ERROR the runner itself went wrong: OSError in ")


def imported(folder, *arguments):
    command = [sys.executable, "-X", "importtime", "-m", "runner", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


SLOW = {"httpx", "starlette", "jsonschema", "cryptography", "jsonpath_ng", "asyncio", "tenacity", "uvicorn", "adaptors"}


def test_help_is_quick(folder):
    """`runner --help` imports nothing that costs, not even YAML."""
    assert not (SLOW | {"yaml", "sqlite3", "cronsim"}) & imported(folder, "--help")


def test_list_is_quick(folder):
    """`runner list` needs YAML, and neither the adaptors nor what they are built on."""
    names = imported(folder, "list")
    assert "yaml" in names
    assert not SLOW & names


def test_version():
    """`runner` and `python -m runner` are the same, and know their version."""
    done = subprocess.run([sys.executable, "-m", "runner", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("runner ")
