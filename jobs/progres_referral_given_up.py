"""1a, the last word: answers DTP when a referral could not be taken into Primero in the agreed time.

Starts after the last try of progres_to_primero. It looks first: once the service stands in Primero the only answer is
"Pending Acknowledgement", however late; else it is "Delivery Fail".

What to edit for another country: REASONS.
"""

from adaptors.common import data_value, derive, each, fn_if, log_ids, lookup, once, require, save_as, source_value
from adaptors.primero import find_service
from adaptors.progres import send_feedback

# What DTP is told, by the error's code.
NOT_REACHED = "Primero could not be reached in the agreed time"
REASONS = {
    "unreachable": NOT_REACHED,
    "timed_out": NOT_REACHED,
    "connection_lost": NOT_REACHED,
    "server_error": NOT_REACHED,
    "too_many_requests": NOT_REACHED,
    "unreadable_answer": NOT_REACHED,
    "redirected": NOT_REACHED,
    "tls_failed": NOT_REACHED,
    "private_address": NOT_REACHED,
    "not_allowed": NOT_REACHED,
    "locked": NOT_REACHED,
    "resting": NOT_REACHED,
    "rejected": "Primero refused the data",
}
ANOTHER_REASON = "The referral could not be processed"


def closure_reason(code):
    """Why it was not delivered, in words a UNHCR officer can act on."""
    return lookup(REASONS, code, default=ANOTHER_REASON) or ANOTHER_REASON


def stands_in_primero(case):
    """Whether the service was found."""
    return case is not None


def is_missing(case):
    """Whether it was not."""
    return case is None


DELIVERED = {
    "status": "Pending Acknowledgement",
    "primero_user": source_value("case.owned_by"),
    "case_id": source_value("case.case_id"),
    "progres_interventionnumber": data_value("progres_interventionnumber"),
}

NOT_DELIVERED = {
    "status": "Delivery Fail",
    "closure_reason": derive(closure_reason, source_value("error.code")),
    "request_type": "Feedback",
    "progres_interventionnumber": data_value("progres_interventionnumber"),
}

operations = [
    require("interventions"),
    each(
        "$.data.interventions[*]",
        log_ids(intervention=data_value("progres_interventionnumber")),
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
        fn_if(
            derive(stands_in_primero, source_value("case")),
            once(
                "answer",
                data_value("progres_interventionnumber"),
                send_feedback(DELIVERED),
                value=DELIVERED["status"],
                later=True,
            ),
        ),
        fn_if(
            derive(is_missing, source_value("case")),
            once(
                "answer",
                data_value("progres_interventionnumber"),
                send_feedback(NOT_DELIVERED),
                value=NOT_DELIVERED["status"],
                later=True,
            ),
        ),
    ),
]
