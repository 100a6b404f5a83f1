"""Answers that are none of Primero's (adaptors/primero/connection.py, reading.py, metadata.py, referrals.py)."""

import json

import httpx
import pytest

from adaptors.errors import Unreachable
from adaptors.primero import (
    create_referral,
    find_case,
    get_agencies,
    get_case,
    get_cases,
    get_forms,
    get_locations,
    get_lookups,
    get_referrals,
    get_users,
    update_referral,
)
from adaptors.runtime import Runtime

CASE = "00000000-0000-4000-8000-000000000001"
SERVICES = ["services_section.unique_id"]
NAME = "Nyaruot Erfunden"
PAGE = {"total": 1, "per": 1000, "page": 1}

LISTS = {
    "cases": get_cases(fields=["case_id"]),
    "cases since": get_cases(fields=["case_id"], since="2026-03-01T00:00:00Z"),
    "cases by a value": find_case({"case_id": "c-1"}, fields=SERVICES),
    "users": get_users(),
    "user": get_users(user_name="cp_worker"),
    "lookups": get_lookups(),
    "locations": get_locations(),
    "agencies": get_agencies(),
}
WITHOUT_PAGES = {
    "forms": get_forms(),
    "referrals": get_referrals(CASE),
    "referral to answer": update_referral(CASE, "r-1", {"status": "accepted"}),
    "referral to make": create_referral(CASE, {"transitioned_to": "unhcr_cw"}),
}
RECORD = {"case": get_case(CASE, fields=SERVICES)}

NO_DATA = {"text": NAME, "number": 5, "list": [NAME], "nothing": None, "no data": {"name": NAME}}
NO_LIST = {
    "text": NAME,
    "nothing": None,
    "record": {"id": CASE},
    "number": 5,
    "names": [NAME],
    "holes": [None],
    "empty": [{}],
    "no": False,
}
NO_PAGE = {
    "no metadata": {"data": []},
    "text for metadata": {"data": [], "metadata": NAME},
    "no total": {"data": [], "metadata": {"per": 20}},
    "text for a total": {"data": [], "metadata": {**PAGE, "total": NAME}},
    "no ids": {"data": [{"name": NAME}], "metadata": PAGE},
    "a list for an id": {"data": [{"id": [NAME]}], "metadata": PAGE},
    "a name for an id": {"data": [{"id": NAME}], "metadata": PAGE},
    "a word for an id": {"data": [{"id": "nyaruot"}], "metadata": PAGE},
}
NO_RECORD = {"text": NAME, "list": [{"id": CASE}], "nothing": None, "empty": {}, "no id": {"case_id": "c-1"}}
NO_SUBFORM = {"text": NAME, "record": {"unique_id": "s-1"}, "names": [NAME]}


def asked(operation, body, *, version="2.14.5"):
    """What the operation raises when Primero answers all but the question for its version with this body."""

    def answer(request):
        if request.url.path.endswith("/system_settings") and version:
            return httpx.Response(200, json={"data": {"primero_version": version}})
        return httpx.Response(200, content=json.dumps(body))

    runtime = Runtime(transport=httpx.MockTransport(answer), seed=1)
    runtime.sleep = lambda seconds: None
    credential = {"url": "https://primero.example.org", "user": "integration", "password": "x"}
    with pytest.raises(Unreachable) as caught:
        operation({"configuration": {"primero": credential}, "runtime": runtime, "data": {}, "item": {}})
    return caught.value


def shapes(operations, bodies):
    return [
        pytest.param(operation, body, id=f"{name}: {shape}")
        for name, operation in operations.items()
        for shape, body in bodies.items()
    ]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        *shapes(LISTS | WITHOUT_PAGES | RECORD, NO_DATA),
        *shapes(LISTS, {name: {"data": data, "metadata": PAGE} for name, data in NO_LIST.items()}),
        *shapes(LISTS, NO_PAGE),
        *shapes(WITHOUT_PAGES, {name: {"data": data} for name, data in NO_LIST.items()}),
        *shapes(RECORD, {name: {"data": data} for name, data in NO_RECORD.items()}),
        *shapes(RECORD, {name: {"data": {"id": CASE, "services_section": held}} for name, held in NO_SUBFORM.items()}),
    ],
)
def test_answers_of_another_shape(operation, body):
    """H10 H41 What isn't an answer of Primero's is told as such, tried again, and shows nothing of what it holds."""
    error = asked(operation, body)
    assert ("unreadable_answer", True, False) == (error.code, error.retryable, error.unknown)
    assert NAME not in f"{error} {error.fix}"


@pytest.mark.parametrize("data", NO_RECORD.values(), ids=NO_RECORD)
def test_version_of_another_shape(data):
    """H10 The same where Primero is asked for its version."""
    body = {"data": data} if data != NO_RECORD["no id"] else NAME
    assert "unreadable_answer" == asked(get_cases(fields=["case_id"], referred_to="unhcr_cw"), body, version=None).code


@pytest.mark.parametrize("body", [NAME, [], {"data": NAME}, {"data": None}, {}], ids=json.dumps)
def test_a_write_that_is_answered_so_may_have_taken_effect(body):
    """H19 Where a referral was posted, such an answer leaves open whether it was made."""

    def answer(request):
        return httpx.Response(200, content=json.dumps({"data": []} if request.method == "GET" else body))

    runtime = Runtime(transport=httpx.MockTransport(answer), seed=1)
    credential = {"url": "https://primero.example.org", "user": "integration", "password": "x"}
    with pytest.raises(Unreachable) as caught:
        WITHOUT_PAGES["referral to make"]({"configuration": {"primero": credential}, "runtime": runtime})
    assert ("unreadable_answer", True) == (caught.value.code, caught.value.unknown)
