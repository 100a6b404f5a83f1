"""The judge of `make chaos`: what is well is found well, and each thing that goes wrong is found."""

import copy
import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.chaos.judge import Ended, violations
from tests.chaos.plan import FAMILY, NOTES, Asked, Child, Plan, Step, draw, draw_over_database

CHILD, OTHER = Child("GAM-1", "Nyaruot", FAMILY), Child("GAM-2", "Obang", FAMILY)
GOOD, BAD = "GAM-26-CHAOS-1-0", "GAM-26-CHAOS-1-1"
PLAN = Plan(
    seed=1, speed=1, before_midnight=0, hours=72, cases=0, steps=[],
    asked=[Asked(CHILD, GOOD, "BID"), Asked(OTHER, BAD, "BID", "Invalid data")],
)  # fmt: skip
BODY = json.dumps({"interventions": [{"progres_interventionnumber": GOOD}, {"progres_interventionnumber": BAD}]})
SENT = "c2#" + "b" * 12


def well():
    """An end at which nothing is wrong: one referral delivered and accepted, one refused, one sent and accepted."""
    from_unhcr = {
        "unique_id": "a" * 36, "progres_interventionnumber": GOOD, "service_type": "focuses_non_specialized_mhpss_care",
        "service_referral_notes": f"{NOTES} about {GOOD}", "service_request_external": True,
        "unhcr_referral_status": "accepted",
    }  # fmt: skip
    to_unhcr = {"unique_id": "b" * 36, "service_type": "food", "service_implementing_agency": "UNHCR"}
    referral = {"id": "r-1", "transitioned_to": "unhcr_cw", "service_record_id": "b" * 36, "status": "accepted"}
    whole = {"id": "r-2", "transitioned_to": "unhcr_cw", "service_record_id": None, "status": "in_progress"}
    consent = {"consent_for_services": True, "disclosure_other_orgs": True}
    return Ended(
        cases=[
            {"id": "1", "case_id": "c1", "unhcr_individual_no": "GAM-1", "name_first": "Nyaruot", "name_last": FAMILY,
             "services_section": [from_unhcr], "referrals": []},
            {"id": "2", "case_id": "c2", "name_first": "Ariet", "services_section": [to_unhcr],
             "referrals": [referral, whole], "address_current": "Zone 0, moved", **consent},
        ],
        posts=[
            {"body": {"progres_interventionnumber": GOOD, "status": "Pending Acknowledgement", "case_id": "c1"}},
            {"body": {"progres_interventionnumber": BAD, "status": "Delivery Fail", "closure_reason": "Invalid data"}},
            {"body": {"progres_interventionnumber": GOOD, "status": "acknowledged"}},
            {"body": {"request_type": "ReceiveIncomingReferral", "id": SENT, "name_first": "Ariet", "status": None}},
        ],
        taken=[(BODY, "m1")],
        decisions={SENT: ("125080000", False)},
        edits={"2": "Zone 0, moved"},
        messages={"m1": "refused"},
        units=[SimpleNamespace(id="u1", job="progres_to_primero", status="succeeded", code=None)],
        successes=Counter({"u1": 1}),
        answers={GOOD: "done", BAD: "done"},
        parked=[SimpleNamespace(job="primero_to_progres", code="no_service")],
        reconciled=[
            {"code": "answer_unknown", "job": "reconcile", "ids": {"intervention": "GAM-26-BEFORE-1"}},
            {"code": "no_service", "job": "primero_to_progres", "ids": {"id": "2"}},
            {"code": "not_sent_yet", "job": "primero_to_progres", "ids": {"case": "2", "referral": "r-2"}},
        ],
        outbox=0,
    )  # fmt: skip


def service(ended):
    return ended.cases[0]["services_section"][0]


def swap_posts(ended):
    ended.posts[0], ended.posts[2] = ended.posts[2], ended.posts[0]


