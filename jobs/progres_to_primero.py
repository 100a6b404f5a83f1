"""1a: takes a referral from proGres into Primero, and answers each intervention.

Starts when DTP posts a PrimeroOutgoingReferral. For every intervention the child is found by the UNHCR individual
number, or a new case is made; the service is added; DTP is told that it was delivered, or why not.

What to edit for another country: the tables, INTAKE_USERS, what may leave as FREE_TEXT, MODULE and
IMPLEMENTING_AGENCY.
"""

import json
import re

from adaptors.common import (
    age,
    data_value,
    date,
    derive,
    each,
    fn_if,
    free_text,
    join,
    log_ids,
    lookup,
    once,
    require,
    save_as,
    source_value,
    text,
)
from adaptors.primero import find_service, upsert_case
from adaptors.progres import look_up_name, send_feedback

# Tables: proGres' value → Primero's. What is not in a table is refused, unless a default is written.

SERVICE_TYPES = {
    "Alternative Care": "alternative_care",
    "BID": "focuses_non_specialized_mhpss_care",
    "BIA": "focuses_non_specialized_mhpss_care",
    "Family Tracing and Reunification": "food",
}

SEXES = {
    "125080000": "female",
    "125080001": "male",
    "125080002": "other_b25f252",
    "125080003": "unknown_4b34795",
}

LANGUAGES = {
    "Anyuak": "language1",
    "Swahili": "language1",
    "Swahili, Congo": "language1",
    "Cutchi-swahili": "language1",
    "Nuer": "language2",
    "Bari": "language4",
    "Amharic": "language5",
    "Zande": "language5",
    "Bembe": "language7",
    "Somali": "language8",
    "Acholi": "language10",
}
DINKA = "language3"  # every "Dinka, …"
OTHER_LANGUAGE = "language6"

# Who receives a new case: agency as UNHCR names it → intake user in Primero.
INTAKE_USERS = {}
DEFAULT_INTAKE_USER = "progresv4_primero_intake"

MODULE = "primeromodule-cp"  # of a new case
IMPLEMENTING_AGENCY = "UNICEF"  # of a new service

# Free text: how many characters of each may be written into Primero at most; None leaves it out.
FREE_TEXT = {
    "service_referral_notes": 10_000,
    "address_current": 1_000,
}

# What DTP is told, by the error's code.
REASONS = {
    "missing_fields": "Missing required fields",
    "invalid_data": "Invalid data",
    "unknown_code": "Invalid data",
    "not_agreed": "Service type not among the agreed ones",
    "ambiguous": "More than one matching case",
    "rejected": "Primero refused the data",
}
ANOTHER_REASON = "The referral could not be processed"

# Primero refuses a text that as a whole looks like a date.
LOOKS_LIKE_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")

REQUIRED = [
    "interventiontype.progres_description",
    "individuals.progres_id",
    "individuals.progres_registrationgroupid.Name",
    "individuals.progres_givenname",
    "individuals.progres_familyname",
    "individuals.progres_dateofbirth",
    "individuals.progres_sex",
    "progres_interventionnumber",
]


def language(name):
    """One language of proGres as Primero's option."""
    if name and name.startswith("Dinka, "):
        return DINKA
    return lookup(LANGUAGES, name, default=OTHER_LANGUAGE)


def referral_notes(description, reason):
    """Description and reason in one text, "Note: " before what Primero would take for a date."""
    notes = join(", ", description, *reason_texts(reason))
    return f"Note: {notes}" if notes and LOOKS_LIKE_DATE.fullmatch(notes) else notes


def reason_texts(reason):
    """The reason's texts, in order: it may be a JSON text, a list of {CreatedBy, Text, CreatedOn}."""
    if isinstance(reason, str) and reason.strip().startswith("["):
        try:
            reason = json.loads(reason)
        except ValueError:
            return [reason]
    if not isinstance(reason, list):
        return [reason]
    return [entry.get("Text") if isinstance(entry, dict) else entry for entry in reason]


def requesting_agency(partner):
    """The agency that asks for the service."""
    return partner or "UNHCR"


def intake_user(partner):
    """Who owns the new case."""
    return lookup(INTAKE_USERS, partner, default=DEFAULT_INTAKE_USER) or DEFAULT_INTAKE_USER


def closure_reason(code, fields):
    """Why it was not delivered, in words a UNHCR officer can act on; names of fields, no data."""
    reason = lookup(REASONS, code, default=ANOTHER_REASON)
    return f"{reason}: {', '.join(fields)}" if fields else reason


