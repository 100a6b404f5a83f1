"""What must be true in the end, from exchanges.md alone: it knows nothing of jobs, adaptors or engine.

It compares plain data: what was posted and taken, what Primero holds, what DTP took, and what the store tells.
A violation is a sentence with ids of invented things.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

SERVICE_TYPES = {
    "Alternative Care": "alternative_care", "BID": "focuses_non_specialized_mhpss_care",
    "BIA": "focuses_non_specialized_mhpss_care", "Family Tracing and Reunification": "food",
}  # fmt: skip
SEXES = {
    "125080000": "female", "125080001": "male", "125080002": "other_b25f252", "125080003": "unknown_4b34795",
}  # fmt: skip
REQUIRED = (
    "interventiontype.progres_description", "individuals.progres_id", "individuals.progres_registrationgroupid",
    "individuals.progres_givenname", "individuals.progres_familyname", "individuals.progres_dateofbirth",
    "individuals.progres_sex", "progres_interventionnumber",
)  # fmt: skip
AGREED = ("alternative_care", "focuses_non_specialized_mhpss_care", "food", "family_tracing_and_reunification")
DECISIONS = {"accepted": "acknowledged", "rejected": "rejected"}
ANSWERS = ("Pending Acknowledgement", "Delivery Fail")
REFERRALS = "ReceiveIncomingReferral"
AGREED_TIME = timedelta(hours=72)
WAITS_FOR_A_PERSON = ("parked", "dead", "expired", "discarded")


@dataclass
class Evidence:
    """What is judged. Messages are `(id, message, when)`, one for each 202 in order; units `(message id, job, status,
    code)`; parked records `(job, record id, code)`; `theirs` the ids of the cases that people made; `edited` the
    unique ids of services that people edited. `ledger(kind, key)` gives an entry or None. Where `events` hold only
    posts, as another process may know no more, `strict` is False, and the order of things is left out.
    """

    taken: list
    cases: list
    referrals: list
    events: list
    units: list
    parked: list
    theirs: set = field(default_factory=set)
    edited: set = field(default_factory=set)
    left: dict = field(default_factory=dict)
    refused: list = field(default_factory=list)
    decided: list = field(default_factory=list)
    ledger: Callable = lambda kind, key: None
    cursors: dict = field(default_factory=dict)
    strict: bool = True


def judge(evidence) -> list[str]:
    """Everything that is wrong, in sentences; an empty list when all is well."""
    rules = (from_unhcr, decisions_to_unhcr, referrals_to_unhcr, decisions_from_unhcr, settled)
    return [sentence for rule in rules for sentence in rule(evidence)]


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


# 1a: what UNHCR asked for.


def from_unhcr(evidence) -> Iterator[str]:
    """Each intervention has its case and its service once, and was answered truthfully."""
    asked = _asked(evidence)
    standing = _standing(evidence.cases)
    for number, wanted in asked.items():
        places = standing.get(number, [])
        yield from _well_placed(number, wanted, places, evidence)
        yield from _well_answered(number, wanted, places, evidence)
    yield from _nothing_unasked(evidence, asked, standing)
    yield from _one_case_each(evidence)


def _asked(evidence):
    """By number: what was asked, each `{intervention, message, when, reasons, again}`."""
    found = defaultdict(dict)
    numbers = _numbers_of_cases(evidence.cases)
    for message_id, message, when in evidence.taken:
        if message.get("request_type") != "PrimeroOutgoingReferral":
            continue
        for place, intervention in enumerate(message["interventions"]):
            number = intervention["progres_interventionnumber"]
            found[number].setdefault(
                (message_id, place),
                {
                    "intervention": intervention, "message": message_id, "when": when,
                    "reason": _reason(intervention, numbers),
                },
            )  # fmt: skip
    return {number: list(wanted.values()) for number, wanted in found.items()}


def _reason(intervention, numbers):
    """Why an intervention must be refused, as DTP is told; None when it must be delivered."""
    if any(intervention.get(name) in (None, "") for name in REQUIRED):
        return "Missing required fields"
    if intervention["interventiontype.progres_description"] not in SERVICE_TYPES:
        return "Service type not among the agreed ones"
    if str(intervention["individuals.progres_sex"]) not in SEXES:
        return "Invalid data"
    if not ("2005" < intervention["individuals.progres_dateofbirth"] < "2026"):
        return "Invalid data"
    if isinstance((intervention.get("languages.progres_languagecodeid") or {}).get("Name"), list):
        return "Invalid data"
    named = numbers.get(intervention.get("progres_primeroid"))
    if named not in (None, intervention["individuals.progres_id"]):
        return "More than one matching case"
    return None


def _numbers_of_cases(cases):
    return {case["case_id"]: case.get("unhcr_individual_no") for case in cases}


def _standing(cases):
    found = defaultdict(list)
    for case in cases:
        for service in case.get("services_section") or []:
            if service.get("progres_interventionnumber"):
                found[service["progres_interventionnumber"]].append((case, service))
    return found


def _well_placed(number, wanted, places, evidence):
    valid = [one["intervention"] for one in wanted if one["reason"] is None]
    if len(places) > 1:
        yield f"{number} stands {len(places)} times in Primero"
    if places and not valid:
        yield f"{number} stands in Primero, though all that was asked about it must be refused"
    if valid and not places and not _given_up(wanted, evidence):
        yield f"{number} is lost: it doesn't stand in Primero, and nobody was told to look"
    for case, service in places:
        if valid and not any(_is_child(case, one) for one in valid):
            yield f"{number} stands in the case of another child"
        if valid and service["unique_id"] not in evidence.edited and not any(_fits(service, one) for one in valid):
            yield f"{number} stands with another content than was asked for"


def _given_up(wanted, evidence):
    """Whether a person knows of one of these messages, since it could not be done."""
    ids = {one["message"] for one in wanted if one["reason"] is None}
    return any(message in ids and status in WAITS_FOR_A_PERSON for message, _, status, _ in evidence.units)


def _is_child(case, intervention):
    return case.get("unhcr_individual_no") == intervention["individuals.progres_id"]


def _fits(service, intervention):
    told = [intervention.get("progres_interventiondescription"), intervention.get("progres_reasonforreferral")]
    mark = intervention["progres_interventionnumber"]
    notes = service.get("service_referral_notes") or ""
    return (
        service["service_type"] == SERVICE_TYPES[intervention["interventiontype.progres_description"]]
        and service.get("service_request_external") is True
        and service.get("service_implementing_agency") == "UNICEF"
        and (mark in notes if any(mark in (text or "") for text in told) else mark not in notes)
    )


def _well_answered(number, wanted, places, evidence):
    told = [event for event in evidence.events if _is_answer(event, number)]
    words = [event["body"]["status"] for event in told]
    reasons = {one["reason"] for one in wanted if one["reason"]}
    messages = {one["message"] for one in wanted}
    unanswered = _unanswered(number, messages, evidence)
    if not told and not unanswered:
        yield f"{number} was left without an answer"
    if len(told) < len(messages) and told and not unanswered:
        yield f"{number} came in {len(messages)} messages and was answered {len(told)} times"
    if places and told and words[-1] != "Pending Acknowledgement" and not unanswered:
        yield f"{number} stands in Primero, and DTP's last answer is {words[-1]}"
    if not places and "Pending Acknowledgement" in words:
        yield f"{number} doesn't stand in Primero, and DTP was told that it was delivered"
    for event in told:
        yield from _truthful(number, event, wanted, reasons, places)
    if evidence.strict:
        yield from _in_order(number, evidence.events, reasons)
        repeats = len(told) - len(wanted) - sum(not event["kept"] for event in told)
        if repeats > evidence.left.get("retries", 0):
            yield f"{number} was answered {len(told)} times for {len(messages)} messages"


def _is_answer(event, number):
    return (
        event["what"] == "dtp"
        and event["body"].get("progres_interventionnumber") == number
        and event["body"].get("status") in ANSWERS
    )


def _unanswered(number, messages, evidence):
    """Whether a person knows that an answer could not be given, since DTP refused it."""
    return any(
        message in messages and status in WAITS_FOR_A_PERSON and code == "answer_refused"
        for message, _, status, code in evidence.units
    )


def _truthful(number, event, wanted, reasons, places):
    body = event["body"]
    if body["status"] == "Pending Acknowledgement":
        if places and body.get("case_id") != places[0][0]["case_id"]:
            yield f"{number} was answered with another case than it stands in"
        return
    said = str(body.get("closure_reason")).partition(":")[0]
    if said in reasons:
        return
    valid = [one for one in wanted if one["reason"] is None]
    if not valid:
        yield f"{number} was refused for “{said}”, which is not why"
    elif said != "Primero could not be reached in the agreed time":
        yield f"{number} was refused for “{said}”, though nothing is wrong with it"
    elif "when" in event and not any(event["when"] - one["when"] >= AGREED_TIME for one in valid):
        yield f"{number} was given up before the agreed time was over"


def _in_order(number, events, reasons):
    """Once it stands, the only answer is that it was delivered; nothing of it is told before its first answer."""
    stands = answered = False
    for event in events:
        if event["what"] == "stands" and event["number"] == number:
            stands = True
        if event["what"] != "dtp" or event["body"].get("progres_interventionnumber") != number:
            continue
        status = event["body"].get("status")
        if status == "Delivery Fail" and stands and not reasons:
            yield f"{number} was told to have failed after it stood in Primero"
        if status == "Pending Acknowledgement":
            answered = True
            if not stands:
                yield f"{number} was told to be delivered before it stood in Primero"
        if status in DECISIONS.values() and not answered:
            yield f"{number}: a decision was sent before it was answered"


def _nothing_unasked(evidence, asked, standing):
    children = {
        one["intervention"].get("individuals.progres_id")
        for wanted in asked.values()
        for one in wanted
        if one["reason"] is None
    }
    for number in standing.keys() - asked.keys():
        if not any(service["unique_id"] in evidence.edited for _, service in standing[number]):
            yield f"{number} stands in Primero, and nobody asked for it"
    for case in evidence.cases:
        if case["id"] not in evidence.theirs and case.get("unhcr_individual_no") not in children:
            yield f"the case {case['case_id']} stands in Primero, and nobody asked for it"
    for event in evidence.events:
        if event["what"] == "dtp" and event["kind"] != REFERRALS and event["body"]["status"] in ANSWERS:
            number = event["body"]["progres_interventionnumber"]
            if number not in asked:
                yield f"DTP was told about {number}, which it never asked for"


def _one_case_each(evidence):
    """Ours are one for each child, with that child's names and birth date; what people made, they still hold."""
    ours = [case for case in evidence.cases if case["id"] not in evidence.theirs]
    for number, count in Counter(case.get("unhcr_individual_no") for case in ours).items():
        if count > 1:
            yield f"{number} has {count} cases"
    theirs = {case.get("unhcr_individual_no") for case in evidence.cases if case["id"] in evidence.theirs}
    told = defaultdict(set)
    for _, message, _ in evidence.taken:
        for one in message.get("interventions", ()) if message["request_type"] == "PrimeroOutgoingReferral" else ():
            told[one.get("individuals.progres_id")].add(one.get("individuals.progres_familyname"))
    for case in ours:
        number = case.get("unhcr_individual_no")
        if number in theirs:
            yield f"{number} had a case, and got another"
        if case.get("name_last") not in told[number]:
            yield f"{number} has a case with another child's name"


