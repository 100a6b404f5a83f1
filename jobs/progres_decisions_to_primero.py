"""2b: writes UNHCR's decision on a referral into Primero.

Starts when DTP posts a PrimeroIncomingReferralDecision. The case and its open referral are found by the id that 2a
sent, and the referral is accepted or rejected. What was decided in Primero already is never overwritten.

What to edit for another country: the tables, what may leave as FREE_TEXT, and UNHCR_USER.
"""

from adaptors.common import (
    data_value,
    derive,
    each,
    fn,
    free_text,
    join,
    log_ids,
    lookup,
    require,
    save_as,
    source_value,
    text,
)
from adaptors.errors import Ambiguous, InvalidData, NotFound
from adaptors.primero import find_case, get_referrals, update_referral

# Tables: proGres' value → Primero's. What is not in a table is parked, unless a default is written.

DECISIONS = {
    "125080000": "accepted",
    "125080001": "rejected",
    "accepted": "accepted",
    "rejected": "rejected",
}

REJECTION_REASONS = {
    "125080000": "Individual Not Found",
    "125080001": "Individual Not Match UNHCR ID",
    "125080002": "Not applicable",
}

# Free text: how many characters of each may be written into Primero at most; None leaves it out.
FREE_TEXT = {
    "reason": 1_000,  # beside the agreed codes
    "comment": 10_000,
}

UNHCR_USER = "unhcr_cw"  # to whom partners refer in Primero


def case_of(referral_id):
    """The part of the id that names the case."""
    case_id, hash_sign, service_end = str(referral_id).rpartition("#")
    if not hash_sign or len(service_end) != 12:
        raise InvalidData("not of the form <case_id>#<12 characters>", fix="It must be the id that 2a sent.")
    return case_id


def open_referral(state):
    """Find the one referral that is meant: the open one to UNHCR for this service, else the last one answered."""
    service_end = state["data"]["progres_orgreferralid"][-12:]
    meant = [
        referral
        for referral in state["referrals"]
        if str(referral.get("service_record_id") or "").endswith(service_end)
        and referral.get("transitioned_to") == UNHCR_USER
    ]
    in_progress = [referral for referral in meant if referral["status"] == "in_progress"]
    if len(in_progress) > 1:
        raise Ambiguous(f"{len(in_progress)} referrals of this service are in progress", fix="Revoke all but one.")
    if not meant:
        raise NotFound("the case has no referral to UNHCR for this service", fix="Was it revoked, or never made?")
    state["referral"] = in_progress[0] if in_progress else max(meant, key=when_made)
    return state


def when_made(referral):
    """When the referral was made, as Primero stamped it."""
    return referral.get("created_at") or ""


def rejected_reason(decision, reason, comment, other_comment):
    """Reason and comment of a rejection; nothing for an acceptance."""
    if lookup(DECISIONS, decision) != "rejected":
        return None
    return join(": ", lookup(REJECTION_REASONS, text(reason), default=text(reason)), comment or other_comment)


# Mapping: Primero's field → where its value comes from. The names are proGres' own, with their slips.

DECISION = {
    "status": lookup(DECISIONS, data_value("progres_reviewdecision")),
    "rejected_reason": derive(
        rejected_reason,
        "progres_reviewdecision",
        free_text("progres_interoperabiltyreferralrejectionreason", FREE_TEXT["reason"]),
        free_text("progres_interoperabilityreferralrejectionomment", FREE_TEXT["comment"]),
        free_text("progres_interoperabilityreferralrejectioncomment", FREE_TEXT["comment"]),
    ),
}

operations = [
    require("interventions"),
    each(
        "$.data.interventions[*]",
        log_ids(referral=data_value("progres_orgreferralid")),
        require("progres_orgreferralid", "progres_reviewdecision"),
        save_as("case", find_case({"case_id": derive(case_of, "progres_orgreferralid")}, fields=["case_id"])),
        save_as("referrals", get_referrals(source_value("case.id"))),
        fn(open_referral, reads=["progres_orgreferralid"]),
        update_referral(source_value("case.id"), source_value("referral.id"), DECISION),
    ),
]
