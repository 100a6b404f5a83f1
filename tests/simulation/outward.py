"""What UNICEF's partners decided (1b) and referred (2a): DTP was told all of it, once, and nothing else."""

from collections import Counter
from itertools import pairwise

from tests.simulation.expected import dtp_id, referral_of
from tests.simulation.inward import undelivered
from tests.simulation.scenario import TOKEN

AGREED = ("alternative_care", "focuses_non_specialized_mhpss_care", "food", "family_tracing_and_reunification")
DECISIONS = {"accepted": "acknowledged", "rejected": "rejected"}
REFERRALS = "ReceiveIncomingReferral"
NO_REASON, REASON = "No reason specified.", f"No place is free; {TOKEN}"
DTP_REFUSED = ("rejected", "refused")


def may_go(case, service, referral) -> bool:
    """Whether a referral in Primero may be sent to UNHCR now (exchanges.md, 2a)."""
    if service is None or referral["status"] != "in_progress" or referral.get("transitioned_to") != "unhcr_cw":
        return False
    consent = all(str(case.get(name)).lower() == "true" for name in ("disclosure_other_orgs", "consent_for_services"))
    return (
        str(service.get("service_implementing_agency")).lower() == "unhcr"
        and service.get("service_type") in AGREED
        and (consent or referral.get("consent_overridden") is True)
    )


def decisions(evidence):
    """1b: what was told of each intervention ends as it stands in Primero; nothing was told twice or made up."""
    parked = _parked(evidence, "primero_decisions_to_progres")
    refused = {body.get("progres_interventionnumber") for _, body in evidence.refused if _is_decision(body)}
    for case in evidence.cases:
        for service in case.get("services_section") or []:
            number = service.get("progres_interventionnumber")
            told = [
                event
                for event in evidence.events
                if event["what"] == "dtp"
                and event["body"].get("progres_interventionnumber") == number
                and _is_decision(event["body"])
            ]
            wanted = DECISIONS.get(service.get("unhcr_referral_status"))
            excused = parked.get(case["id"], set()) & ({"waiting_behind"} if undelivered(number, evidence) else set())
            if number in refused:
                excused |= parked.get(case["id"], set()).intersection(DTP_REFUSED)
            if number and wanted and [event["body"]["status"] for event in told][-1:] != [wanted] and not excused:
                yield f"{number} is {service['unhcr_referral_status']} in Primero, and that was not the last DTP heard"
            yield from _rightly_told(number, told, case, evidence)


def _is_decision(body):
    return body.get("request_type") == "ReceiveDecisionOutgoingReferral"


def _parked(evidence, job):
    """With which codes each record of a job is parked."""
    found = {}
    for name, record, code in evidence.parked:
        if name == job:
            found.setdefault(record, set()).add(code)
    return found


def _rightly_told(number, told, case, evidence):
    made = [event["status"] for event in evidence.events if event["what"] == "decided" and event["number"] == number]
    for event in told:
        body = event["body"]
        if body["status"] not in {DECISIONS.get(status) for status in made}:
            yield f"{number}: DTP was told {body['status']}, which nobody decided"
        right = {REASON} if body["status"] == "rejected" else {REASON, NO_REASON} if "rejected" in made else {NO_REASON}
        if body["closure_reason"] not in right:
            yield f"{number}: DTP was told another reason than was given"
        if (body["case_id"], body["primero_user"]) != (case["case_id"], case["owned_by"]):
            yield f"{number}: a decision was told of another case or owner"
    for before, after in pairwise(told):
        if before["body"]["status"] == after["body"]["status"] and before["kept"]:
            yield f"{number}: DTP was told {after['body']['status']} twice"


def referrals(evidence):
    """2a: what may go went, under one id and with its own child's data; what may not didn't."""
    posts = [event for event in evidence.events if event["what"] == "dtp" and event["kind"] == REFERRALS]
    sent = {event["body"]["id"] for event in posts}
    refused = {body["id"] for kind, body in evidence.refused if kind == REFERRALS}
    parked = _parked(evidence, "primero_to_progres")
    cases = {case["id"]: case for case in evidence.cases}
    for referral in evidence.referrals:
        case = cases[referral["case"]]
        services = {service["unique_id"]: service for service in case.get("services_section") or []}
        service = services.get(referral.get("service_record_id"))
        codes = parked.get(case["id"], set())
        ours = referral["status"] == "in_progress" and referral.get("transitioned_to") == "unhcr_cw"
        if service is None and ours and not codes & {"no_service", *DTP_REFUSED}:
            yield f"the referral of the whole case {case['case_id']} is not parked"
        if may_go(case, service, referral):
            name, done = dtp_id(case, service), evidence.ledger.get(("referral", referral["id"]), (None,))[0] == "done"
            if not (name in sent and done) and not (name in refused and codes.intersection(DTP_REFUSED)):
                yield f"the referral {name} was {'sent, and is not remembered' if name in sent else 'never sent'}"
    for event in posts:
        yield from _rightly_sent(event, evidence)
    yield from _once_each(posts, evidence, cases)


def _rightly_sent(event, evidence):
    body = event["body"]
    if body["id"] not in event["eligible"]:
        yield f"the referral {body['id']} was sent when it must not go"
        return
    case, service = event["eligible"][body["id"]]["case"], event["eligible"][body["id"]]["service"]
    wanted = referral_of(case, service, evidence.users)
    differing = [name for name in {**wanted, **body} if name not in body or wanted.get(name) != body[name]]
    # Between reading and sending a caseworker may have moved the child to another address.
    if body.get("address_current") in evidence.touched.get(case["id"], ()):
        differing = [name for name in differing if name != "address_current"]
    if differing:
        yield f"the referral {body['id']} was sent with another {', '.join(sorted(differing))}"


def _once_each(posts, evidence, cases):
    """A referral goes once for each time that it was made; again only where nobody learnt what became of it."""
    done = Counter()
    for one in evidence.referrals:
        if evidence.ledger.get(("referral", one["id"]), (None,))[0] == "done":
            done[dtp_id(cases[one["case"]], {"unique_id": one["service_record_id"]})] += 1
    sent = Counter(event["body"]["id"] for event in posts if event["kept"])
    for name in sent.keys() | done.keys():
        if sent[name] != done[name]:
            yield f"the referral {name} was sent {sent[name]} times, and {done[name]} times are remembered"
