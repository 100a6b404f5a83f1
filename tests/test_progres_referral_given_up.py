"""1a, the last word (jobs/progres_referral_given_up.py)."""

import pytest
from flows import child, intervention, outcomes, outgoing, run_job, send

from adaptors.ledger import MemoryLedger
from adaptors.primero import find_service
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from adaptors.sandbox.faults import Fault

FIRST, LAST = "progres_to_primero", "progres_referral_given_up"


def answers(sandbox):
    return [post.body for post in sandbox.dtp.received]


def test_what_never_reached_primero_is_told_as_failed():
    """H36: after the last try the sender is not left without an answer."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    sandbox.faults.add(Fault("bad_gateway", count=None, path="/api/v2"))
    tried = run_job(FIRST, sandbox, ledger=ledger, data=outgoing(intervention()))

    run = run_job(LAST, sandbox, ledger=ledger, data=outgoing(intervention()), error={"code": tried.items[0]["code"]})

    assert [["failed"], ["done"]] == [outcomes(tried), outcomes(run)]
    assert [
        {
            "status": "Delivery Fail",
            "closure_reason": "Primero could not be reached in the agreed time",
            "request_type": "Feedback",
            "progres_interventionnumber": "GAM-26-PRTITV-0000901",
        }
    ] == answers(sandbox)


@pytest.mark.parametrize("kind", ["fail_before", "too_many", "reset", "time_out", "lock"])
def test_every_way_of_being_away_is_told_alike(kind):
    """H36: however Primero was away, the officer reads that it could not be reached, not a riddle."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    sandbox.faults.add(Fault(kind, count=None, path="/api/v2"))
    tried = run_job(FIRST, sandbox, ledger=ledger, data=outgoing(intervention()))
    sandbox.faults.clear()

    run_job(LAST, sandbox, ledger=ledger, data=outgoing(intervention()), error={"code": tried.items[0]["code"]})

    assert ["Primero could not be reached in the agreed time"] == [
        answer["closure_reason"] for answer in answers(sandbox)
    ]


def test_what_stands_in_primero_is_told_as_delivered_however_late():
    """H49: the reply was lost, the service stands: the only answer is "Pending Acknowledgement"."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    sandbox.faults.add(Fault("fail_after", method="POST", path="/api/v2/cases"))
    run_job(FIRST, sandbox, ledger=ledger, data=outgoing(intervention()))

    run_job(LAST, sandbox, ledger=ledger, data=outgoing(intervention()), error={"code": "server_error"})

    assert ["Pending Acknowledgement"] == [answer["status"] for answer in answers(sandbox)]


def test_what_can_not_be_looked_up_is_not_guessed():
    """H49: it may stand in Primero, and Primero can't be asked: nothing is said yet."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    sandbox.faults.add(Fault("fail_after", method="POST", path="/api/v2/cases"))
    run_job(FIRST, sandbox, ledger=ledger, data=outgoing(intervention()))
    sandbox.faults.add(Fault("bad_gateway", count=None, path="/api/v2"))

    run = run_job(LAST, sandbox, ledger=ledger, data=outgoing(intervention()), error={"code": "server_error"})

    assert [["failed"], []] == [outcomes(run), answers(sandbox)]


@pytest.mark.parametrize("number", [None, ""])
def test_a_service_without_a_number_is_nobodys(number):
    """H49 Without a number nothing is found: a caseworker's own service, which has none either, isn't it."""
    sandbox = Sandbox()
    run_job(FIRST, sandbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [{"service_type": "alternative_care"}]})
    state = {"data": {}, "configuration": sandbox.configuration, "runtime": Runtime(transport=sandbox.transport)}
    match = {"unhcr_individual_no": "GAM-00000901"}

    assert [None, case["case_id"]] == [
        (find_service(wanted, match=match)(state)["data"] or {}).get("case_id")
        for wanted in (number, "GAM-26-PRTITV-0000901")
    ]
