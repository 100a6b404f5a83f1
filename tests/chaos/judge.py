"""What must be true in the end, whatever happened: an independent reading of the rules, against plain data.

Each violation is one sentence with ids of invented things.
"""

import json
from collections import Counter
from dataclasses import dataclass

from tests.chaos.plan import CANARIES, NOTES, UNAGREED_TIME

DELIVERED, FAILED = "Pending Acknowledgement", "Delivery Fail"
DECISIONS = {"accepted": "acknowledged", "rejected": "rejected"}
CODES = {"125080000": "accepted", "125080001": "rejected"}
PRIMERO_SERVICES = {
    "Alternative Care": "alternative_care",
    "BID": "focuses_non_specialized_mhpss_care",
    "BIA": "focuses_non_specialized_mhpss_care",
    "Family Tracing and Reunification": "food",
}
AGREED = ("alternative_care", "focuses_non_specialized_mhpss_care", "food", "family_tracing_and_reunification")


@dataclass(frozen=True)
class Ended:
    """How it ended: Primero's cases, each with its `referrals`; the posts that DTP accepted, in order; what the inbox
    took, as `(body, id)`; what UNHCR decided, as `{referral: (code, contradicted)}`; what people edited, as
    `{case: address}`; what the store tells; and what `reconcile` finds."""

    cases: list
    posts: list
    taken: list
    decisions: dict
    edits: dict
    messages: dict
    units: list
    successes: Counter
    answers: dict
    parked: list
    reconciled: list
    outbox: int


def violations(plan, ended):
    """Everything that is not as it must be."""
    return [
        *_messages(plan, ended),
        *_referrals_from_unhcr(plan, ended),
        *_decisions_of_caseworkers(ended),
        *_referrals_to_unhcr(ended),
        *_decisions_of_unhcr(ended),
        *_reconciling(plan, ended),
        *_people(ended),
    ]


def _messages(plan, ended):
    """Every 202 is settled; a body that succeeded is one message; each unit succeeded once."""
    for body, name in ended.taken:
        if ended.messages.get(name) not in ("succeeded", "refused", "parked", "dead", "quarantined"):
            yield f"message {name} was answered 202 and is {ended.messages.get(name)}: {body[:60]}"
    ids = {}
    for body, name in ended.taken:
        ids.setdefault(body, set()).add(name)
    for names in ids.values():
        found = [name for name in names if ended.messages.get(name) == "succeeded"]
        if len(found) > 1 and not plan.refuses:  # while the first waits for a person, a repeat is a message of its own
            yield f"one body became {len(found)} messages that succeeded: {', '.join(found)}"
    known = {name for _, name in ended.taken}
    yield from (f"message {name} is kept and was never answered 202" for name in ended.messages.keys() - known)
    for unit in ended.units:
        done = ended.successes[unit.id]
        if (unit.status in ("succeeded", "refused")) != (done == 1) or done > 1:
            yield f"unit {unit.id} of {unit.job} is {unit.status} and succeeded {done} times"
        if unit.status in ("parked", "dead") and not _may_wait_for_a_person(plan, unit):
            yield f"unit {unit.id} of {unit.job} is {unit.status} ({unit.code})"
    if ended.outbox:
        yield f"{ended.outbox} answers wait in the outbox"


def _may_wait_for_a_person(plan, unit):
    """Contradictions wait for a person; so does what was given up, where the agreed time was seconds."""
    return unit.job == "progres_decisions_to_primero" or (unit.status == "dead" and plan.hours < 1)


def _posted(ended, number, kinds):
    """The bodies of the posts about an intervention, of these statuses, in order."""
    bodies = (post["body"] for post in ended.posts)
    return [body for body in bodies if body.get("progres_interventionnumber") == number and body["status"] in kinds]


def _referrals_from_unhcr(plan, ended):
    """1a: one case per child, one service per intervention, of that child and no other, and a truthful answer."""
    asked = {one.number: one for one in plan.asked}
    parts = (part for body, _ in ended.taken for part in json.loads(body).get("interventions", ()))
    posted = {part.get("progres_interventionnumber") for part in parts}
    by_child = {}
    for case in ended.cases:
        by_child.setdefault(case.get("unhcr_individual_no"), []).append(case)
    for one in plan.asked:
        if one.number not in posted:
            yield f"{one.number} was never taken"
            continue
        cases = by_child.get(one.child.number, [])
        if len(cases) > 1:
            yield f"the child {one.child.number} has {len(cases)} cases"
        services = [(case, service) for case in cases for service in case.get("services_section") or ()
                    if service.get("progres_interventionnumber") == one.number]  # fmt: skip
        yield from _stands_rightly(plan, one, services)
        yield from _answered_truthfully(one, services, _posted(ended, one.number, (DELIVERED, FAILED)))
        if ended.answers.get(one.number) != "done":
            yield f"the ledger says {ended.answers.get(one.number)} of the answer to {one.number}"
    for case in ended.cases:
        for service in case.get("services_section") or ():
            one = asked.get(service.get("progres_interventionnumber"))
            if one and case.get("unhcr_individual_no") != one.child.number:
                yield f"{one.number} stands with another child, {case.get('unhcr_individual_no')}"
            if str(service.get("progres_interventionnumber")).startswith("GAM-26-CHAOS") and not one:
                yield f"nobody asked for {service['progres_interventionnumber']}"


