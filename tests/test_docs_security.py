"""docs/security.md, docs/incident.md, docs/record-of-processing.md: what they claim is so."""

import re
import signal
import sqlite3
from contextlib import closing

import httpx
import pytest
from pages import DOCS, ROOT, blocks, text_of

from runner import dataflow, jobscript, project
from runner.cli import main
from runner.golive import checklist
from runner.golive.processing import record, sheet
from runner.logs.audit import CHECKLIST
from runner.store import FILE
from tests.test_docs import maker
from tests.test_serve import PROJECT, runner, serving

SECURITY, INCIDENT = DOCS / "security.md", DOCS / "incident.md"
ITEMS = re.findall(r"^\| (\d+\.\d+\.\d+) \|(.*)\|(.*)\|(.*)\|$", text_of(SECURITY), re.MULTILINE)


def test_every_item_has_a_test():
    """Each ASVS item names files and tests that are there; those that the promises name are among them."""
    assert {"13.2.4", "14.2.1", "16.1.1", "16.4.1"} <= {number for number, *_ in ITEMS}
    for number, _asks, where, tests in ITEMS:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", tests)
        assert named, number
        assert [] == [name for file, name in named if f"def {name}(" not in text_of(ROOT / "tests" / file)], number
        places = re.findall(r"`([\w/.]+)`|\]\(([\w-]+\.md)\)", where)
        assert all((ROOT / path if path else DOCS / page).is_file() for path, page in places), number


def test_rows_of_the_checklist_are_told():
    """security.md tells of each row what the program looks at and what people sign, a dash where they don't."""
    told = re.findall(r"^\| (K\d) \| .+ \| (.+) \|$", text_of(SECURITY), re.MULTILINE)
    assert list(CHECKLIST) == [row for row, _ in told]
    assert [bool(confirms) for _, confirms, _ in checklist._ROWS.values()] == [signed != "–" for _, signed in told]


def test_record_of_processing_is_current():
    """The record of processing is what the project file and the jobs say today; `make docs` mends it."""
    assert maker("make_record_of_processing").page() == text_of(DOCS / "record-of-processing.md")


def test_record_holds_every_field_that_leaves():
    """R-LP3 Whatever a job may send is in the record under that job and system, and what may be free text is marked."""
    found = project.load(ROOT / "project.yaml")
    flows = {(flow["job"], flow["direction"], flow["system"]): flow for flow in record(found)["flows"]}
    page = "\n".join(sheet(found))
    for job in found.jobs.values():
        for flow in dataflow.flows(jobscript.load(job.script, job.name)):
            told = flows[job.name, flow["direction"], flow["system"]]
            for field in flow["fields"]:
                assert field["field"] in told["fields"]
                assert f"`{field['field']}`" in page
                assert field["free_text"] != "yes" or field["field"] in told["free_text"]
    assert ["address_current", "services_section.service_referral_notes"] == (
        flows["progres_to_primero", "to", "primero"]["free_text"]
    )


def test_what_the_project_file_does_not_say(tmp_path, monkeypatch, capsys):
    """Where purpose and agreement aren't in the project file, the record says that they are missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whole.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT + "retention: {payload_days: 3}\n")
    assert 0 == main(["golive", "record"])
    said = capsys.readouterr().out
    assert "| purpose | to be written into the project file |" in said
    assert "| payloads that wait for a person | 3 |" in said


HAPPENINGS = [
    "key of the inbox", "certificate", "copied or stolen", "lost", "twice", "away for days", "key of the day", "disk",
    "audit log", "wrong child",
]  # fmt: skip


@pytest.mark.parametrize("what", HAPPENINGS)
def test_what_may_happen_is_told(what):
    """incident.md has a section for whatever may happen."""
    assert any(what in heading for heading in re.findall(r"^## (.+)$", text_of(INCIDENT), re.MULTILINE))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder with a key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whole.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    main(["keys", "create", "dtp"])
    return tmp_path


def shown(text):
    """Whether incident.md shows this output; receipts differ."""
    masked = re.sub(r"^receipt \w+", "receipt", text)
    return masked in [re.sub(r"^receipt \w+", "receipt", block) for block in blocks(INCIDENT, "text")]


def test_tampered_log(folder, capsys):
    """What `audit verify` says of a log that was changed is what incident.md shows."""
    with closing(sqlite3.connect(folder / "data" / FILE)) as db:
        db.execute("DROP TRIGGER audit_stays")
        db.execute("UPDATE audit SET who = 'somebody' WHERE number = 1")
        db.commit()
    capsys.readouterr()
    assert 4 == main(["audit", "verify"])
    assert shown(capsys.readouterr().out)


def test_erasing(folder, capsys):
    """What `erase` says is what incident.md shows."""
    capsys.readouterr()
    assert 0 == main(["erase", "--subject", "GAM-00000901"])
    assert shown(capsys.readouterr().out)


def test_key_that_is_gone(folder):
    """What the service says when a key of the day is gone is what incident.md shows."""
    key = runner(folder, "keys", "create", "another").stdout.strip()
    with serving(folder) as (process, url):
        httpx.post(f"{url}/inbox", json={"type": "for nobody"}, headers={"x-api-key": key})
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    (epoch,) = (folder / "data" / "keys").glob("2*.key")
    epoch.unlink()
    ended = runner(folder, "serve")
    assert 3 == ended.returncode
    assert shown(ended.stderr.replace(epoch.stem, "2026-03-02"))
