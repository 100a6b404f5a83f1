"""What UNHCR posted: each referral stands in Primero and was answered truthfully (1a); each decision holds (2b)."""

from collections import Counter, defaultdict
from datetime import timedelta

from tests.simulation.expected import SERVICE_TYPES, SEXES, case_of, dtp_id, service_of
from tests.simulation.scenario import MISTAKEN, TOKEN

REQUIRED = (
    "interventiontype.progres_description", "individuals.progres_id", "individuals.progres_registrationgroupid",
    "individuals.progres_givenname", "individuals.progres_familyname", "individuals.progres_dateofbirth",
    "individuals.progres_sex", "progres_interventionnumber",
)  # fmt: skip
AGREED_TIME = timedelta(hours=72)
KEPT = timedelta(days=7)  # what a person doesn't settle within that is let pass, and holds up nothing
WAITS_FOR_A_PERSON = ("parked", "dead", "expired", "discarded")
DELIVERED, FAILED = "Pending Acknowledgement", "Delivery Fail"
NOT_REACHED = "Primero could not be reached in the agreed time"
NOT_PROCESSED = "The referral could not be processed"
FIELDS = {
    DELIVERED: {"status", "primero_user", "case_id", "progres_interventionnumber"},
    FAILED: {"status", "closure_reason", "request_type", "progres_interventionnumber", "case_id", "primero_user"},
}
# With which code a unit may have been given up while Primero was away.
AWAY = (
    "unreachable", "timed_out", "connection_lost", "server_error", "too_many_requests", "unreadable_answer",
    "not_allowed",
)  # fmt: skip
DECISIONS = {"125080000": "accepted", "125080001": "rejected", "accepted": "accepted", "rejected": "rejected"}
REJECTED_REASON = f"Not applicable: {TOKEN}, not the same child"


def referrals(evidence):
    """1a: each intervention has its case and its service once, and was answered truthfully."""
    asked, standing = _asked(evidence), _standing(evidence.cases)
    for number, wanted in asked.items():
        places = standing.get(number, [])
        yield from _well_placed(number, wanted, places, evidence)
        yield from _well_answered(number, wanted, places, evidence)
        yield from _in_order(number, evidence.events)
    yield from _nothing_unasked(evidence, asked, standing)
    yield from _whole_cases(evidence, asked)


def undelivered(number, evidence, message=None):
    """Whether a person knows of an answer about this intervention, to one message or to any, that DTP refused, or that
    may have arrived and mustn't be repeated."""
    return _unknown(number, evidence) or any(
        item["ids"].get("intervention") == number and item["code"] == "answer_refused"
        for item in evidence.items
        if message in (None, item["message"])
    )


def _unknown(number, evidence):
    """Whether it waits for a person to find out whether an answer arrived."""
    return evidence.parks and any(
        (item["job"], item["record"], item["code"]) == ("progres_answers", number, "outcome_unknown")
        for item in evidence.parked
    )


def _was_away_too_long(evidence):
    """Whether Primero was away beyond the agreed time, by a clock that may have been wrong."""
    return evidence.away > AGREED_TIME / timedelta(hours=1) - evidence.skewed


def _asked(evidence):
    """By number: what was asked, each `{told, message, when, reason}`; a message that came again is the same one."""
    found = defaultdict(dict)
    numbers = {case["case_id"]: case.get("unhcr_individual_no") for case in evidence.cases}
    for message_id, message, when in evidence.taken:
        if message["request_type"] == "PrimeroOutgoingReferral":
            for place, told in enumerate(message["interventions"]):
                one = {"told": told, "message": message_id, "when": when, "reason": _reason(told, numbers)}
                found[told["progres_interventionnumber"]].setdefault((message_id, place), one)
    return {number: list(wanted.values()) for number, wanted in found.items()}


