"""`runner logs`: the sheet that partners sign, as Markdown, CSV and JSON; and how an id stands in the log."""

import csv
import json

import pytest
from virtual import Service, made

from runner.cli import main
from runner.logs.events import EVENTS, FIELDS

PROJECT = "name: test\njobs: {sort: {script: sort.py}}\nlog: {shown_ids: [intervention, case_id]}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, in which the command is given."""
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_inventory_as_markdown(folder, capsys):
    """R-LG6 The sheet has a row for every event and for every field with its class, and the project's choice of ids."""
    assert 0 == main(["logs", "inventory"])
    lines = capsys.readouterr().out.splitlines()
    for name, field in FIELDS.items():
        assert f"| `{name}` | {field.kind} | {field.meaning} |" in lines
    for name, event in EVENTS.items():
        assert any(line.startswith(f"| `{name}` | {event.level} | {event.when}") for line in lines), name
    assert "Ids that are shown as they are, whosever they may be: intervention, case_id." == lines[-1]


def test_inventory_as_csv(folder, capsys):
    """R-LG6 As CSV it has one row for each field of each event."""
    assert 0 == main(["logs", "inventory", "--csv"])
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    fields = {(row["event"], row["field"], row["class"]) for row in rows}
    assert {("run_ended", name, FIELDS[name].kind) for name in EVENTS["run_ended"].fields} <= fields
    assert EVENTS.keys() <= {row["event"] for row in rows}


def test_inventory_as_json(folder, capsys):
    """R-LG5 R-LG6 As JSON it has the same rows, and the ids that are shown."""
    assert 0 == main(["logs", "inventory", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert ["intervention", "case_id"] == document["shown_ids"]
    assert {"event", "level", "when", "field", "class", "meaning"} == document["fields"][0].keys()


def test_how_an_id_stands_in_the_log(folder, capsys):
    """R-LG5 An id's form is the one that the service writes, on this data directory only."""
    with Service(folder / "data", jobs=[made("sort", on="x")]) as service:
        expected = service.vault.keyed("GAM-00000901")[:12]
    assert 0 == main(["logs", "keyed", "GAM-00000901"])
    assert f"keyed:{expected}\n" == capsys.readouterr().out
    assert 2 == main(["logs", "keyed", "GAM-00000901", "--data", str(folder / "other")])
    assert not (folder / "other").exists()


@pytest.mark.parametrize("table", ["{format: xml}", "{shown_ids: intervention}", "{level: debug}", "{folder: 7}"])
def test_settings_that_cannot_be_meant(folder, capsys, table):
    """The log's table knows format, folder and shown_ids; there is no level that would show more."""
    (folder / "project.yaml").write_text(PROJECT.replace("{shown_ids: [intervention, case_id]}", table))
    assert 3 == main(["logs", "inventory"])
    assert "project.yaml, line 3" in capsys.readouterr().err
