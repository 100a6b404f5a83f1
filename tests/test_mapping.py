"""The specification that people sign, made from job scripts and compared (runner/mapping/, `runner mapping`)."""

import csv
import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font

from runner import cli, jobscript
from runner.errors import UnreadableFile
from runner.mapping import differences, texts
from runner.mapping.labels import Labels
from runner.mapping.specification import exchange

ROOT = Path(__file__).parents[1]

JOB = '''"""Carries calls.

What to edit for another country: the tables.
"""

from adaptors.common import data_value, date, derive, each, free_text, lookup, require
from adaptors.http import post

KINDS = {
    "0012": "food",
    "=1+1": "cash",
}
OTHER = "other"
DESK = "desk-1"


def worker(name):
    """Who takes the call."""
    return name or OTHER


CALL = {
    "id": data_value("id"),
    "kind": lookup(KINDS, data_value("kind")),
    "service.kind": lookup(KINDS, data_value("kind"), default="unknown"),
    "worker": derive(worker, "worker.name"),
    "day": date(data_value("day")),
    "notes": free_text("notes", 90),
    "why": free_text("why", None),
    "desk": DESK,
    "status": "open",
    "urgent": True,
    "agency": data_value("agency"),
}

operations = [
    each("$.data.calls[*]", require("id", "worker.name", "agency.Name"), post("/calls", CALL, credential="desk")),
]
'''
EXPECTED = {  # rule, table, default, required, may be localised
    "id": ("as it is", "", "", "yes", "no"),
    "kind": ("by the table KINDS; what isn't in it is refused", "KINDS", "", "no", "yes"),
    "service.kind": ("by the table KINDS", "KINDS", "unknown", "no", "yes"),
    "worker": ("Who takes the call", "", "OTHER = other", "yes", "yes"),
    "day": ("date", "", "", "no", "no"),
    "notes": ("at most 90 characters", "", "", "no", "no"),
    "why": ("left out", "", "", "no", "no"),
    "desk": ("constant", "", "DESK = desk-1", "no", "yes"),
    "status": ("constant", "", "open", "no", "no"),
    "urgent": ("constant", "", "true", "no", "no"),
    "agency": ("as it is", "", "", "yes", "no"),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one job, in the folder where commands are given."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "calls.py").write_text(JOB, "utf-8")
    (tmp_path / "project.yaml").write_text("name: calls\njobs:\n  calls:\n    script: jobs/calls.py\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def calls(project, labels=None):
    return exchange(jobscript.load(project / "jobs" / "calls.py"), labels)


def rewrite(project, *pairs):
    """Change the job script."""
    script = project / "jobs" / "calls.py"
    text = script.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    script.write_text(text, "utf-8")


def git(project, *words):
    names = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *names, *words], cwd=project, check=True, capture_output=True)


def test_every_field_that_is_sent_has_its_row(project):
    """A row tells where a field comes from, by which rule, table and default, and whether it may be localised."""
    found = calls(project)

    assert EXPECTED == {
        row.target: (row.rule, row.table, row.default, row.required, row.localised) for row in found.rows
    }
    assert {("to desk", "post")} == {(row.direction, row.step) for row in found.rows}
    assert ["worker.name", "why", ""] == [found.rows[place].source for place in (3, 6, 7)]
    assert {"KINDS": {"0012": "food", "=1+1": "cash"}} == found.tables


def test_labels_and_forms_come_from_the_snapshot(project):
    """What the systems call their fields is told where it is known and clear, and left empty else."""
    snapshot = project / "snapshot.json"
    ours = {"people.worker.name": {"label": "Worker"}, "a.kind": {"label": "Kind"}, "b.kind": {"label": "Sort"}}
    theirs = {"kind": {"label": "Kind of call", "form": "Calls"}}
    snapshot.write_text(json.dumps({"labels": {"desk": theirs, "ours": ours}}), "utf-8")

    rows = {row.target: row for row in calls(project, Labels.read(snapshot)).rows}

    assert ("Kind of call", "Calls") == (rows["kind"].target_label, rows["kind"].form)
    assert "Worker" == rows["worker"].source_label
    assert ("", "", "") == (rows["day"].source_label, rows["day"].target_label, rows["day"].form)


def test_labels_that_are_not_clear():
    """Where several fields of a name have labels that differ, none is told."""
    fields = {"child.name": {"label": "Child"}, "worker.name": {"label": "Worker"}, "a.day": {"label": "Day"}}

    labels = Labels({"ours": fields, "theirs": {"b.day": {"label": "Day"}}})

    assert ("", "") == labels.of_source("saved.name")
    assert ("Worker", "") == labels.of_source("saved.worker.name")
    assert ("Day", "") == labels.of_source("saved.day")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"labels": []}', '{"labels": {"desk": {"id": "x"}}}'])
