"""The repository's own checks: what the workflow and the hook hold, and that a planted mistake stops them."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from invented import ROOT, edited

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
STEPS = WORKFLOW["jobs"]["check"]["steps"]
LOOKED_AT = ("project.yaml", "snapshot.json", "scan.yaml")
JOB = "jobs/primero_to_progres.py"


def commands():
    """What the workflow and the hook run."""
    return {step["run"] for step in STEPS if "run" in step}, {hook["entry"] for hook in HOOKS["repos"][0]["hooks"]}


@pytest.fixture
def copy(tmp_path):
    """What the checks look at, committed and tagged as signed, with the programs of this installation."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.lock", "pyproject.toml", ".gitignore", *LOOKED_AT):
        shutil.copy(ROOT / name, tmp_path / name)
        os.utime(tmp_path / name, (0, 0))  # older than what was installed, so that `make` installs nothing
    edited(tmp_path / "project.yaml", "\njobs:", "\nsigned: signed-1\n\njobs:")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "jobs", ".gitignore", *LOOKED_AT)
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    git(tmp_path, "tag", "signed-1")
    return tmp_path


def git(folder, *words):
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def checked(folder):
    """What the one command of both says, and whether it lets the change through."""
    ((command,), (entry,)) = commands()
    assert command == entry
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode == 0, done.stdout + done.stderr


def test_what_lies_here_gets_through(copy):
    """The workflow's command passes for the jobs as they are, and runs check, comparison and scan."""
    passed, said = checked(copy)
    assert passed, said
    verdicts = re.findall(r"^nothing .*$", said, re.MULTILINE)
    assert ["nothing is wrong", "nothing differs", "nothing was found"] == verdicts


def option_that_is_none(folder):
    edited(folder / JOB, '    "food",\n    "family', '    "fod",\n    "family')
    return "fod is no option"


def table_that_was_not_signed(folder):
    edited(folder / JOB, '"food": "Family Reunification Service"', '"food": "Food Service"')
    return "SERVICE_TYPES, food  value: Family Reunification Service → Food Service"


def secret(folder):
    (folder / "jobs" / "notes.yaml").write_text("password: open-sesame\n", "utf-8")
    return "jobs/notes.yaml:1: password"


def mistake_in_a_country(folder):
    shutil.copytree(folder / "jobs", folder / "land", ignore=shutil.ignore_patterns("*.yaml"))
    (folder / "land").rename(folder / "jobs" / "land")
    text = (folder / "project.yaml").read_text("utf-8").replace("script: jobs/", "script: ")
    (folder / "jobs" / "land" / "project.yaml").write_text(text.replace("signed: signed-1\n", ""), "utf-8")
    shutil.copy(folder / "snapshot.json", folder / "jobs" / "land")
    edited(folder / "jobs" / "land" / "reconcile.py", 'UNHCR_USER = "unhcr_cw"', 'UNHCR_USER = "unhcr_other"')
    return "UNHCR_USER: differs between"


@pytest.mark.parametrize("plant", [option_that_is_none, table_that_was_not_signed, secret, mistake_in_a_country])
def test_a_planted_mistake_is_stopped(copy, plant):
    """H30 K6 A wrong option, an unsigned change, a secret, or a mistake in any country's folder stops the change."""
    told = plant(copy)
    passed, said = checked(copy)
    assert not passed
    assert told in said, said


def test_one_mistake_hides_no_other(copy):
    """K6 The first fault ends nothing: all countries' mistakes and the secrets are told at once."""
    told = [option_that_is_none(copy), mistake_in_a_country(copy), secret(copy)]
    passed, said = checked(copy)
    assert not passed
    assert [] == [each for each in told if each not in said], said


def test_the_workflow_asks_for_little():
    """It may read the code and nothing else, needs no secret, and runs on each push; actions are pinned by commit."""
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8")
    assert {"contents": "read"} == WORKFLOW["permissions"]
    assert [] == [name for name, job in WORKFLOW["jobs"].items() if "permissions" in job]  # none takes more for itself
    assert {"push": None, "pull_request": None} == WORKFLOW[True]  # YAML takes `on` for a boolean
    assert "secrets." not in text
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert [] == [name for name in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name)]
    assert used == re.findall(r"uses: (\S+) # v\d+\.\d+\.\d+$", text, re.MULTILINE)  # a person sees which that is
    assert [0, False] == [STEPS[0]["with"][name] for name in ("fetch-depth", "persist-credentials")]


def test_the_hook_runs_always():
    """Whatever is committed is looked through: a secret can be in any file."""
    ((hook,),) = [repo["hooks"] for repo in HOOKS["repos"]]
    assert [True, False, "system"] == [hook[name] for name in ("always_run", "pass_filenames", "language")]