def _reason(told, numbers):
    """Why an intervention must be refused, as DTP is told; None when it must be delivered."""
    if any(told.get(name) in (None, "") for name in REQUIRED):
        return "Missing required fields"
    if told["interventiontype.progres_description"] not in SERVICE_TYPES:
        return "Service type not among the agreed ones"
    if str(told["individuals.progres_sex"]) not in SEXES:
        return "Invalid data"
    if not ("2005" < told["individuals.progres_dateofbirth"] < "2026"):
        return "Invalid data"
    if isinstance((told.get("languages.progres_languagecodeid") or {}).get("Name"), list):
        return "Invalid data"
    if (told.get("user.progres_partner") or {}).get("Name") == MISTAKEN:
        return NOT_PROCESSED
    if numbers.get(told.get("progres_primeroid")) not in (None, told["individuals.progres_id"]):
        return "More than one matching case"
    return None


def _standing(cases):
    found = defaultdict(list)
    for case in cases:
        for service in case.get("services_section") or []:
            if service.get("progres_interventionnumber"):
                found[service["progres_interventionnumber"]].append((case, service))
    return found


def _well_placed(number, wanted, places, evidence):
    valid = [one for one in wanted if one["reason"] is None]
    if len(places) > 1:
        yield f"{number} stands {len(places)} times in Primero"
    if places and not valid:
        yield f"{number} stands in Primero, though all that was asked about it must be refused"
    if not places:
        for one in valid:
            if not _given_up(one["message"], evidence):
                yield f"{number} is lost: it doesn't stand in Primero, and was not given up"
    for case, service in places:
        if valid and not any(case.get("unhcr_individual_no") == one["told"]["individuals.progres_id"] for one in valid):
            yield f"{number} stands in the case of another child"
        differing = [_differing(service, service_of(one["told"]), evidence.edited) for one in valid]
        if differing and all(differing):
            yield f"{number} stands with another content than was asked for: {', '.join(differing[0])}"
        if service.get("unhcr_referral_status") != _decided(number, evidence):
            yield f"{number} is {service.get('unhcr_referral_status')} in Primero, as nobody decided"


def _given_up(message, evidence):
    """Whether this message was given up, since Primero was away beyond the agreed time."""
    return _was_away_too_long(evidence) and any(
        unit["message"] == message
        and unit["job"] == "progres_to_primero"
        and unit["status"] in ("dead", "expired", "discarded")
        and unit["code"] in AWAY
        for unit in evidence.units
    )


def _differing(service, wanted, edited):
    """The fields that are another, other than those that people wrote."""
    own = edited.get(service["unique_id"])
    wanted = {**wanted, "service_referral_notes": own} if own else wanted
    return [name for name, value in wanted.items() if (service.get(name) or None) != (value or None)]


def _decided(number, evidence):
    made = [event["status"] for event in evidence.events if event["what"] == "decided" and event["number"] == number]
    return made[-1] if made else "pending"


def _well_answered(number, wanted, places, evidence):
    told = [event for event in evidence.events if _is_answer(event, number)]
    words = [event["body"]["status"] for event in told]
    if places and words and words[-1] != DELIVERED and not undelivered(number, evidence):
        yield f"{number} stands in Primero, and DTP's last answer is {words[-1]}"
    if not places and DELIVERED in words:
        yield f"{number} doesn't stand in Primero, and DTP was told that it was delivered"
    yield from _counted(number, wanted, told, evidence)
    for event in told:
        yield from _truthful(number, event, wanted, places)


def _is_answer(event, number):
    body = event["body"] if event["what"] == "dtp" else {}
    return body.get("progres_interventionnumber") == number and body.get("status") in FIELDS


def _counted(number, wanted, told, evidence):
    """One answer for each message; a second where another part of it, or a run after a death, found otherwise."""
    least = most = 0
    parts = Counter(one["message"] for one in wanted)
    for message, count in parts.items():
        flawed = any(one["reason"] for one in wanted if one["message"] == message)
        died = any(unit["message"] == message and unit["job"] == "progres_referral_given_up" for unit in evidence.units)
        least += not undelivered(number, evidence, message)
        most += 2 if (flawed or died) and (count > 1 or evidence.deaths) else 1
    kept = Counter(event["body"]["status"] for event in told if event["kept"])
    asked_by_people = sum(event["answers"].count(number) for event in evidence.events if event["what"] == "retried")
    if kept.total() < least:
        yield f"{number} came in messages that need {least} answers, and was answered {kept.total()} times"
    if kept.total() > most + asked_by_people or max(kept.values(), default=0) > len(parts) + asked_by_people:
        yield f"{number} came in messages that need {most} answers at most, and was answered {kept.total()} times"


