"""What leaves for another system: the mapping's fields, and no others (adaptors/outgoing.py)."""

import pytest

from adaptors.common import data_value, derive, free_text, join, lookup, source_value
from adaptors.errors import InvalidData, JobError
from adaptors.operations import Operation
from adaptors.outgoing import Outgoing, fields_of

CANARY = "Nyaruot Beispiel"


def test_fields_and_what_they_are_made_of():
    """R-LP3 The fields that may leave, and where each comes from, are known without running anything."""
    fields = fields_of(
        {
            "status": "open",
            "name": join(" ", data_value("first"), data_value("last")),
            "services": [{"type": lookup({}, data_value("type"))}, {"type": "other", "day": source_value("case.day")}],
            "languages": [data_value("one"), data_value("two")],
            "notes": derive(str, free_text("notes", 10)),
            "left": free_text("more", None),
            "empty": [],
        }
    )

    assert {
        "status": set(),
        "name": {"data.first", "data.last"},
        "services.type": {"data.type"},
        "services.day": {"case.day"},
        "languages": {"data.one", "data.two"},
        "notes": {"data.notes"},
        "left": set(),
        "empty": set(),
    } == {name: field.reads for name, field in fields.items()}
    assert {"notes": {"data.notes"}, "left": {"data.more"}} == {
        name: field.free_text for name, field in fields.items() if field.free_text
    }


@pytest.mark.parametrize("mapping", [data_value("$"), lambda state: state["data"]], ids=["promise", "function"])
def test_what_is_computed_must_be_told(mapping):
    """R-LP3 Where a body is computed, its fields must be named when the job is loaded; another one is refused."""
    with pytest.raises(JobError, match="can't be known") as caught:
        Outgoing(mapping)
    assert "fields=" in caught.value.fix

    agreed = Outgoing(mapping, fields=["status", "service.type"])

    assert {"status", "service.type"} == set(agreed.fields)
    told = {"status": "x", "service": {"type": "food"}}
    assert told == agreed.body({"data": told})
    with pytest.raises(JobError, match=r"^service\.note would be sent, but is not among the agreed") as caught:
        agreed.body({"data": {"service": [{"type": "food"}, {"note": CANARY}]}})
    assert CANARY not in f"{caught.value} {caught.value.fix}"


@pytest.mark.parametrize("name", [CANARY, "Nyaruot", "a b", "ንያሩት", "x" * 81])
def test_a_field_named_after_a_child_is_not_told(name):
    """H41 A name that was made from a record's content is told by its length only."""
    agreed = Outgoing(data_value("$"), fields=["status"])

    with pytest.raises(JobError, match=rf"a field whose name has {len(name)} characters") as caught:
        agreed.body({"data": {name: 1}})

    assert name not in f"{caught.value} {caught.value.fix}"


@pytest.mark.parametrize("value", ["text", 7, [CANARY]])
def test_a_bare_value_is_no_body(value):
    """What is computed must turn out to be an object with the fields that were named."""
    with pytest.raises(JobError, match=r"^a bare value would be sent"):
        Outgoing(data_value("$"), fields=["status"]).body({"data": value})


@pytest.mark.parametrize("value", [{"Name": CANARY}, [{"Name": CANARY}], {"a": {CANARY: 1}}, [["x", {"y": CANARY}]]])
def test_an_object_where_a_value_belongs(value):
    """R-LP3 A field that turns out to hold an object is refused: its inner fields were agreed by nobody."""
    agreed = Outgoing({"agency": data_value("user.partner"), "sex": "female"})

    with pytest.raises(InvalidData, match=r"^user\.partner: an object where a value belongs; agency would") as caught:
        agreed.body({"data": {"user.partner": value}})

    assert ("user.partner",) == caught.value.fields
    assert CANARY not in f"{caught.value} {caught.value.fix}"


@pytest.mark.parametrize("value", [None, "x", 7, True, ["a", "b"], [], {}])
def test_values_that_may_leave(value):
    """Values and lists of values leave as they are, under the field's name."""
    assert {"x": value} == Outgoing({"x": data_value("x")}).body({"data": {"x": value}})


def test_no_body():
    """Where nothing is sent, no field may leave."""
    nothing = Outgoing(None)

    assert ({}, None) == (nothing.fields, nothing.body({}))


def test_bare_functions_within():
    """A bare function inside a mapping is refused when the job is loaded."""
    with pytest.raises(JobError, match="bare function"):
        Outgoing({"sex": str.upper})


def test_an_operation_tells_for_those_within():
    """H40 What an operation reads includes what those within it read; who says nothing may read all."""
    silent = Operation("silent", dict)
    inner = Operation("inner", dict, reads=frozenset({"data.sex"}))
    outer = Operation("outer", dict, reads=frozenset({"case.id"}), steps=[inner])

    assert {"$"} == silent.reads
    assert {"data.sex", "case.id"} == outer.reads
    assert {"$", "case.id"} == Operation("both", dict, reads=frozenset({"case.id"}), steps=[print]).reads
