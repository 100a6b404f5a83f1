"""docs/new-country.md: an invented country is localised as the page says, and every command prints what it shows."""

import re
import shutil
import subprocess

from invented import ROOT, snapshot
from pages import DOCS, blocks

from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.listening import ListeningSandbox
from adaptors.sandbox.snapshot import Snapshot
from runner.cli import main
from runner.commands import rehearse
from runner.golive import rehearsal

PAGE = DOCS / "new-country.md"
PROJECT = "jobs/nirgendwo/project.yaml"
PRODUCTION = ("--profile", "production")


def copied(folder):
    """What a clone holds of a country's template, under version control."""
    for name in ("jobs", "credentials.example"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project.yaml", "snapshot.json", "scan.yaml", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    commit(folder)


def git(folder, *words, text=None):
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, input=text, text=True)


def commit(folder):
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "As it is")


def far_sides():
    """Stand-ins of the country's Primero and of DTP."""
    told = Snapshot.of(snapshot())
    return ListeningSandbox(
        Sandbox(config=told.configuration, profile=told.profile, thumbprint_header=THUMBPRINT_HEADER)
    )


def test_from_the_clone_to_the_checklist(tmp_path, monkeypatch, capsys):
    """H13 From init to the checklist all goes as the page says, and only the country's own files are edited."""
    monkeypatch.chdir(tmp_path)
    for name in ("PRIMERO_PASSWORD", "DTP_SUBSCRIPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir("clone")
    copied(tmp_path / "clone")
    shown = iter(blocks(PAGE, "text"))
    answers, signed = blocks(PAGE, "yaml")
    (tmp_path / "answers.yaml").write_text(answers, "utf-8")

    def said(*words):
        """What a command prints for the country, and its exit code."""
        code = main([*words, *(() if words[0] == "init" else ("--project", PROJECT))])
        return capsys.readouterr().out, code

    assert (next(shown), 4) == said("init", "nirgendwo", "--answers", "../answers.yaml")
    credentials = tmp_path / "clone" / "jobs" / "nirgendwo" / "credentials"
    with far_sides() as listening:
        listening.write_credentials(credentials)
        assert (next(shown), 0) == said("snapshot")
        assert (next(shown), 4) == said("check", "--offline")
        git(tmp_path / "clone", "apply", "-", text=blocks(PAGE, "diff")[0])
        assert (next(shown), 0) == said("check", "--offline")
        assert 0 == said("check")[1]
    verdicts = []
    rehearsed = rehearse._rehearsed
    monkeypatch.setattr(rehearse, "_rehearsed", lambda *given: verdicts.append(rehearsed(*given)) or verdicts[-1])
    assert (next(shown), 0) == said("rehearse")
    labels = ("--snapshot", "jobs/nirgendwo/snapshot.json")
    assert (next(shown), 0) == said("mapping", "export", "jobs/nirgendwo/signed.xlsx", *labels)
    project = tmp_path / "clone" / PROJECT
    project.write_text(re.sub(r"(agreement: .*\n)", rf"\1{signed}", project.read_text("utf-8")), "utf-8")
    assert (next(shown), 0) == said("mapping", "diff")
    commit(tmp_path / "clone")
    assert (0, 0) == (said("scan")[1], main(["scan"]))
    with far_sides() as listening:
        listening.write_credentials(credentials / "production")
        assert 0 == said("check", *PRODUCTION)[1]
    monkeypatch.setattr(rehearsal, "play", lambda project: verdicts[-1])  # it would be the very same once more
    assert 0 == said("golive", "rehearse", *PRODUCTION)[1]
    rows, code = said("golive", *PRODUCTION)
    assert (next(shown), 4) == ("".join(line for line in rows.splitlines(True) if line.startswith("K")), code)
    assert [] == [*shown]