WRONGS = {
    "is None": lambda ended: ended.messages.pop("m1"),
    "never answered 202": lambda ended: ended.messages.update(m2="succeeded"),
    "succeeded 2 times": lambda ended: ended.successes.update(["u1"]),
    "is dead": lambda ended: ended.units.append(
        SimpleNamespace(id="u2", job="progres_to_primero", status="dead", code="x")
    ),
    "one body became 2": lambda ended: (
        ended.taken.extend([(BODY, "m3"), (BODY, "m4")]), ended.messages.update(m3="succeeded", m4="succeeded")
    ),
    "was never taken": lambda ended: ended.taken.clear(),
    "has 2 cases": lambda ended: ended.cases.append({**ended.cases[0], "id": "3", "services_section": []}),
    "stands 0 times": lambda ended: ended.cases[0]["services_section"].clear(),
    "stands 2 times": lambda ended: ended.cases[0]["services_section"].append(service(ended)),
    "another child's names": lambda ended: ended.cases[0].update(name_first="Obang"),
    "another intervention's notes": lambda ended: service(ended).update(service_referral_notes="x"),
    "another service": lambda ended: service(ended).update(service_type="food"),
    "stands with another child": lambda ended: ended.cases[0].update(unhcr_individual_no="GAM-2"),
    "nobody asked": lambda ended: service(ended).update(progres_interventionnumber="GAM-26-CHAOS-1-9"),
    "without an answer": lambda ended: ended.posts.pop(1),
    "the last word was Delivery Fail": lambda ended: ended.posts[0]["body"].update(
        status="Delivery Fail", closure_reason="Invalid data"
    ),
    "the last word was Pending": lambda ended: ended.posts[1]["body"].update(status="Pending Acknowledgement"),
    "was refused for": lambda ended: ended.posts[1]["body"].update(closure_reason="x"),
    "with another case": lambda ended: ended.posts[0]["body"].update(case_id="c2"),
    "holds data": lambda ended: ended.posts[1]["body"].update(note=FAMILY),
    "the ledger says": lambda ended: ended.answers.update({GOOD: "intended"}),
    "wait in the outbox": lambda ended: object.__setattr__(ended, "outbox", 1),
    "is decided (acknowledged)": lambda ended: ended.posts.pop(2),
    "before it was answered": swap_posts,
    "was never sent": lambda ended: ended.posts.pop(3),
    "sent and must not be": lambda ended: ended.cases[1].update(disclosure_other_orgs=False),
    "with another child's name": lambda ended: ended.posts[3]["body"].update(name_first="Obang"),
    "UNHCR said accepted": lambda ended: ended.cases[1]["referrals"][0].update(status="rejected"),
    "decisions are parked": lambda ended: ended.decisions.update({"x#y": ("125080000", False)}),
    "records are parked": lambda ended: ended.parked.append(
        SimpleNamespace(job="primero_to_progres", code="unreachable")
    ),
    "reconciling finds answer_unknown": lambda ended: ended.reconciled[0]["ids"].update(intervention=GOOD),
    "reconciling finds not_sent": lambda ended: ended.reconciled.append(
        {"code": "not_sent", "job": "primero_to_progres", "ids": {"case": "2", "referral": "r-1"}}
    ),
    "was overwritten": lambda ended: ended.cases[1].update(address_current="elsewhere"),
}  # fmt: skip


def test_all_is_well():
    """R-DV1 An end at which nothing is wrong is found well."""
    assert [] == violations(PLAN, well())


@pytest.mark.parametrize("complaint", WRONGS)
def test_each_wrong_is_found(complaint):
    """R-DV1 Each thing that may go wrong is found, and told in a sentence."""
    ended = copy.deepcopy(well())
    WRONGS[complaint](ended)
    assert [] != [found for found in violations(PLAN, ended) if complaint in found]


def test_what_was_given_up():
    """H36 Where the agreed time was over, a referral may be missing; then UNHCR must have been told so."""
    ended = well()
    ended.cases[0]["services_section"].clear()
    ended.posts.pop(2)
    ended.posts[0]["body"] |= {"status": "Delivery Fail", "closure_reason": "Primero could not be reached in …"}
    assert [] == violations(replace(PLAN, hours=0.001), ended)
    ended.posts.pop(0)
    assert [] != violations(replace(PLAN, hours=0.001), ended)


def test_what_was_posted_again_while_it_waited():
    """H21 Where DTP refused, a repeat of what waits for a person is a message of its own, and may succeed as well."""
    ended = well()
    ended.taken.extend([(BODY, "m3"), (BODY, "m4")])
    ended.messages.update(m3="succeeded", m4="succeeded")
    refusing = replace(PLAN, steps=[Step(1, "DTP refuses", {"way": "echo", "count": 1})])
    assert [] == violations(refusing, ended)
    assert [] != violations(PLAN, ended)


def test_plan_over_a_database():
    """H16 Over a database the plan is the same, and the database is ended and started in its midst, always alike."""
    for seed in range(1, 30):
        plan, without = draw_over_database(seed), draw(seed, real_clock=True)
        assert list(draw_over_database(seed).lines()) == list(plan.lines())
        kinds = {step.kind for step in plan.steps if "database" in step.kind}
        assert {"database restarts", "database cuts off"} == kinds
        assert without.steps == [step for step in plan.steps if not step.kind.startswith("database")]
    assert {True, False} == {draw_over_database(seed).keys_with_program for seed in range(1, 30)}


def test_plan_of_a_seed():
    """A seed has always the same plan, and another one has another."""
    assert list(draw(13).lines()) == list(draw(13).lines())
    assert list(draw(13).lines()) != list(draw(14).lines())
