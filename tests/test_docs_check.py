"""docs/check.md and docs/primero-setup.md: what they show is what the check says and demands."""

import re
from pathlib import Path

from pages import DOCS, ROOT, blocks

from adaptors.primero import rights
from adaptors.primero.forms import Forms
from adaptors.primero.mapped import OF_EVERY_CASE, READING, WRITING
from runner import jobscript, project
from runner.check import snapshots, uses
from runner.cli import main

CHECK, SETUP = DOCS / "check.md", DOCS / "primero-setup.md"


def primero_uses():
    jobs = project.load(ROOT / "project.yaml").jobs.values()
    return [use for job in jobs for use in uses.of_job(jobscript.load(job.script, job.name)).get("primero", ())]


def rows(path, heading):
    """The cells of the table that has this heading in its first column."""
    lines = path.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table = lines[start + 2 :]
    end = next((number for number, line in enumerate(table) if not line.startswith("|")), len(table))
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table[:end]]


def test_output_of_the_check(capsys, monkeypatch):
    """The output that check.md shows is what `runner check --offline` prints here."""
    monkeypatch.chdir(ROOT)
    assert 0 == main(["check", "--offline"])
    assert blocks(CHECK, "text")[0] == capsys.readouterr().out


def test_rights_of_the_role():
    """R-LP1 The permissions that primero-setup.md tells to grant are those that the check demands, and no others."""
    steps = {use["step"] for use in primero_uses()}
    told = {tuple(permission.split(": ")) for permission, _ in rows(SETUP, "permission")}
    assert rights.needed(steps) == told


def test_forms_of_the_role():
    """R-LP1 So are the forms: those and no others lie in the snapshot's role, which the check finds right."""
    role = snapshots.read(ROOT / "snapshot.json")["primero"]["role"]
    assert role["forms"] == {form: right for form, right, _ in rows(SETUP, "form")}


def test_fields_that_must_be_there():
    """The fields that primero-setup.md lists are those that the jobs use, each with its form and type."""
    forms = Forms(snapshots.read(ROOT / "snapshot.json")["primero"])
    used = {use["field"] for use in primero_uses() if use["step"] in (*READING, *WRITING)} - OF_EVERY_CASE
    wanted = {(name, forms.places(name)[0].form, forms.places(name)[0].type) for name in used if forms.places(name)}
    assert wanted == {tuple(row) for row in rows(SETUP, "field")}


def test_the_line_that_fixes_a_required_field():
    """The line that check.md shows for a required field is written as lines of the mapping are."""
    (line,) = blocks(CHECK, "python")
    assert re.fullmatch(r'    "\w+": ".+",\n', line)
    assert Path(ROOT / "jobs" / "progres_to_primero.py").read_text("utf-8").count('    "module_id": MODULE,\n') == 1
