"""Agreed fields: records are cut down to them (adaptors/agreed.py)."""

import copy
import json

import pytest

from adaptors.agreed import Record, fields_in, keep
from adaptors.errors import JobError
from adaptors.paths import find

CASE = {
    "case_id": "c-1",
    "protection_concerns": ["secret"],
    "photos": [{"attachment_url": "/secret"}],
    "services": [{"type": "food", "note": "secret"}, {"note": "secret"}],
    "user.partner": {"Name": "Plan", "Id": "secret"},
}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (["case_id", "absent"], {"case_id": "c-1"}),
        (["services.type"], {"services": [{"type": "food"}, {}]}),
        (["services", "services.type"], {"services": CASE["services"]}),
        (["user.partner.Name"], {"user.partner": {"Name": "Plan"}}),
        (["user.partner"], {"user.partner": CASE["user.partner"]}),
        (["user"], {}),
        ([], {}),
    ],
)
def test_what_is_kept(fields, kept):
    """R-LP3 A record keeps the fields that were named, of a subform the columns that were named, and nothing else."""
    assert kept == keep(CASE, fields)
    assert kept == json.loads(json.dumps(keep(CASE, fields)))


READS = {
    "[…]": lambda record: record["phone"],
    "get": lambda record: record.get("phone"),
    "get with a default": lambda record: record.get("phone", ""),
    "a name": lambda record: find("phone", record),
    "a name with a dot": lambda record: find("phone.mobile", record),
    "JSONPath": lambda record: find("$.phone", record),
    "JSONPath into it": lambda record: find("$.case.phone", {"case": record}),
    "a column": lambda record: record["services"][0].get("phone"),
    "a copy": lambda record: copy.deepcopy(record).get("phone"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_reading_what_nobody_asked_for(read):
    """R-LP3 Reading a field that was not named is an error that says where to name it, and never a silent None."""
    record = keep({"sex": "female", "phone": "0911", "services": [{"type": "food"}]}, ["sex", "services.type"])

    with pytest.raises(JobError, match=r"^phone.* nobody asked for it") as caught:
        read(record)

    assert "fields=" in caught.value.fix
    assert "not_agreed_field" == caught.value.code


def test_absent_is_not_refused():
    """A field that was named and is absent is just absent, and so is what lies around or within it."""
    record = keep({}, ["sex", "user.partner.Name"])

    assert [None, None, "x"] == [record.get("sex"), record.get("user.partner"), record.get("user", "x")]
    assert not find("sex.of.child", record)
    assert not find("$.sex", record)
    with pytest.raises(KeyError):
        record["sex"]


def test_what_a_function_adds_is_there():
    """What a job writes into a record itself can be read again."""
    record = keep({"sex": "female"}, ["sex"])
    record["seen"] = True

    assert record.get("seen") is True
    assert isinstance(record, Record)


@pytest.mark.parametrize(
    ("reads", "fields"),
    [
        ({"data.sex", "data.user.title", "case.owned_by", "since"}, {"sex", "user.title"}),
        ({"$.services[*].type"}, {"services"}),
        ({"$.data.services[0]"}, {"data", "services"}),
        (set(), set()),
        ({"data.sex", "$"}, None),
        ({"data"}, None),
        ({"$[0]"}, None),
        ({"$..name"}, None),
        ({"$.*"}, None),
        ({"$.data"}, None),
        ({"$.data[0]"}, None),
    ],
)
def test_fields_that_paths_read(reads, fields):
    """The fields of the record are known from the paths; where a path may read any, none may be dropped."""
    assert fields == fields_in(reads)
