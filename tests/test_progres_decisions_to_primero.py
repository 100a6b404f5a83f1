"""2b: UNHCR's decisions into Primero (jobs/progres_decisions_to_primero.py)."""

import pytest
from flows import decision, held, outcomes, run_job, send
from test_primero_to_progres import refer

from adaptors.sandbox import Sandbox

JOB = "progres_decisions_to_primero"


def referral_id(case, service):
    return f"{case['case_id']}#{service['unique_id'][-12:]}"


def statuses(sandbox, case):
    return [referral["status"] for referral in held(sandbox, f"/cases/{case['id']}/referrals")]


@pytest.mark.parametrize("code", ["125080000", 125080000, "accepted"])
def test_an_acceptance_is_written(code):
    """H8: the code counts as text, be it a number or the word."""
    sandbox = Sandbox()
    case, service = refer(sandbox)

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), code))

    assert [["done"], ["accepted"]] == [outcomes(run), statuses(sandbox, case)]


def test_a_rejection_is_written_with_reason_and_comment():
    """The reason's code becomes words; the comment follows it, under either of its two spellings."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    told = decision(
        referral_id(case, service),
        "125080001",
        progres_interoperabiltyreferralrejectionreason="125080001",
        progres_interoperabilityreferralrejectionomment="see file",
    )

    run_job(JOB, sandbox, data=told)

    (referral,) = held(sandbox, f"/cases/{case['id']}/referrals")
    assert ["rejected", "Individual Not Match UNHCR ID: see file"] == [referral["status"], referral["rejected_reason"]]


def test_the_same_decision_again_is_unchanged():
    """H22: decided the same way already: nothing is sent."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))
    before = held(sandbox, f"/cases/{case['id']}")

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))

    assert ["unchanged"] == outcomes(run)
    assert before == held(sandbox, f"/cases/{case['id']}")


def test_a_contradiction_is_parked():
    """H23: what is decided in Primero is never overwritten."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "rejected"))

    assert [("parked", "decided_otherwise")] == [(item["outcome"], item["code"]) for item in run.items]
    assert ["accepted"] == statuses(sandbox, case)


def test_an_unknown_code_is_parked():
    """H8: a decision whose code is unknown is not guessed."""
    sandbox = Sandbox()
    case, service = refer(sandbox)

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "125080007"))

    assert [["parked"], ["in_progress"]] == [outcomes(run), statuses(sandbox, case)]


def test_the_referral_in_progress_is_meant():
    """H9: among several referrals of one service the one in progress is answered, not an old one."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    run_job(JOB, sandbox, data=decision(referral_id(case, service), "rejected"))
    again = {"transitioned_to": "unhcr_cw", "service_record_id": service["unique_id"]}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", again)

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))

    assert ["done"] == outcomes(run)
    assert ["accepted", "rejected"] == sorted(statuses(sandbox, case))


def test_two_in_progress_are_parked():
    """H9: two in progress: not guessed."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    again = {"transitioned_to": "unhcr_cw", "service_record_id": service["unique_id"]}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", again)

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))

    assert [["parked"], ["in_progress", "in_progress"]] == [outcomes(run), statuses(sandbox, case)]


def test_withdrawn_consent_is_parked():
    """H10: Primero refuses the decision because consent was withdrawn: told as such, for a person to settle."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"consent_for_services": False})

    run = run_job(JOB, sandbox, data=decision(referral_id(case, service), "accepted"))

    assert ["parked"] == outcomes(run)
    assert "consent" in run.items[0]["message"]


@pytest.mark.parametrize(
    "unknown", ["nobody#aabbccddeeff", "no hash sign", "x#short", "", None, 12, {"a": 1}, '"#aabbccddeeff']
)
def test_what_names_no_referral_is_parked(unknown):
    """H10: not found is told apart from a broken network, and holds nobody else up."""
    run = run_job(JOB, Sandbox(), data=decision(unknown, "accepted"))

    assert ["parked"] == outcomes(run)