def test_snapshots_without_labels_are_refused(tmp_path, content):
    """A snapshot that has no labels is told as such, with what it needs."""
    path = tmp_path / "snapshot.json"
    path.write_text(content, "utf-8")

    with pytest.raises(UnreadableFile) as raised:
        Labels.read(path)

    assert raised.value.fix


def test_every_job_of_ours_has_a_specification():
    """Of each job in the repository there is one, and every value table of the head is in it."""
    found = {path.stem: exchange(jobscript.load(path)) for path in (ROOT / "jobs").glob("*.py")}

    assert {"SERVICE_TYPES", "SEXES", "LANGUAGES", "INTAKE_USERS"} <= set(found["progres_to_primero"].tables)
    rows = {row.target: row for row in found["progres_to_primero"].rows if row.step == "upsert_case"}
    assert ("yes", "yes", "SEXES") == (rows["sex"].required, rows["sex"].localised, rows["sex"].table)
    assert "DEFAULT_INTAKE_USER = progresv4_primero_intake" == rows["owned_by"].default


def test_show(project, capsys):
    """`mapping show` tells it in the terminal; `--json` as one document; `--job` one job only."""
    assert 0 == cli.main(["mapping", "show", "--job", "calls"])
    lines = capsys.readouterr().out.splitlines()
    assert 0 == cli.main(["mapping", "show", "--json"])
    (document,) = json.loads(capsys.readouterr().out)["exchanges"]

    assert ["calls: Carries calls.", "  to desk, by post", "    id ← id: as it is; required"] == lines[:3]
    assert "    status ← open: constant" in lines
    assert ["  KINDS", "    0012 → food", "    =1+1 → cash"] == lines[-3:]
    assert {"0012": "food", "=1+1": "cash"} == document["tables"]["KINDS"]
    assert 2 == cli.main(["mapping", "show", "--job", "unknown"])
    assert "Known jobs: calls" in capsys.readouterr().err


def test_export_as_csv(project):
    """The CSV has every row with the entries of its table; nothing in it is taken for a formula."""
    rewrite(project, ('"""Who takes the call."""', '"""=1+1, who takes the call."""'))
    assert 0 == cli.main(["mapping", "export", "out.csv"])

    with (project / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Target field"]: row for row in csv.DictReader(file)}
    assert set(EXPECTED) == set(rows)
    assert "KINDS:\n0012 → food\n=1+1 → cash" == rows["kind"]["Value table"]
    assert "'=1+1, who takes the call" == rows["worker"]["Rule"]


class Cells(HTMLParser):
    """The tags of a page, and the texts of its cells."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_export_as_page_and_markdown(project):
    """What stands in a job script is text in HTML and Markdown, whatever it looks like."""
    rewrite(project, ('"food"', '"<script>|*x*"'))
    assert 0 == cli.main(["mapping", "export", "out.html"])
    assert 0 == cli.main(["mapping", "export", "out.md"])

    page = Cells((project / "out.html").read_text("utf-8"))
    assert "script" not in page.tags
    assert {"Overview", "Project", "calls"} <= set(page.texts)
    assert "<script>|*x*" in page.texts
    assert "| 0012 | &lt;script&gt;\\|\\*x\\* |" in (project / "out.md").read_text("utf-8").splitlines()


def test_export_without_a_known_ending(project, capsys):
    """Another kind of file, or a place that can't be written, is refused with what to do."""
    assert 2 == cli.main(["mapping", "export", "out.doc"])
    assert 2 == cli.main(["mapping", "export", "nowhere/out.md"])
    assert 2 == capsys.readouterr().err.count("fix:")


def test_export_and_import_without_edits(project, capsys):
    """What was exported and comes back as it was asks for no change."""
    assert 0 == cli.main(["mapping", "export", "out.xlsx", "--json"])
    assert {"file": "out.xlsx", "exchanges": 1, "rows": 11} == json.loads(capsys.readouterr().out)
    assert 0 == cli.main(["mapping", "import", "out.xlsx", "--json"])
    assert {"diff": [], "remarks": []} == json.loads(capsys.readouterr().out)


def test_export_and_import_of_our_own_jobs(tmp_path, capsys):
    """The specification of this repository's own exchanges goes out and comes back without a change."""
    place = ["--project", str(ROOT / "project.yaml")]
    assert 0 == cli.main(["mapping", "export", str(tmp_path / "out.xlsx"), *place])
    assert 0 == cli.main(["mapping", "import", str(tmp_path / "out.xlsx"), *place])
    assert 0 == cli.main(["mapping", "diff", str(tmp_path / "out.xlsx"), str(ROOT / "project.yaml")])
    assert "nothing differs" == capsys.readouterr().out.splitlines()[-1]


def edit_workbook(path, edit):
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)


