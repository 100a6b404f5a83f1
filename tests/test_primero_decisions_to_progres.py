"""1b: UNICEF's decisions to proGres (jobs/primero_decisions_to_progres.py)."""

from flows import child, intervention, outcomes, outgoing, run_job, send

from adaptors.ledger import MemoryLedger
from adaptors.sandbox import Sandbox
from adaptors.sandbox.faults import Fault

JOB = "primero_decisions_to_progres"
LONG_AGO = "2000-01-01T00:00:00Z"


def received(sandbox, **changes):
    """A referral of UNHCR's that stands in Primero; gives its case."""
    run_job("progres_to_primero", sandbox, data=outgoing(intervention(**changes)))
    (case,) = child(sandbox, "GAM-00000901")
    return case


def decide(sandbox, case, status, reason=None):
    """A caseworker writes the decision into the services form."""
    service = {"unique_id": case["services_section"][0]["unique_id"], "unhcr_referral_status": status}
    if reason:
        service["unhcr_referral_rejection_reason"] = reason
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [service]})


def sent(sandbox):
    """What DTP received beside the answer to the referral itself."""
    return [post.body for post in sandbox.dtp.received if post.body["status"] != "Pending Acknowledgement"]


def test_a_decision_arrives_with_every_field():
    """Every field of exchanges.md is sent."""
    sandbox = Sandbox()
    case = received(sandbox)
    decide(sandbox, case, "rejected", "No place free")

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["done"] == outcomes(run)
    assert [
        {
            "case_id": case["case_id"],
            "primero_user": "progresv4_primero_intake",
            "progres_interventionnumber": "GAM-26-PRTITV-0000901",
            "status": "rejected",
            "closure_reason": "No place free",
            "request_type": "ReceiveDecisionOutgoingReferral",
        }
    ] == sent(sandbox)


def test_a_pending_service_is_no_decision():
    """Only accepted and rejected are decisions."""
    sandbox = Sandbox()
    received(sandbox)

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert [[], []] == [outcomes(run), sent(sandbox)]


def test_editing_the_case_does_not_send_the_decision_again():
    """R-ID4 H20: a decision is sent when it differs from the last one sent: accepted, rejected, accepted are three."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    case = received(sandbox)
    for status in ("accepted", "accepted", "rejected", "accepted"):
        decide(sandbox, case, status)
        run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)

    assert ["acknowledged", "rejected", "acknowledged"] == [post["status"] for post in sent(sandbox)]


def test_a_decision_is_found_by_its_number_whoever_asked():
    """H11: a referral that a partner submitted to UNHCR gets its decision; no agency's name is compared."""
    sandbox = Sandbox()
    case = received(sandbox, user__progres_partner={"Name": "Another Partner"})
    decide(sandbox, case, "Accepted")

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["done"] == outcomes(run)
    assert ["No reason specified."] == [post["closure_reason"] for post in sent(sandbox)]


def test_a_decision_waits_behind_an_answer_that_waits():
    """H51: per intervention nothing later is sent while an earlier answer is undelivered."""
    sandbox, ledger, outbox = Sandbox(), MemoryLedger(), []
    sandbox.dtp.faults.add(Fault("fail_before", method="POST", path="/ReceiveDecision"))
    run_job("progres_to_primero", sandbox, ledger=ledger, outbox=outbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    decide(sandbox, case, "accepted")

    early = run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)
    run_job("progres_answers", sandbox, ledger=ledger, outbox=outbox)
    late = run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)

    assert [["failed"], ["done"]] == [outcomes(early), outcomes(late)]
    assert ["Pending Acknowledgement", "acknowledged"] == [post.body["status"] for post in sandbox.dtp.received]
