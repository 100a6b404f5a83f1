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


def is_to_go(one, cases) -> bool:
    """Whether a referral may be sent as everything is now; `cases` are all of them."""
    case = next(case for case in cases if case["id"] == one["case"])
    return may_go(case, _service_of(one, case), one)


def name_of(one, cases) -> str:
    """By which name UNHCR knows a referral of a service."""
    case = next(case for case in cases if case["id"] == one["case"])
    return dtp_id(case, {"unique_id": one["service_record_id"]})


def _service_of(one, case):
    services = {service["unique_id"]: service for service in case.get("services_section") or []}
    return services.get(one.get("service_record_id"))


def decisions(evidence):
    """1b: what was told of each intervention ends as it stands in Primero; nothing was told twice or made up."""
    parked = _parked(evidence, "primero_decisions_to_progres", "intervention")
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
            excuses = {"waiting_behind"} if _was_with_a_person(number, evidence) else set()
            excuses |= set(DTP_REFUSED) if number in refused else set()
            excuses |= {"outcome_unknown"} if evidence.parks else set()
            excused = parked.get(number, set()) & excuses
            if number and wanted and [event["body"]["status"] for event in told][-1:] != [wanted] and not excused:
                yield f"{number} is {service['unhcr_referral_status']} in Primero, and that was not the last DTP heard"
            yield from _rightly_told(number, told, case, evidence)


def _was_with_a_person(number, evidence):
    """Whether an answer before was left to a person, be it that they have settled it by now."""
    refused = any(event["what"] == "answer refused" and event["number"] == number for event in evidence.events)
    return refused or evidence.parks or undelivered(number, evidence)


def _is_decision(body):
    return body.get("request_type") == "ReceiveDecisionOutgoingReferral"


def _parked(evidence, job, by):
    """With which codes the parts of a job's records are parked, by the id of this name."""
    found = {}
    for item in evidence.parked:
        if item["job"] == job:
            found.setdefault(item["ids"].get(by), set()).add(item["code"])
    return found


def _rightly_told(number, told, case, evidence):
    for event in told:
        body, stood = event["body"], event["service"]
        if body["status"] not in {DECISIONS.get(service["unhcr_referral_status"]) for service in stood}:
            yield f"{number}: DTP was told {body['status']}, which nobody had decided just then"
        if body["closure_reason"] not in {
            service.get("unhcr_referral_rejection_reason") or NO_REASON for service in stood
        }:
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
    parked = _parked(evidence, "primero_to_progres", "referral")
    cases = {case["id"]: case for case in evidence.cases}
    for referral in evidence.referrals:
        case = cases[referral["case"]]
        service, codes = _service_of(referral, case), parked.get(referral["id"], set())
        ours = referral["status"] == "in_progress" and referral.get("transitioned_to") == "unhcr_cw"
        if service is None and ours and not codes & {"no_service", *DTP_REFUSED}:
            yield f"the referral of the whole case {case['case_id']} is not parked"
        if may_go(case, service, referral):
            name, done = dtp_id(case, service), evidence.ledger.get(("referral", referral["id"]), (None,))[0] == "done"
            excuses = {*(DTP_REFUSED if name in refused else ()), *(["outcome_unknown"] if evidence.parks else ())}
            if not (name in sent and done) and not codes & excuses:
                yield f"the referral {name} was {'sent, and is not remembered' if name in sent else 'never sent'}"
    for event in posts:
        yield from _rightly_sent(event, evidence)
    yield from _once_each(posts, evidence, cases)


def _rightly_sent(event, evidence):
    body = event["body"]
    if not event["eligible"]:
        yield f"the referral {body['id']} was sent when it must not go"
    wanted = [referral_of(each["case"], each["service"], evidence.users) for each in event["eligible"]]
    differing = [
        [name for name in {**each, **body} if name not in body or each.get(name) != body[name]] for each in wanted
    ]
    if differing and all(differing):
        yield f"the referral {body['id']} was sent with another {', '.join(sorted(min(differing, key=len)))}"


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