def _truthful(number, event, wanted, places):
    body = event["body"]
    if set(body) - FIELDS[body["status"]] or TOKEN in str(body):
        yield f"{number} was answered with fields that don't belong there"
    if body["status"] == DELIVERED:
        case = places[0][0] if places else {}
        if places and (body["case_id"], body["primero_user"]) != (case["case_id"], case["owned_by"]):
            yield f"{number} was answered with another case or owner than it stands in"
        return
    said, _, names = body["closure_reason"].partition(": ")
    for one in wanted:
        if one["reason"] == said and (said != "Missing required fields" or _names_missing(names, one["told"])):
            return
    if said != NOT_REACHED:
        yield f"{number} was refused for “{said}”, which is not why"
    elif not any(event["when"] - one["when"] >= AGREED_TIME for one in wanted):
        yield f"{number} was given up before the agreed time was over"


def _names_missing(names, told):
    """Whether the fields that are named are those that are missing."""
    missing = {name for name in REQUIRED if told.get(name) in (None, "")}
    return {name.removesuffix(".Name") for name in names.split(", ")} == missing


def _in_order(number, events):
    """Once it stands, the only answer is that it was delivered, but for a refusal that was on its way by then."""
    stands = answered = False
    refused, on_its_way = None, 0
    for event in events:
        if event.get("number") == number:
            stands = stands or event["what"] == "stands"
            on_its_way += event["what"] == "waits" and event["status"] == FAILED and not stands
            refused = event["when"] if event["what"] == "answer refused" else refused
        if event["what"] != "dtp" or event["body"].get("progres_interventionnumber") != number:
            continue
        status = event["body"]["status"]
        if status == FAILED and stands and not on_its_way:
            yield f"{number} was told to have failed after it stood in Primero"
        if status == FAILED and stands and event["kept"]:
            on_its_way -= 1
        if status == DELIVERED and not stands:
            yield f"{number} was told to be delivered before it stood in Primero"
        if status in FIELDS:
            answered, refused = True, None
        elif refused and event["when"] - refused >= KEPT:
            continue
        elif not answered or refused or number in event["waiting"]:
            yield f"{number}: a decision was sent while an earlier answer was not delivered"


def _nothing_unasked(evidence, asked, standing):
    children = {
        one["told"].get("individuals.progres_id")
        for wanted in asked.values()
        for one in wanted
        if one["reason"] is None
    }
    for number in standing.keys() - asked.keys():
        yield f"{number} stands in Primero, and nobody asked for it"
    for case in evidence.cases:
        if case["id"] not in evidence.theirs and case.get("unhcr_individual_no") not in children:
            yield f"the case {case['case_id']} stands in Primero, and nobody asked for it"
    for event in evidence.events:
        number = event["what"] == "dtp" and event["body"].get("progres_interventionnumber")
        if number and number not in asked:
            yield f"DTP was told about {number}, which it never asked for"


def _whole_cases(evidence, asked):
    """Each child has one case: ours holds all that was asked for, and theirs what they wrote."""
    for number, count in Counter(case.get("unhcr_individual_no") for case in evidence.cases).items():
        if count > 1:
            yield f"{number} has {count} cases"
    valid = [one for wanted in asked.values() for one in wanted if one["reason"] is None]
    for case in evidence.cases:
        changeable = {"address_current"} if case["id"] in evidence.touched else set()
        if case["id"] in evidence.theirs:
            made = evidence.theirs[case["id"]]
            wanted = [{**dict.fromkeys(("language", "age", "unhcr_id_no", "telephone_current")), **made}]
        else:
            own = [one for one in valid if one["told"]["individuals.progres_id"] == case.get("unhcr_individual_no")]
            days = {one["when"].date() for one in own} | {evidence.ended.date()}
            wanted = [case_of(one["told"], day) for one in own for day in days]
        differing = [
            [name for name, value in one.items() if name not in changeable and (case.get(name) or None) != value]
            for one in wanted
        ]
        if differing and all(differing):
            yield f"the case {case['case_id']} holds something else than it must: {', '.join(min(differing, key=len))}"