# 1b: what UNICEF's partners decided.


def decisions_to_unhcr(evidence) -> Iterator[str]:
    """What was told of each intervention ends as it stands in Primero, and nothing was told twice or made up."""
    parked = {record for job, record, _ in evidence.parked if job == "primero_decisions_to_progres"}
    messages = defaultdict(
        set, {number: {one["message"] for one in wanted} for number, wanted in _asked(evidence).items()}
    )
    for number, places in _standing(evidence.cases).items():
        case, service = places[0]
        told = [event for event in evidence.events if _is_decision(event, number)]
        words = [event["body"]["status"] for event in told]
        wanted = DECISIONS.get(service.get("unhcr_referral_status"))
        waits = case["id"] in parked or _unanswered(number, messages[number], evidence)
        if wanted and words[-1:] != [wanted] and not waits:
            yield f"{number} is {service['unhcr_referral_status']} in Primero, and DTP was last told {words[-1:]}"
        if not evidence.strict:
            continue
        made = [
            event["status"] for event in evidence.events if event["what"] == "decided" and event["number"] == number
        ]
        for word in words:
            if word not in {DECISIONS.get(status) for status in made}:
                yield f"{number}: DTP was told {word}, which nobody decided"
        for before, after in pairwise(told):
            if before["body"]["status"] == after["body"]["status"] and before["kept"]:
                yield f"{number}: DTP was told {after['body']['status']} twice"
        for event in told:
            if event["body"]["case_id"] != case["case_id"]:
                yield f"{number}: a decision was told of another case"