def _stands_rightly(plan, one, services):
    if one.refusal and services:
        yield f"{one.number} was to be refused and stands in Primero"
    if not one.refusal and len(services) != 1 and not (plan.hours < 1 and not services):
        yield f"{one.number} stands {len(services)} times in Primero"
    for case, service in services:
        if (case.get("name_first"), case.get("name_last")) != (one.child.given, one.child.family):
            yield f"{one.number}: another child's names"
        if service["service_type"] != PRIMERO_SERVICES.get(one.service_type):
            yield f"{one.number}: another service, {service['service_type']}"
        if f"{NOTES} about {one.number}" not in str(service.get("service_referral_notes")):
            yield f"{one.number}: another intervention's notes"


def _answered_truthfully(one, services, answers):
    if not answers:
        yield f"{one.number} was left without an answer"
        return
    told = answers[-1]
    if services and told["status"] != DELIVERED:
        yield f"{one.number} stands in Primero, and the last word was {told['status']}"
    if services and told.get("case_id") != services[0][0]["case_id"]:
        yield f"{one.number} was answered with another case"
    if not services and told["status"] != FAILED:
        yield f"{one.number} doesn't stand in Primero, and the last word was {told['status']}"
    if not services and not str(told.get("closure_reason")).startswith(one.refusal or UNAGREED_TIME):
        yield f"{one.number} was refused for {told.get('closure_reason')!r}"
    if any(canary in json.dumps(answers, ensure_ascii=False) for canary in CANARIES):
        yield f"an answer about {one.number} holds data of the child"


def _decisions_of_caseworkers(ended):
    """1b: the last decision that DTP has is the one in Primero; none before the answer, none twice for nothing."""
    for case in ended.cases:
        for service in case.get("services_section") or ():
            number = service.get("progres_interventionnumber")
            if not number or not service.get("service_request_external"):
                continue
            told = _posted(ended, number, tuple(DECISIONS.values()))
            wanted = DECISIONS.get(service.get("unhcr_referral_status"))
            if wanted and (not told or told[-1]["status"] != wanted):
                yield f"{number} is decided ({wanted}) in Primero, DTP was told {[body['status'] for body in told]}"
            if told and number.startswith("GAM-26-CHAOS"):
                first = next(post["body"] for post in ended.posts
                             if post["body"].get("progres_interventionnumber") == number)  # fmt: skip
                if first["status"] not in (DELIVERED, FAILED):
                    yield f"{number} was decided before it was answered"


def _referrals_to_unhcr(ended):
    """2a: all that may go went, under its one id and with its child's name; nothing else did."""
    held = {}
    for post in ended.posts:
        if post["body"].get("request_type") == "ReceiveIncomingReferral":
            held.setdefault(post["body"]["id"], []).append(post["body"])
    wanted = {}
    for case in ended.cases:
        services = {service["unique_id"]: service for service in case.get("services_section") or ()}
        for referral in case["referrals"]:
            service = services.get(referral.get("service_record_id"))
            if referral.get("transitioned_to") == "unhcr_cw" and service and _may_go(case, service):
                wanted[f"{case['case_id']}#{service['unique_id'][-12:]}"] = case
    yield from (f"the referral {name} was never sent" for name in wanted.keys() - held.keys())
    yield from (f"the referral {name} was sent and must not be" for name in held.keys() - wanted.keys())
    for name in held.keys() & wanted.keys():
        if any(body["name_first"] != wanted[name].get("name_first") for body in held[name]):
            yield f"the referral {name} was sent with another child's name"
    # What the nightly reconciling met half-way doesn't count: it is asked once more in the end.
    wrongly = [record.code for record in ended.parked if record.job != "reconcile" and record.code != "no_service"]
    if wrongly:
        yield f"records are parked: {', '.join(map(str, wrongly))}"


def _may_go(case, service):
    consented = case.get("consent_for_services") is True and case.get("disclosure_other_orgs") is True
    return consented and service["service_implementing_agency"] == "UNHCR" and service["service_type"] in AGREED


def _decisions_of_unhcr(ended):
    """2b: each referral is decided as UNHCR decided first; what contradicts it is parked."""
    state = {f"{case['case_id']}#{str(referral.get('service_record_id'))[-12:]}": referral["status"]
             for case in ended.cases for referral in case["referrals"]}  # fmt: skip
    for name, (code, _) in ended.decisions.items():
        if name in state and state[name] != CODES[code]:
            yield f"UNHCR said {CODES[code]} about {name}, Primero says {state[name]}"
    parked = sum(unit.status == "parked" for unit in ended.units)
    wanted = sum(contradicted or name not in state for name, (_, contradicted) in ended.decisions.items())
    if parked != wanted:
        yield f"{parked} decisions are parked, {wanted} should be"


def _reconciling(plan, ended):
    """R-DV2: comparing both sides finds nothing but the services that stood in Primero before us, unanswered, and
    referrals of a whole case, which a person must settle. What waits in other jobs it lists as well; that is judged
    with them."""
    ours = {one.number for one in plan.asked}
    whole = {
        referral["id"] for case in ended.cases for referral in case["referrals"] if not _is_of_service(case, referral)
    }
    for row in ended.reconciled:
        missing, ids = row["code"].startswith("not_sent"), row["ids"]
        before_us = row["code"] == "answer_unknown" and ids.get("intervention") not in ours
        expected = ids.get("referral") in whole if missing else before_us
        if (missing or row["job"] == "reconcile") and not expected:
            yield f"reconciling finds {row['code']} of {ids}"


def _is_of_service(case, referral):
    return referral.get("service_record_id") in {service["unique_id"] for service in case.get("services_section") or ()}


def _people(ended):
    """What people wrote stays."""
    for case in ended.cases:
        if case["id"] in ended.edits and case.get("address_current") != ended.edits[case["id"]]:
            yield f"an edit of the case {case['id']} was overwritten"
