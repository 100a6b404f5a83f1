"""2a: sends the referrals that UNICEF's partners make to UNHCR.

Runs every hour. Reads the cases referred to the UNHCR user that changed since the last run, and sends each open
referral once: for a service that UNHCR provides, of an agreed type, with consent. What is withheld is listed by id.

What to edit for another country: the tables, what may leave as FREE_TEXT, and the constants below.
"""

from adaptors.common import (
    cursor,
    data_value,
    date,
    derive,
    each,
    fields_read,
    fn,
    fn_if,
    free_text,
    join,
    log_ids,
    lookup,
    note,
    once,
    save_as,
    source_value,
    text,
)
from adaptors.errors import Parked, Withheld
from adaptors.primero import get_cases, get_referrals, get_users
from adaptors.progres import send_referral

# Tables: Primero's value → proGres'. What is not in a table is parked, unless a default is written.

SERVICE_TYPES = {
    "alternative_care": "Alternative Care",
    "focuses_non_specialized_mhpss_care": "Child Protection Service",
    "food": "Family Reunification Service",
    "security_e_g_safe_shelter": "Safehouse Service",
    "education_formal": "Psychosocial Service",
    "non_formal_education": "Police/Other Service",
    "family_tracing_and_reunification": "Legal Assistance Service",
    "basic_psychosocial_support": "Livelihoods Service",
    "specialized_mhpss_services": "Family Mediation Service",
    "non_food_items": "Education Service",
    "cash_assistance": "NFI/Clothes/Shoes Service",
    "livelihoods": "Water/Sanitation Service",
    "medical": "Registration Service",
    "nutrition": "Food Service",
    "legal_support": "Adolescent and Youth Empowerment",
    "documentation": "Early Childhood Service",
    "services_for_children_with_disabilities": "Other Service",
    "sexual_and_reproductive_health": "Sexual and reproductive health",
    "shelter": "Shelter",
    "wash": "WASH",
    "durable_solution_in_coordination_with_unhcr": "Durable solution (in coordination with UNHCR)",
    "relocation": "Relocation",
    "other_please_specify": "Other",
}

# Of these, only the agreed ones may go.
AGREED_SERVICE_TYPES = [
    "alternative_care",
    "focuses_non_specialized_mhpss_care",
    "food",
    "family_tracing_and_reunification",
]

SEXES = {
    "unknown_4b34795": "unknown",
    "other_b25f252": "other",
}

LANGUAGES = {
    "language1": "Anyuak",
    "language2": "Nuer",
    "language3": "Dinka",
    "language4": "Bari",
    "language5": "Amharic",
    "language6": "Other",
    "language7": "Bembe",
    "language8": "Somali",
    "language10": "Acholi",
    "murle_fce1c91": "Murle",
    "if_other_language__please_specify_335944b": "Other",
    "_amharic": "Amharic",
    "_arabic": "Arabic",
    "_boma": "Boma",
    "_didinga": "Didinga",
    "_english": "English",
    "_french": "French",
    "_karamojong": "Karamojong",
    "_kifulero": "Fuliiru, Kifulero",
    "_kikongo": "Kikongo",
    "_kinyabiyisha": "Kinyabwisha",
    "_kinyarwanda": "Rwanda, Kinyarwanda",
    "_kirundi": "Rundi, Kirundi",
    "_lingala": "Lingala",
    "_lokoya": "Lokoya",
    "_lopit": "Lopit",
    "_luo": "Luo",
    "_makonde": "Makonde",
    "_mashi": "Mashi",
    "_moro": "Moro",
    "_murle": "Murle",
    "_oromo": "Oromo",
    "_sign_language": "Sign Language",
    "_tira": "Tira",
    "_toposa": "Toposa",
    "_toro": "Toro",
}

# Free text: how many characters of each may leave at most; None leaves it out.
FREE_TEXT = {
    "service_referral_notes": 10_000,
    "service_type_other": 1_000,
    "address_current": 1_000,
}

UNHCR_USER = "unhcr_cw"  # to whom partners refer in Primero
UNHCR_AGENCY = "UNHCR"  # who provides the service
OUR_AGENCY = "UNICEF"  # who refers the child, as UNHCR is told
CONSENTS = ["disclosure_other_orgs", "consent_for_services"]

# What the functions below read in a case, beside what the mapping reads.
CHECKED = [
    *CONSENTS,
    "services_section.unique_id",
    "services_section.service_type",
    "services_section.service_implementing_agency",
]

# Sent where the owner of the case has left a field of the contact empty; the run says so.
ADMINISTRATOR = {
    "position": "CPIMS+ administrator",
    "email": "cpims.administrator@example.org",
    "phone": "+251 000 000 000",
    "full_name": "CPIMS+ Administrator Gambella",
}