def _is_decision(event, number):
    return (
        event["what"] == "dtp"
        and event["body"].get("progres_interventionnumber") == number
        and event["body"].get("request_type") == "ReceiveDecisionOutgoingReferral"
    )


# 2a: what UNICEF's partners refer.


def referrals_to_unhcr(evidence) -> Iterator[str]:
    """What may go went, under one id and with its own child's data; what may not didn't."""
    posts = [event for event in evidence.events if event["what"] == "dtp" and event["kind"] == REFERRALS]
    sent = {event["body"]["id"] for event in posts}
    parked = {record for job, record, _ in evidence.parked if job == "primero_to_progres"}
    cases = {case["id"]: case for case in evidence.cases}
    for referral in evidence.referrals:
        case = cases[referral["case"]]
        services = {service["unique_id"]: service for service in case.get("services_section") or []}
        service = services.get(referral.get("service_record_id"))
        if may_go(case, service, referral) and case["id"] not in parked:
            name = f"{case['case_id']}#{service['unique_id'][-12:]}"
            if name not in sent:
                yield f"the referral {name} was never sent"
            elif evidence.strict and (evidence.ledger("referral", referral["id"]) or {}).get("status") != "done":
                yield f"the referral {name} is not remembered as sent"
        if service is None and referral["status"] == "in_progress" and case["id"] not in parked:
            yield f"the referral of the whole case {case['case_id']} is not parked"
    for event in posts:
        yield from _rightly_sent(event, evidence)
    if evidence.strict:
        yield from _not_repeated(posts, evidence)