# 2b.


def decisions(evidence):
    """2b: the first decision on a referral holds in Primero; another is parked; none is lost, none made up."""
    case_ids = {case["id"]: case["case_id"] for case in evidence.cases}
    found = defaultdict(list)
    for one in evidence.referrals:
        if one.get("service_record_id"):
            service = {"unique_id": one["service_record_id"]}
            found[dtp_id({"case_id": case_ids[one["case"]]}, service)].append(one)
    told = _told(evidence)
    for name, words in told.items():
        states = [(one["status"], one.get("rejected_reason")) for one in found[name]]
        done = Counter()
        for message, word in words.items():
            unit = next(unit for unit in evidence.units if unit["message"] == message)
            if unit["status"] in WAITS_FOR_A_PERSON:
                yield from _rightly_waiting(name, word, unit, found[name], words, evidence)
                continue
            done[word] += 1
            if (word, REJECTED_REASON if word == "rejected" else None) not in states:
                yield f"UNHCR's decision {word} on {name} is not in Primero"
        if len(done) > len(states):
            yield f"UNHCR's decisions on {name} contradict each other, and none is parked"
    for name, ones in found.items():
        for one in ones:
            if one["status"] in ("accepted", "rejected") and one["status"] not in told[name].values():
                yield f"the referral {name} is {one['status']} in Primero, and UNHCR never said so"


def _told(evidence):
    """By referral: the decision of each message."""
    found = defaultdict(dict)
    for message_id, message, _ in evidence.taken:
        if message["request_type"] == "PrimeroIncomingReferralDecision":
            for one in message["interventions"]:
                found[one["progres_orgreferralid"]][message_id] = DECISIONS.get(str(one["progres_reviewdecision"]))
    return found


def _rightly_waiting(name, word, unit, ones, words, evidence):
    """Whether a decision that a person must settle has a reason for it, by what was in Primero when it was parked."""
    parked = [event for event in evidence.events if event["what"] == "parked" and event["message"] == unit["message"]]
    seen = parked[-1] if parked else {"now": {}, "read": {}, "withheld": set()}
    found = [_as_seen(ones, seen[view]) for view in ("now", "read")]
    right = {
        "unknown_code": word is None,
        "not_found": any(not meant for meant in found),
        "decided_otherwise": any(_is_decided_otherwise(meant, word) for meant in found),
        "ambiguous": any(sum(one["status"] == "in_progress" for one in meant) > 1 for meant in found),
        "rejected": any(one["case"] in seen["withheld"] for one in ones),
    }
    if unit["status"] != "parked" and unit["code"] in AWAY:
        right[unit["code"]] = _was_away_too_long(evidence)
    if not right.get(unit["code"]):
        yield f"UNHCR's decision {word} on {name} is {unit['status']} ({unit['code']}), without a reason for it"


def _as_seen(ones, statuses):
    """The referrals to UNHCR that there were by then, in order of making, each with its status by then."""
    meant = [one for one in ones if one.get("transitioned_to") == "unhcr_cw" and one["id"] in statuses]
    return [{**one, "status": statuses[one["id"]]} for one in sorted(meant, key=lambda one: one["created_at"])]


def _is_decided_otherwise(meant, word):
    """Whether none is open any more, and the last one stands otherwise than decided."""
    if not meant or any(one["status"] == "in_progress" for one in meant):
        return False
    return meant[-1]["status"] not in {word, "done" if word == "accepted" else word}