def is_missing(case):
    """Whether the service was not found."""
    return case is None


# Mappings: Primero's field → where its value comes from.

SERVICE = {
    "progres_interventionnumber": data_value("progres_interventionnumber"),
    "service_type": lookup(SERVICE_TYPES, data_value("interventiontype.progres_description"), code="not_agreed"),
    "service_response_day_time": date(data_value("progres_interventionstartdate"), time=True),
    "service_referral_notes": free_text(
        derive(referral_notes, "progres_interventiondescription", "progres_reasonforreferral"),
        FREE_TEXT["service_referral_notes"],
    ),
    "service_request_title": text(data_value("user.title")),
    "service_request_phone": text(data_value("user.mobilephone")),
    "service_request_email": text(data_value("user.internalemailaddress")),
    "service_request_agency": derive(requesting_agency, look_up_name("user.progres_partner")),
    "service_request_external": True,
    "service_implementing_agency": IMPLEMENTING_AGENCY,
    "service_response_type": "service_provision",
    "service_referral": "external_referral",
    "unhcr_referral_status": "pending",
}

# All of it is written with a new case; in a known one only a service that is not there yet is added.
CASE = {
    "unhcr_individual_no": data_value("individuals.progres_id"),
    "case_id": data_value("progres_primeroid"),  # finds a case, is never written
    "unhcr_id_no": look_up_name("individuals.progres_registrationgroupid"),
    "name_first": text(data_value("individuals.progres_givenname")),
    "name_middle": text(data_value("individuals.progres_middlename")),
    "name_last": text(data_value("individuals.progres_familyname")),
    "name_nickname": text(data_value("individuals.progres_commonyusedname")),
    "date_of_birth": date(data_value("individuals.progres_dateofbirth")),
    "age": age(data_value("individuals.progres_dateofbirth")),
    "sex": lookup(SEXES, data_value("individuals.progres_sex")),
    "telephone_current": text(data_value("individuals.progres_primaryphonenumber")),
    "address_current": free_text(
        join(
            " ",
            look_up_name("individuals.progres_coalocationlevel1"),
            look_up_name("individuals.progres_coalocationlevel2"),
            look_up_name("individuals.progres_coalocationlevel3"),
            look_up_name("individuals.progres_coalocationlevel4"),
            look_up_name("individuals.progres_coalocationlevel5"),
            data_value("individuals.progres_coalocationlevel6"),
        ),
        FREE_TEXT["address_current"],
    ),
    "language": [derive(language, look_up_name("languages.progres_languagecodeid"))],
    "status": "open",
    "owned_by": derive(intake_user, look_up_name("user.progres_partner")),
    "module_id": MODULE,
    "services_section": [SERVICE],
}

DELIVERED = {
    "status": "Pending Acknowledgement",
    "primero_user": source_value("case.owned_by"),
    "case_id": source_value("case.case_id"),
    "progres_interventionnumber": data_value("progres_interventionnumber"),
}

NOT_DELIVERED = {
    "status": "Delivery Fail",
    "closure_reason": derive(closure_reason, source_value("error.code"), source_value("error.fields")),
    "request_type": "Feedback",
    "progres_interventionnumber": data_value("progres_interventionnumber"),
    "case_id": source_value("error.ids.case_id"),
    "primero_user": source_value("error.ids.primero_user"),
}

tell_delivered = once(
    "answer",
    data_value("progres_interventionnumber"),
    send_feedback(DELIVERED),
    value=DELIVERED["status"],
    later=True,
)
tell_not_delivered = once(
    "answer",
    data_value("progres_interventionnumber"),
    send_feedback(NOT_DELIVERED),
    value=NOT_DELIVERED["status"],
    later=True,
)

operations = [
    require("interventions"),
    each(
        "$.data.interventions[*]",
        log_ids(intervention=data_value("progres_interventionnumber")),
        require(*REQUIRED),
        save_as("case", upsert_case(CASE, match=["unhcr_individual_no", "case_id"])),
        log_ids(case_id=source_value("case.case_id")),
        tell_delivered,
        # An earlier message may have brought it into Primero; then the only answer is that it was delivered.
        when_refused=[
            save_as(
                "case",
                find_service(
                    data_value("progres_interventionnumber"),
                    match={
                        "unhcr_individual_no": data_value("individuals.progres_id"),
                        "case_id": data_value("progres_primeroid"),
                    },
                ),
            ),
            fn_if(source_value("case"), tell_delivered),
            fn_if(derive(is_missing, source_value("case")), tell_not_delivered),
        ],
    ),
]
