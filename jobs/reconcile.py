"""Reconciling: what Primero holds, beside what was sent and answered. It sends nothing and writes nothing.

Runs every night, and by `runner reconcile`. Reads all cases, from no cursor on: ids, statuses and numbers, no names.
What a person should look at is parked, by its ids.

What to edit for another country: the constants, which must say the same as those of the other jobs.
"""

from adaptors.common import combine, data_value, derive, each, fn, fn_if, log_ids, lookup, save_as
from adaptors.comparing import age_in_days, expect, remembered
from adaptors.errors import Parked
from adaptors.primero import get_cases, get_referrals

EVER = "2000-01-01T00:00:00Z"  # before the first record

# As in primero_decisions_to_progres.py.
STATUSES = {
    "accepted": "acknowledged",
    "rejected": "rejected",
}

# As in primero_to_progres.py.
AGREED_SERVICE_TYPES = [
    "alternative_care",
    "focuses_non_specialized_mhpss_care",
    "food",
    "family_tracing_and_reunification",
]
UNHCR_USER = "unhcr_cw"
UNHCR_AGENCY = "UNHCR"
CONSENTS = ["disclosure_other_orgs", "consent_for_services"]

# For how many days UNHCR may leave a referral unanswered before it is listed.
ANSWERED_WITHIN_DAYS = 14

# For how many days a referral from UNHCR may be on its way, as long as the project file lets it be tried again.
DELIVERED_WITHIN_DAYS = 3

DELIVERY_FAIL = "Delivery Fail"  # what UNHCR was told of a referral that could not be delivered


def services_from_unhcr(state):
    """The case's services that came from UNHCR, each beside its case."""
    case = state["data"]
    return [
        {"case": case, "service": service}
        for service in case.get("services_section") or []
        if str(service.get("service_request_external")).lower() == "true" and service.get("progres_interventionnumber")
    ]


def decided_services(state):
    """Those of them that have been decided."""
    return [one for one in services_from_unhcr(state) if status_of(one["service"]) in STATUSES]


def status_of(service):
    """What was decided about a service, in any letter case."""
    return str(service.get("unhcr_referral_status")).lower()


def check_answer(state):
    """A service that stands in Primero was delivered; UNHCR must not believe otherwise."""
    answer, decision, told = state["answered"], state["decided"], state["told"]
    if told or decision:
        return unchanged(state)
    if answer is None and not on_its_way(state):
        raise Parked(
            "the service stands in Primero, and no answer to UNHCR is known",
            code="answer_unknown",
            fix="Ask UNHCR by the number; if it has none, let it send the referral again, which is then answered.",
        )
    if answer and answer["value"].endswith(DELIVERY_FAIL):
        raise Parked(
            f'the service stands in Primero, and UNHCR was told "{DELIVERY_FAIL}"',
            code="answered_twice_differently",
            fix="Tell UNHCR by the number that it was delivered; then runner reconcile --told NUMBER.",
        )
    return unchanged(state)


def on_its_way(state):
    """Whether we made the service and may still be at its answer."""
    changed = age_in_days(state, state["data"]["case"]["last_updated_at"])
    return bool(state["made"]) and changed <= DELIVERED_WITHIN_DAYS


def concerns_unhcr(associated_users, services):
    """Whether the case is, or may have been, referred to UNHCR: a revoked referral leaves only the service."""
    return UNHCR_USER in (associated_users or []) or any(map(is_unhcrs, services or []))


def is_unhcrs(service):
    """Whether UNHCR is to provide the service."""
    return str(service.get("service_implementing_agency")).lower() == UNHCR_AGENCY.lower()


def referrals_to_unhcr(state):
    """The case's referrals to UNHCR, whatever became of them, each beside its case and its service."""
    case = state["data"]
    services = {service["unique_id"]: service for service in case.get("services_section") or []}
    return [
        {"case": case, "referral": referral, "service": services.get(referral.get("service_record_id"))}
        for referral in state["referrals"]
        if referral.get("transitioned_to") == UNHCR_USER
    ]


