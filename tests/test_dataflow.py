"""What jobs take and send, field by field, without running them (runner/dataflow.py, `runner list --fields`)."""

import json
from pathlib import Path

import pytest

from adaptors.common import combine, data_value, each, fn_if, free_text, map_values, once, save_as, source_value
from adaptors.http import get, post
from adaptors.primero import find_case
from runner import cli, dataflow
from runner.jobscript import JobScript

CALL = post(
    "/calls",
    {
        "id": data_value("id"),
        "kind": "call",
        "notes": [{"text": free_text("notes", 10)}],
        "address": free_text("address", None),
        "by": source_value("owner.name"),
    },
    credential="desk",
)
SENT = [
    {"field": "id", "reads": ["id"], "free_text": "no"},
    {"field": "kind", "reads": [], "free_text": "no"},
    {"field": "notes.text", "reads": ["notes"], "free_text": "yes"},
    {"field": "address", "reads": [], "free_text": "left out"},
    {"field": "by", "reads": ["owner.name"], "free_text": "no"},
]


def flows(*operations):
    return dataflow.flows(JobScript("calls", Path("calls.py"), "", operations))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (CALL, ((), ("desk",))),
        (get("/calls", credential="desk", query={"id": data_value("id")}), ((), ())),
        (each([], find_case({"case_id": data_value("id")}, fields=["owned_by"])), (("primero",), ())),
    ],
    ids=["writes", "asks", "finds"],
)
def test_systems(operation, expected):
    """What is sent only to find something writes nothing, so that nobody takes its system for a recipient."""
    assert expected == dataflow.systems(JobScript("calls", Path("calls.py"), "", (operation,)))


WRAPPED = {
    "alone": CALL,
    "each": each([], CALL),
    "when refused": each([], map_values({}), when_refused=[CALL]),
    "once": once("call", data_value("id"), CALL),
    "fn_if": fn_if(True, CALL),
    "combine": combine(map_values({}), CALL),
    "save_as": save_as("answer", CALL),
    "deep": each([], fn_if(True, combine(once("call", "1", save_as("x", CALL))))),
}


@pytest.mark.parametrize("operation", WRAPPED.values(), ids=WRAPPED.keys())
def test_what_is_sent_is_found_wherever_it_stands(operation):
    """R-LP3 Whatever stands around an operation, the fields it may send are told, with what each is made of."""
    assert [{"direction": "to", "system": "desk", "operation": "post", "fields": SENT}] == flows(operation)


def test_what_is_read_of_a_message():
    """R-LP3 What a job reads of the message is told; a function that doesn't say may read anything."""
    told = each("$.data.calls[*]", CALL)
    silent = each("$.data.calls[*]", dict)

    names = [[field["field"] for field in flows(operation)[0]["fields"]] for operation in (told, silent)]

    assert [["id", "notes"], ["anything"]] == names
    assert {"direction": "from", "system": "message", "operation": "each"}.items() <= flows(silent)[0].items()


def test_what_is_searched_for():
    """R-LP3 The fields of a query leave, too."""
    (flow,) = flows(get("/calls", credential="desk", query={"number": data_value("id")}))

    assert [{"field": "number", "reads": ["id"], "free_text": "no"}] == flow["fields"]


def test_computed_bodies_name_their_fields():
    """R-LP3 Of a body that a function computes, the named fields are told, each made of anything."""
    (flow,) = flows(post("/calls", lambda state: {}, credential="desk", fields=["id"]))

    assert [{"field": "id", "reads": ["anything"], "free_text": "no"}] == flow["fields"]


JOB = '''"""Carries calls."""

from adaptors.common import data_value, each, free_text
from adaptors.http import get, post

operations = [
    each("$.data.calls[*]", post("/calls", {"id": data_value("id"), "kind": "call",
         "notes": free_text("notes", 9), "why": free_text("why", None)}, credential="desk")),
]
'''


@pytest.fixture
def project(tmp_path):
    """A project with one job."""
    (tmp_path / "calls.py").write_text(JOB, "utf-8")
    (tmp_path / "project.yaml").write_text("name: calls\njobs:\n  calls:\n    script: calls.py\n", "utf-8")
    return tmp_path / "project.yaml"


def test_the_list_for_people(project, capsys):
    """`runner list --fields` says of every job what it takes and sends, and what that is made of."""
    assert 0 == cli.main(["list", "--fields", "--project", str(project)])

    assert [
        "calls",
        "  from message, by each",
        "    id, notes",
        "  to desk, by post",
        "    id     ← id",
        "    kind   ← constant",
        "    notes  ← notes (free text)",
        "    why    ← free text, left out",
    ] == capsys.readouterr().out.splitlines()


def test_the_list_for_programs(project, capsys):
    """`--json` gives the same as one document."""
    assert 0 == cli.main(["list", "--fields", "--json", "--project", str(project)])

    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert "calls" == job["job"]
    assert ["from", "to"] == [flow["direction"] for flow in job["flows"]]
    assert ["no", "no", "yes", "left out"] == [field["free_text"] for field in job["flows"][1]["fields"]]