def test_import_shows_the_change_and_makes_none(project, capsys):
    """Edited tables become a diff that git applies; the job script itself is never written."""
    cli.main(["mapping", "export", "out.xlsx"])

    def edit(book):
        book["KINDS, calls"]["B5"] = "meals"
        book["KINDS, calls"].append(["0013", "new"])

    edit_workbook("out.xlsx", edit)
    capsys.readouterr()

    assert 0 == cli.main(["mapping", "import", "out.xlsx", "-o", "change.diff"])

    lines = [line for line in capsys.readouterr().out.splitlines() if line[0] in "+-"]
    assert ["--- a/jobs/calls.py", "+++ b/jobs/calls.py", '-    "0012": "food",', '+    "0012": "meals",'] == lines[:4]
    assert ['+    "0013": "new",'] == lines[4:]
    assert JOB == (project / "jobs" / "calls.py").read_text("utf-8")
    git(project, "apply", "change.diff")
    assert {"0012": "meals", "=1+1": "cash", "0013": "new"} == calls(project).tables["KINDS"]


def test_import_leaves_to_people_what_is_theirs(project, capsys):
    """What is struck through stays in the job script; a row of the mapping that was edited is told, not made."""
    cli.main(["mapping", "export", "out.xlsx"])

    def edit(book):
        book["KINDS, calls"]["A5"].font = Font(strike=True)
        book["KINDS, calls"]["B5"] = "meals"
        book["KINDS, calls"].append(["0013", "=A5"])
        place = [cell.value for cell in book["calls"][4]].index("Rule") + 1
        book["calls"].cell(5, place).value = "the number on the card"

    edit_workbook("out.xlsx", edit)
    capsys.readouterr()

    assert 4 == cli.main(["mapping", "import", "out.xlsx"])

    told = capsys.readouterr()
    assert "" == told.out
    assert "KINDS, calls, row 5 (calls, KINDS, 0012): struck through; left as it is in the job script" in told.err
    assert "row 7 (calls, KINDS, 0013): a formula" in told.err
    assert "rule: as it is → the number on the card; change the mapping by hand" in told.err


def test_import_tells_what_only_one_side_knows(project, capsys):
    """A table that the workbook or the job script lacks, and a job that the project lacks, are told."""
    cli.main(["mapping", "export", "out.xlsx"])
    rewrite(project, ("KINDS", "SORTS"))
    cli.main(["mapping", "import", "out.xlsx", "--json"])
    renamed = json.loads(capsys.readouterr().out.partition("\n")[2])["remarks"]
    (project / "project.yaml").write_text("name: calls\njobs:\n  other:\n    script: jobs/calls.py\n", "utf-8")
    assert 4 == cli.main(["mapping", "import", "out.xlsx"])

    assert {("KINDS", "the job script has no such table")} <= {(remark["table"], remark["what"]) for remark in renamed}
    assert ["SORTS"] == [remark["table"] for remark in renamed if "not in the workbook" in remark["what"]]
    assert "the project has no such job" in capsys.readouterr().err


def test_diff_tells_what_people_have_marked(project, capsys):
    """What is struck through in a signed workbook is told, since nobody knows what was meant by it."""
    cli.main(["mapping", "export", "signed.xlsx"])
    edit_workbook("signed.xlsx", lambda book: setattr(book["KINDS, calls"]["A5"], "font", Font(strike=True)))
    capsys.readouterr()

    assert 4 == cli.main(["mapping", "diff", "signed.xlsx"])

    told = capsys.readouterr()
    assert "nothing differs\n" == told.out
    assert "KINDS, calls, row 5 (calls, KINDS, 0012): struck through\n" == told.err


CHANGES = [
    ('    "day": date(data_value("day")),\n', ""),
    ('"status": "open"', '"status": "new",\n    "state": "open"'),
    ('    "=1+1": "cash",\n', '    "c": "cash",\n'),
    ('"0012": "food"', '"0012": "meals"'),
]
CHANGED = [
    "calls",
    "  changed  to desk, by post: status  default: open → new",
    "  added    to desk, by post: state  rule: constant; default: open; required: no; localised: no",
    "  removed  to desk, by post: day  source: day; rule: date; required: no; localised: no",
    "  changed  KINDS, 0012  value: food → meals",
    "  added    KINDS, c  value: cash",
    "  removed  KINDS, =1+1  value: cash",
]


