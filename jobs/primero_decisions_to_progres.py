"""1b: tells proGres what UNICEF's partners decided about UNHCR's referrals.

Runs every hour. Reads the cases that changed since the last run; in them, the services that came from UNHCR and are
accepted or rejected by now. A decision is sent when it differs from the last one sent for that intervention.

What to edit for another country: the table STATUSES, if the partners' words differ; what may leave as FREE_TEXT.
"""

from adaptors.common import (
    cursor,
    data_value,
    derive,
    each,
    fields_read,
    free_text,
    log_ids,
    lookup,
    once,
    source_value,
)
from adaptors.primero import get_cases
from adaptors.progres import send_decision

# Tables: Primero's value → proGres'.

STATUSES = {
    "accepted": "acknowledged",
    "rejected": "rejected",
}

# What UNHCR is told first, as in progres_to_primero.py: no decision comes before it.
DELIVERED = "Pending Acknowledgement"

# Free text: how many characters of it may leave at most; None leaves it out.
FREE_TEXT = {
    "closure_reason": 10_000,
}


def decided_services(state):
    """The case's services that came from UNHCR and have been decided, each beside its case."""
    case = state["data"]
    return [
        {"case": case, "service": service}
        for service in case.get("services_section") or []
        if str(service.get("service_request_external")).lower() == "true"
        and service.get("progres_interventionnumber")
        and str(service.get("unhcr_referral_status")).lower() in STATUSES
    ]


def closure_reason(reason):
    """Why it was rejected, as the caseworker wrote it."""
    return reason or "No reason specified."


# Mapping: proGres' field → where its value comes from.

DECISION = {
    "case_id": data_value("case.case_id"),
    "primero_user": data_value("case.owned_by"),
    "progres_interventionnumber": data_value("service.progres_interventionnumber"),
    "status": lookup(STATUSES, data_value("service.unhcr_referral_status")),
    "closure_reason": derive(
        closure_reason, free_text("service.unhcr_referral_rejection_reason", FREE_TEXT["closure_reason"])
    ),
    "request_type": "ReceiveDecisionOutgoingReferral",
}

operations = [
    cursor(),
    each(
        get_cases(
            fields=[
                *fields_read(DECISION, "case"),
                *fields_read(DECISION, "service", subform="services_section"),
                "services_section.service_request_external",
            ],
            since=source_value("since"),
        ),
        log_ids(id=data_value("id"), case_id=data_value("case_id")),
        each(
            decided_services,
            log_ids(
                id=data_value("case.id"),
                case_id=data_value("case.case_id"),
                intervention=data_value("service.progres_interventionnumber"),
            ),
            once(
                "decision",
                data_value("service.progres_interventionnumber"),
                send_decision(DECISION),
                value=lookup(STATUSES, data_value("service.unhcr_referral_status")),
                after={"service": "", "answer": DELIVERED},
            ),
        ),
    ),
]
