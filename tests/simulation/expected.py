"""What belongs into Primero and to DTP, field by field: the tables of exchanges.md, read once more and on their own."""

import html
import json
import re
import uuid
from datetime import date

PRIMERO = "https://primero.sandbox.test"
SERVICE_TYPES = {
    "Alternative Care": "alternative_care", "BID": "focuses_non_specialized_mhpss_care",
    "BIA": "focuses_non_specialized_mhpss_care", "Family Tracing and Reunification": "food",
}  # fmt: skip
SEXES = {
    "125080000": "female", "125080001": "male", "125080002": "other_b25f252", "125080003": "unknown_4b34795",
}  # fmt: skip
LANGUAGES = {"Anyuak": "language1", "Nuer": "language2", "Dinka, Southwestern": "language3",
             "Swahili, Congo": "language1"}  # fmt: skip
LABELS = {
    "alternative_care": "Alternative Care", "focuses_non_specialized_mhpss_care": "Child Protection Service",
    "food": "Family Reunification Service", "family_tracing_and_reunification": "Legal Assistance Service",
}  # fmt: skip
ADMINISTRATOR = {
    "position": "CPIMS+ administrator", "email": "cpims.administrator@example.org",
    "phone": "+251 000 000 000", "full_name": "CPIMS+ Administrator Gambella",
}  # fmt: skip
AS_THEY_ARE = (
    "unhcr_individual_no", "unhcr_id_no", "name_first", "name_middle", "name_last", "name_nickname",
    "address_current", "date_of_birth", "telephone_current", "consent_for_services", "disclosure_other_orgs",
)  # fmt: skip


def case_of(told, today):
    """The case that an intervention makes of a child who has none, without its service; `today` decides on the age.

    >>> from tests.flows import intervention
    >>> case_of(intervention(), date(2026, 3, 2))["age"]
    12
    """
    birth = told["individuals.progres_dateofbirth"][:10]
    names = [(told.get(f"individuals.progres_coalocationlevel{level}") or {}).get("Name") for level in range(1, 6)]
    language = (told.get("languages.progres_languagecodeid") or {}).get("Name")
    case = {
        "unhcr_individual_no": told["individuals.progres_id"],
        "unhcr_id_no": told["individuals.progres_registrationgroupid"]["Name"],
        "name_first": told["individuals.progres_givenname"],
        "name_middle": told.get("individuals.progres_middlename"),
        "name_last": told["individuals.progres_familyname"],
        "name_nickname": told.get("individuals.progres_commonyusedname"),
        "date_of_birth": birth,
        "age": _completed_years(birth, today),
        "sex": SEXES[told["individuals.progres_sex"]],
        "telephone_current": told.get("individuals.progres_primaryphonenumber"),
        "address_current": " ".join(filter(None, [*names, told.get("individuals.progres_coalocationlevel6")])),
        "language": [LANGUAGES.get(language, "language6")] if language else None,
        "status": "open",
        "owned_by": "progresv4_primero_intake",
        "module_id": "primeromodule-cp",
        "id": _derived(told["individuals.progres_id"]),
    }
    return {name: value or None for name, value in case.items()}


def service_of(told):
    """The service that an intervention is, as it stands before anybody decides on it."""
    number = told["progres_interventionnumber"]
    return {
        "unique_id": _derived(number),
        "progres_interventionnumber": number,
        "service_type": SERVICE_TYPES[told["interventiontype.progres_description"]],
        "service_response_day_time": f"{told['progres_interventionstartdate']}T00:00:00.000Z",
        "service_referral_notes": _notes(told),
        "service_request_title": told["user.title"],
        "service_request_phone": told["user.mobilephone"],
        "service_request_email": told["user.internalemailaddress"],
        "service_request_agency": (told.get("user.progres_partner") or {}).get("Name") or "UNHCR",
        "service_request_external": True,
        "service_implementing_agency": "UNICEF",
        "service_response_type": "service_provision",
        "service_referral": "external_referral",
    }


def referral_of(case, service, users):
    """The whole body of a referral that leaves for UNHCR; `users` are Primero's, by name."""
    owner = users.get(case["owned_by"], {})
    contact = {name: owner.get(name) or standing_in for name, standing_in in ADMINISTRATOR.items()}
    languages = [
        next((label for label, code in {"Anyuak": "language1", "Nuer": "language2", "Dinka": "language3"}.items()
              if code == one), "Other")
        for one in case.get("language") or []
    ]  # fmt: skip
    sexes = {"unknown_4b34795": "unknown", "other_b25f252": "other"}
    return {
        "id": dtp_id(case, service),
        "request_type": "ReceiveIncomingReferral",
        "primero_user": case["owned_by"],
        **contact,
        "service_type": LABELS[service["service_type"]],
        "service_type_other": service.get("service_type_other"),
        "service_response_day_time": service.get("service_response_day_time"),
        "service_referral_notes": service.get("service_referral_notes") or "Primero referral",
        "service_implementing_agency": "UNICEF",
        "owned_by_agency_id": "UNICEF",
        **{name: case.get(name) for name in AS_THEY_ARE},
        "sex": sexes.get(case.get("sex"), case.get("sex")),
        "language": ", ".join(languages) or None,
    }


def dtp_id(case, service):
    """By which name UNHCR knows a referral."""
    return f"{case['case_id']}#{service['unique_id'][-12:]}"


def _derived(number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRIMERO}/{number}"))


def _completed_years(birth, today):
    born = date.fromisoformat(birth)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _notes(told):
    description, reason = told.get("progres_interventiondescription"), told.get("progres_reasonforreferral")
    texts = [entry["Text"] for entry in json.loads(reason)] if (reason or "").startswith("[") else [reason]
    plain = [html.unescape(re.sub("<[^>]*>", "", text)).strip() for text in (description, *texts) if text]
    notes = ", ".join(text for text in plain if text)
    return f"Note: {notes}" if re.fullmatch(r"\d{4}-\d\d-\d\d", notes) else notes or None