def test_diff_of_a_signed_workbook_and_the_project(project, capsys):
    """What was added, removed and changed since a workbook was signed is told, and the exit code is 4."""
    cli.main(["mapping", "export", "signed.xlsx"])
    rewrite(project, *CHANGES)
    capsys.readouterr()

    assert 4 == cli.main(["mapping", "diff", "signed.xlsx"])

    assert CHANGED == capsys.readouterr().out.splitlines()


def test_diff_where_nothing_was_signed(project, capsys):
    """K6 Without a signed version the comparison stops nobody, but never looks like one that found nothing."""
    assert 0 == cli.main(["mapping", "diff"])
    told = capsys.readouterr()
    assert "nothing to compare with\n" == told.out
    assert "nothing was signed yet" in told.err


def test_diff_of_two_files_and_of_revisions(project, capsys):
    """Two job scripts, a revision in git, and a file in one are compared the same way."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "Agreed")
    (project / "calls.py").write_text(JOB, "utf-8")
    rewrite(project, *CHANGES)

    for old, new in [
        ("calls.py", "jobs/calls.py"),
        ("HEAD", "project.yaml"),
        ("HEAD", "jobs/calls.py"),
        ("HEAD:jobs/calls.py", "jobs/calls.py"),
        ("HEAD:project.yaml", "project.yaml"),
    ]:
        assert 4 == cli.main(["mapping", "diff", old, new]), old
        assert CHANGED == capsys.readouterr().out.splitlines(), old
    assert 0 == cli.main(["mapping", "diff", "HEAD", "HEAD:jobs/calls.py", "--json"])
    assert {"changes": [], "remarks": []} == json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("version", ["gone.xlsx", "gone.py", "no-such-revision", "--output=x", "HEAD:gone.py", ":x"])
def test_diff_of_what_is_not_there(project, version, capsys):
    """A version that can't be found is told with what to do; nothing that begins with a dash reaches git."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "Agreed")

    assert 2 == cli.main(["mapping", "diff", "--", version])
    told = capsys.readouterr().err
    assert "fix:" in told
    assert version.startswith("-") <= ("there is no file" in told)


def test_diff_of_different_exchanges(project, capsys):
    """A job script alone is compared with its own exchange; where there is none, that is said."""
    (project / "project.yaml").write_text(
        "name: calls\njobs:\n  one:\n    script: jobs/calls.py\n  two:\n    script: jobs/calls.py\n", "utf-8"
    )

    assert 2 == cli.main(["mapping", "diff", "jobs/calls.py"])
    assert "there is no exchange calls" in capsys.readouterr().err


def test_diff_as_a_workbook(project):
    """`-o` writes all rows with their mark and colour, those that are gone too, and what was there before."""
    cli.main(["mapping", "export", "signed.xlsx"])
    rewrite(project, *CHANGES)

    assert 4 == cli.main(["mapping", "diff", "signed.xlsx", "-o", "changes.xlsx"])

    sheet = openpyxl.load_workbook("changes.xlsx")["KINDS, calls"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    assert [
        ["Change", "Key", "Value", "Was"],
        ["changed", "0012", "meals", "value: food"],
        ["added", "c", "cash", None],
        ["removed", "=1+1", "cash", None],
    ] == rows
    assert 3 == len({sheet.cell(number, 2).fill.fgColor.rgb for number in (5, 6, 7)})
    assert 2 == cli.main(["mapping", "import", "changes.xlsx"])


def test_rows_with_the_same_place(project):
    """Where a job sends the same field twice, such as one answer or another, the rows are compared in their order."""
    rewrite(
        project, ('credential="desk")),', 'credential="desk"), post("/more", {"status": "late"}, credential="desk")),')
    )
    before = calls(project)
    rewrite(project, ('"late"', '"later"'), ('"status": "open"', '"status": "new"'))

    told = [differences.sentence(change) for change in differences.changes([before], [calls(project)])]

    assert [
        "changed  to desk, by post: status  default: open → new",
        "changed  to desk, by post: status  default: late → later",
    ] == told


def test_nothing_of_a_job_is_run(project):
    """The specification is read; the operations are never called."""
    rewrite(
        project, ("operations = [\n", "def never(state):\n    raise AssertionError\n\n\noperations = [\n    never,\n")
    )

    assert 11 == len(calls(project).rows)
    assert "calls: Carries calls." == next(texts.lines([calls(project)]))