def referrals_to_unhcr(state):
    """The case's open referrals to UNHCR, each beside its case and its service (None for the whole case)."""
    case = state["data"]
    services = {service["unique_id"]: service for service in case.get("services_section") or []}
    return [
        {"case": case, "referral": referral, "service": services.get(referral.get("service_record_id"))}
        for referral in state["referrals"]
        if referral["status"] == "in_progress" and referral.get("transitioned_to") == UNHCR_USER
    ]


def may_be_sent(state):
    """Stop what must not leave: no service, another agency's, not agreed, no consent."""
    case, service, referral = state["data"]["case"], state["data"]["service"], state["data"]["referral"]
    if service is None:
        raise Parked(
            "the referral is of the whole case, or of a service that is gone",
            code="no_service",
            fix="Refer one of the services to UNHCR instead.",
        )
    if str(service.get("service_implementing_agency")).lower() != UNHCR_AGENCY.lower():
        raise Withheld("the service is not UNHCR's", code="other_agency")
    lookup(SERVICE_TYPES, service.get("service_type"))
    if str(service.get("service_type")).lower() not in AGREED_SERVICE_TYPES:
        raise Withheld("the service type is not among the agreed ones", code="not_agreed")
    consented = all(str(case.get(consent)).lower() == "true" for consent in CONSENTS)
    if not consented and referral.get("consent_overridden") is not True:
        raise Withheld("no consent, and none overridden on the referral", code="no_consent")
    return state


def add_contact(state):
    """The owner's contact; the administrator's where a field is empty."""
    owner = state["owner"][0] if state["owner"] else {}
    state["contact"] = {field: owner.get(field) or default for field, default in ADMINISTRATOR.items()}
    state["contact_is_own"] = all(owner.get(field) for field in ADMINISTRATOR)
    return state


def contact_is_not_own(state):
    """Whether the administrator stands in for the owner."""
    return not state["contact_is_own"]


def dtp_id(case_id, service_id):
    """By which UNHCR knows the referral: case and the last 12 characters of the service's id."""
    return f"{case_id}#{service_id[-12:]}"


def referral_notes(notes):
    """UNHCR needs some text."""
    return notes or "Primero referral"


# Mapping: proGres' field → where its value comes from.

REFERRAL = {
    "id": derive(dtp_id, "case.case_id", "service.unique_id"),
    "request_type": "ReceiveIncomingReferral",
    "primero_user": data_value("case.owned_by"),
    "position": source_value("contact.position"),
    "email": source_value("contact.email"),
    "phone": source_value("contact.phone"),
    "full_name": source_value("contact.full_name"),
    "service_type": lookup(SERVICE_TYPES, data_value("service.service_type")),
    "service_type_other": free_text("service.service_type_other", FREE_TEXT["service_type_other"]),
    "service_response_day_time": data_value("service.service_response_day_time"),
    "service_referral_notes": derive(
        referral_notes, free_text("service.service_referral_notes", FREE_TEXT["service_referral_notes"])
    ),
    "service_implementing_agency": OUR_AGENCY,
    "owned_by_agency_id": OUR_AGENCY,
    "unhcr_individual_no": data_value("case.unhcr_individual_no"),
    "unhcr_id_no": data_value("case.unhcr_id_no"),
    "name_first": data_value("case.name_first"),
    "name_middle": data_value("case.name_middle"),
    "name_last": data_value("case.name_last"),
    "name_nickname": data_value("case.name_nickname"),
    "address_current": free_text("case.address_current", FREE_TEXT["address_current"]),
    "date_of_birth": date(data_value("case.date_of_birth")),
    "sex": lookup(SEXES, data_value("case.sex"), default=data_value("case.sex")),
    "telephone_current": text(data_value("case.telephone_current")),
    "language": join(", ", lookup(LANGUAGES, data_value("case.language"), default="Other")),
    "consent_for_services": data_value("case.consent_for_services"),
    "disclosure_other_orgs": data_value("case.disclosure_other_orgs"),
}

operations = [
    cursor(),
    each(
        get_cases(
            referred_to=UNHCR_USER,
            fields=[
                *fields_read(REFERRAL, "case"),
                *fields_read(REFERRAL, "service", subform="services_section"),
                *CHECKED,
            ],
            since=source_value("since"),
        ),
        log_ids(id=data_value("id"), case_id=data_value("case_id")),
        save_as("referrals", get_referrals(data_value("id"))),
        each(
            referrals_to_unhcr,
            log_ids(
                id=data_value("case.id"),
                case_id=data_value("case.case_id"),
                referral=data_value("referral.id"),
            ),
            fn(may_be_sent),
            save_as("owner", get_users(user_name=data_value("case.owned_by"))),
            fn(add_contact),
            fn_if(contact_is_not_own, note("the administrator's contact stands in for what the owner left empty")),
            once("referral", data_value("referral.id"), send_referral(REFERRAL)),
        ),
        workers=12,  # more than the 8 connections, which so are busy while some write into the ledger
    ),
]