def _rightly_sent(event, evidence):
    body = event["body"]
    known = {
        f"{case['case_id']}#{service['unique_id'][-12:]}": (case, service)
        for case in evidence.cases
        for service in case.get("services_section") or []
    }
    if body["id"] not in known:
        yield f"the referral {body['id']} was sent, and no service has this id"
        return
    if "eligible" not in event:
        return
    if body["id"] not in event["eligible"]:
        yield f"the referral {body['id']} was sent when it must not go"
        return
    case = event["eligible"][body["id"]]["case"]
    for name in ("unhcr_individual_no", "name_first", "name_last", "date_of_birth", "consent_for_services"):
        if str(body.get(name)) != str(case.get(name)):
            yield f"the referral {body['id']} was sent with another {name}"


def _not_repeated(posts, evidence):
    """A referral goes once for each time that it was made; again only where nobody learnt what became of it."""
    made = Counter()
    cases = {case["id"]: case for case in evidence.cases}
    for referral in evidence.referrals:
        if referral.get("service_record_id"):
            made[f"{cases[referral['case']]['case_id']}#{referral['service_record_id'][-12:]}"] += 1
    for name, count in Counter(event["body"]["id"] for event in posts if event["kept"]).items():
        if count > made[name]:
            yield f"the referral {name} was sent {count} times"


# 2b: what UNHCR decided.


def decisions_from_unhcr(evidence) -> Iterator[str]:
    """The first decision on a referral holds in Primero; another is parked; none is lost, none made up."""
    waiting = {message for message, _, status, _ in evidence.units if status in WAITS_FOR_A_PERSON}
    codes = {"125080000": "accepted", "125080001": "rejected", "accepted": "accepted", "rejected": "rejected"}
    cases = {case["case_id"]: case["id"] for case in evidence.cases}
    told = defaultdict(list)
    for message_id, message, _ in evidence.taken:
        if message["request_type"] != "PrimeroIncomingReferralDecision":
            continue
        for one in message["interventions"]:
            word = codes.get(str(one["progres_reviewdecision"]))
            told[one["progres_orgreferralid"]].append((message_id, word))
    found = defaultdict(list)
    for referral in evidence.referrals:
        found[referral["case"], str(referral.get("service_record_id"))[-12:]].append(referral)
    for name, words in told.items():
        case_id, _, end = name.rpartition("#")
        states = [referral["status"] for referral in found[cases.get(case_id), end]]
        for message_id, word in words:
            if word not in states and message_id not in waiting:
                yield f"UNHCR's decision {word} on {name} is neither in Primero nor with a person"
        done = [word for message_id, word in words if message_id not in waiting]
        if len(set(done)) > len(states):
            yield f"UNHCR's decisions on {name} contradict each other, and none is parked"
    for (case, end), referrals in found.items():
        for referral in referrals:
            name = next((f"{case_id}#{end}" for case_id, record in cases.items() if record == case), None)
            if referral["status"] in ("accepted", "rejected") and referral["status"] not in [
                word for _, word in told[name]
            ]:
                yield f"the referral {name} is {referral['status']} in Primero, and UNHCR never said so"


# What is left.


def settled(evidence) -> Iterator[str]:
    """Nothing waits but for a person, nothing is half done, and nothing was kept."""
    for message, job, status, _ in evidence.units:
        if status in ("pending", "running"):
            yield f"a unit of {job} for the message {message} is still {status}"
    for what in ("outbox", "unscrubbed", "interrupted", "envelopes"):
        if evidence.left.get(what):
            yield f"left behind: {what} ({evidence.left[what]})"
    for where in evidence.left.get("traces", ()):
        yield f"a trace of a child: {where}"
    known = {message for message, *_ in evidence.units}
    for message_id, message, _ in evidence.taken:
        if message_id not in known and message["request_type"] in (
            "PrimeroOutgoingReferral",
            "PrimeroIncomingReferralDecision",
        ):
            yield f"the message {message_id} was answered 202, and is not there"
    stamps = [case["last_updated_at"] for case in evidence.cases]
    for job, cursor in evidence.cursors.items():
        if cursor and stamps and cursor > max(stamps) and cursor > "2026-02":
            yield f"the cursor of {job} is beyond everything that Primero holds"