def is_to_be_sent(state):
    """Whether UNHCR should hold the referral. One of the whole case counts: its job parks it, so that a person sees."""
    service, referral = state["data"]["service"], state["data"]["referral"]
    if state["sent"] and state["sent"]["status"] == "done":
        return False
    if referral["status"] != "in_progress" or not consented(state["data"]["case"], referral):
        return False
    agreed = service and str(service.get("service_type")).lower() in AGREED_SERVICE_TYPES
    return service is None or bool(agreed and is_unhcrs(service))


def consented(case, referral):
    """Whether there is consent, or it was overridden on the referral."""
    given = all(str(case.get(consent)).lower() == "true" for consent in CONSENTS)
    return given or referral.get("consent_overridden") is True


def check_referral(state):
    """What was sent, or perhaps was, must still hold; where it doesn't, people must tell UNHCR."""
    case, referral = state["data"]["case"], state["data"]["referral"]
    if state["told"] or not state["sent"]:
        return unchanged(state)
    tell = "Tell UNHCR by case_id and referral; then runner reconcile --told REFERRAL. See docs/consent-withdrawn.md."
    if referral["status"] == "revoked":
        raise Parked("the referral was revoked after it was sent", code="revoked_after_sending", fix=tell)
    if referral["status"] in ("in_progress", "accepted") and not consented(case, referral):
        raise Parked("consent was withdrawn after the referral was sent", code="consent_withdrawn", fix=tell)
    if referral["status"] == "in_progress" and age_in_days(state, referral["created_at"]) > ANSWERED_WITHIN_DAYS:
        raise Parked(
            f"UNHCR hasn't answered for more than {ANSWERED_WITHIN_DAYS} days",
            code="unanswered",
            fix="Ask UNHCR by case_id and referral.",
        )
    return unchanged(state)


def unchanged(state):
    """As it should be."""
    state["item"]["outcome"] = "unchanged"
    return state


case_ids = {"case": data_value("case.id"), "case_id": data_value("case.case_id")}
intervention = data_value("service.progres_interventionnumber")
referral = data_value("referral.id")

operations = [
    each(
        get_cases(
            fields=[
                "case_id",
                "created_at",
                "associated_user_names",
                *CONSENTS,
                "services_section.unique_id",
                "services_section.service_type",
                "services_section.service_implementing_agency",
                "services_section.service_request_external",
                "services_section.progres_interventionnumber",
                "services_section.unhcr_referral_status",
            ],
            since=EVER,
        ),
        log_ids(case=data_value("id"), case_id=data_value("case_id")),
        each(
            services_from_unhcr,
            log_ids(**case_ids, intervention=intervention),
            save_as("made", remembered("service", intervention)),
            save_as("answered", remembered("answer", intervention)),
            save_as("decided", remembered("decision", intervention)),
            save_as("told", remembered("told", intervention)),
            fn(check_answer),
        ),
        each(
            decided_services,
            log_ids(**case_ids, decision=intervention),
            expect(
                "decision",
                intervention,
                value=lookup(STATUSES, data_value("service.unhcr_referral_status")),
                by="primero_decisions_to_progres",
                record=data_value("case.id"),
                made=data_value("case.created_at"),
                changed=data_value("case.last_updated_at"),
            ),
        ),
        fn_if(
            derive(concerns_unhcr, "associated_user_names", "services_section"),
            combine(
                save_as("referrals", get_referrals(data_value("id"))),
                each(
                    referrals_to_unhcr,
                    log_ids(**case_ids, referral=referral),
                    save_as("sent", remembered("referral", referral)),
                    save_as("told", remembered("told", referral)),
                    fn_if(
                        is_to_be_sent,
                        expect(
                            "referral",
                            referral,
                            by="primero_to_progres",
                            record=data_value("case.id"),
                            made=data_value("referral.created_at"),
                            changed=data_value("case.last_updated_at"),
                        ),
                    ),
                    fn(check_referral),
                ),
            ),
        ),
        workers=8,
    ),
]
