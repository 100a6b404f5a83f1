"""What is asked of a live Primero before anything is sent to it (adaptors/primero/probe.py, rights.py, snapshot.py)."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from adaptors.errors import NotAllowed
from adaptors.primero import check, rights
from adaptors.runtime import Runtime
from adaptors.sandbox import Fault, Sandbox

USES = [
    {"job": "in", "step": "upsert_case", "field": field, "written": True, "listed": False, "rules": [], "values": [],
     "keys": []}
    for field in ("unhcr_individual_no", "case_id")
]  # fmt: skip


def state_of(sandbox, transport=None):
    return {
        "configuration": sandbox.configuration,
        "runtime": Runtime(transport=transport or sandbox.transport, seed=1),
    }


def probed(sandbox, transport=None):
    """What the probe finds, by what it looked at."""
    state = state_of(sandbox, transport)
    try:
        return {found["what"]: found for found in check.probe(state, USES)}
    finally:
        state["runtime"].close()


class Changed(httpx.BaseTransport):
    """The sandbox, with something changed in its answers or in what is asked."""

    def __init__(self, sandbox, *, asked=lambda request: request, answered=lambda request, answer: answer):
        self._inner, self._asked, self._answered = sandbox.transport, asked, answered

    def handle_request(self, request):
        return self._answered(request, self._inner.handle_request(self._asked(request)))


def without_filters(request):
    """What a Primero asks that drops every filter it is given."""
    kept = [(name, value) for name, value in request.url.params.multi_items() if name in ("fields", "per", "page")]
    return httpx.Request(request.method, request.url.copy_with(params=kept), headers=request.headers)


def test_filters_that_filter():
    """H13 Nobody is found for a number that nobody has: the filters are applied."""
    found = probed(Sandbox(cases=3))["filters"]
    assert ("ok", "case_id, unhcr_individual_no: nobody is found for what nobody has") == (
        found["level"], found["found"],
    )  # fmt: skip


def test_filters_that_are_dropped():
    """H13 Where Primero drops a filter without a word, all cases come back: no job may run."""
    sandbox = Sandbox(cases=3)
    found = probed(sandbox, Changed(sandbox, asked=without_filters))
    assert ("wrong", "wrong") == tuple(found[f"filter {name}"]["level"] for name in ("case_id", "unhcr_individual_no"))
    assert "finds 3 of 3 cases" in found["filter case_id"]["found"]


def test_an_empty_primero():
    """H54 A Primero without a case is no fault: there is nothing to filter yet, and the check says so."""
    found = probed(Sandbox())
    assert "note" == found["filters"]["level"]
    assert not [each for each in found.values() if each["level"] == "wrong"]


@pytest.mark.parametrize(
    ("date", "level"),
    [("Mon, 23 Nov 2026 08:00:00 GMT", "ok"), ("Mon, 23 Nov 2026 09:00:00 GMT", "wrong"), (None, "note")],
)
def test_clocks(monkeypatch, date, level):
    """A server's clock that is a minute from ours is found; only a proxy tells the time at all (primero-api §15)."""
    monkeypatch.setattr(Runtime, "now", lambda self: datetime(2026, 11, 23, 8, 0, 30, tzinfo=UTC))
    sandbox = Sandbox()

    def dated(request, answer):
        if date:
            answer.headers["date"] = date
        return answer

    assert level == probed(sandbox, Changed(sandbox, answered=dated))["clock"]["level"]


def test_smaller_pages():
    """A server that grants smaller pages than usual is told of, since reading takes more requests there."""
    sandbox = Sandbox(cases=1)

    def smaller(request, answer):
        body = json.loads(answer.read())
        if "metadata" in body:
            body["metadata"]["per"] = min(body["metadata"]["per"], 100)
        return httpx.Response(answer.status_code, json=body)

    found = probed(sandbox, Changed(sandbox, answered=smaller))["pages"]
    assert ("note", "100 cases at a time, not 1000; reading takes more requests") == (found["level"], found["found"])


def test_a_refused_account():
    """What Primero refuses is raised as its operations raise it, for the check to tell."""
    state = state_of(Sandbox())
    state["configuration"] = {"primero": {**state["configuration"]["primero"], "password": "wrong"}}
    with pytest.raises(NotAllowed):
        list(check.probe(state, USES))
    state["runtime"].close()


def test_the_snapshot_without_the_right_to_see_users():
    """An account that may not read users learns nothing of its role: that is said, and the rest is checked."""
    sandbox = Sandbox()
    sandbox.faults.add(Fault("lose_permission", count=None, role="role-progres-integration", loses="user:read"))
    state = state_of(sandbox)
    known = check.snapshot(state, USES)
    state["runtime"].close()
    found = {each["what"]: each["level"] for each in check.check(USES, [], known)}
    assert (None, "note", "ok") == (known["role"], found["role"], found["version"])


def test_nothing_is_changed():
    """The check reads: it sends nothing but GET."""
    sandbox, methods = Sandbox(cases=2), set()

    def noted(request):
        methods.add(request.method)
        return request

    state = state_of(sandbox, Changed(sandbox, asked=noted))
    list(check.probe(state, USES))
    check.snapshot(state, USES)
    state["runtime"].close()
    assert {"GET"} == methods


@pytest.mark.parametrize(
    ("steps", "held", "found"),
    [
        (["get_cases"], ["read"], []),
        (["get_cases"], ["manage"], ["may more than it needs: case: manage"]),
        (["update_referral"], ["read", "receive_referral"], []),
        (["update_referral"], ["read"], ["lacks case: receive_referral"]),
        (["update_referral"], ["read", "write"], ["may more than it needs: case: write"]),
        (["upsert_case"], ["read", "create"], ["lacks case: services_section_from_case"]),
    ],
)
def test_rights(steps, held, found):
    """R-LP1 A role may do what its jobs need and nothing beyond; of several rights that would do, the least."""
    role = {"permissions": {"case": held}, "scope": "all"}
    assert found == [each["found"] for each in rights.of_role(steps, role) if each["level"] == "wrong"]


@pytest.mark.parametrize(("scope", "wrong"), [("all", 0), ("group", 0), ("agency", 1), ("self", 1)])
def test_scope(scope, wrong):
    """Who looks for a child must see all cases: else a second case is made of one that can't be seen."""
    role = {"permissions": {"case": ["read", "create", "services_section_from_case"]}, "scope": scope}
    assert wrong == sum(each["level"] == "wrong" for each in rights.of_role(["upsert_case"], role))
