"""Referrals of a case: reading, making and answering them (primero-api §6)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from adaptors.agreed import keep
from adaptors.errors import JobError, NotFound, Parked, Untrustworthy
from adaptors.operations import Operation, rehearsed
from adaptors.outgoing import Outgoing, fields_of
from adaptors.primero.connection import Primero, primero_of, segment, unreadable
from adaptors.primero.pages import Record
from adaptors.primero.records import mark_unchanged
from adaptors.promises import State, given, reads_of

# What is kept of a referral: who, to whom, for which service, and where it stands; no notes, no reasons.
FIELDS = ("id", "record_id", "status", "transitioned_to", "service_record_id", "consent_overridden", "created_at")
LIVE = ("in_progress", "accepted")
# What Primero lets become what; all else it answers with 200 and ignores (§6.3).
ANSWERS = {"in_progress": ("accepted", "rejected"), "accepted": ("done",)}


def get_referrals(record_id: Any, *, fields: Sequence[str] = FIELDS) -> Operation:
    """Read all referrals of a case that our account may see; `data` becomes the list, in no particular order.

    Each has `id`, `status` (`in_progress`, `accepted`, `rejected`, `done`, `revoked`), `transitioned_to` and, unless it
    is of the whole case, `service_record_id`. Primero gives more, such as `notes`, which is dropped unless `fields`
    names it.

    >>> get_referrals("00000000-0000-4000-8000-000000000001").__name__
    'get_referrals'
    """
    return Operation(
        "get_referrals",
        lambda state: {**state, "data": _referrals(primero_of(state), given(record_id, state), fields)},
        reads=reads_of(record_id),
        system="primero",
        asks=fields,
        sends=fields_of({"record_id": record_id}),
        only_finds=True,
    )


def create_referral(record_id: Any, mapping: dict[str, Any]) -> Operation:
    """Refer a case, or one of its services; `data` becomes the referral.

    Primero takes no id of ours, so a repeat is recognised by a live referral to the same user for the same service:
    `unchanged`. Raises Rejected with the field `consent` when consent is missing, `transitioned_to` when that user
    can't receive referrals.

    >>> create_referral("00000000-0000-4000-8000-000000000001", {"transitioned_to": "unhcr_cw"}).__name__
    'create_referral'
    """
    agreed = Outgoing(mapping)
    if not mapping.get("transitioned_to") and not mapping.get("remote"):
        raise JobError("a referral needs transitioned_to", fix="Map the user who receives it.")

    def run(state: State) -> State:
        primero, where = primero_of(state), given(record_id, state)
        wanted = {field: value for field, value in agreed.body(state).items() if value is not None}
        standing = [one for one in _referrals(primero, where, FIELDS) if _is_live_repeat(one, wanted)]
        if standing:
            mark_unchanged(state)
            return {**state, "data": standing[0]}
        if rehearsed(state, "primero", "create referral", wanted):
            return state
        path = f"/cases/{segment(where)}/referrals"
        answer = primero.send("POST", path, body={"data": wanted}).body
        referral = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(referral, dict):
            raise unreadable(path, "no record", method="POST")
        return {**state, "data": keep(referral, FIELDS)}

    return _writing("create_referral", run, agreed, [record_id])


def update_referral(record_id: Any, referral_id: Any, mapping: dict[str, Any]) -> Operation:
    """Answer a referral; `data` becomes it, as Primero holds it now. Answered so already: `unchanged`, nothing is sent.

    What was decided in Primero is never overwritten: Parked when it was decided otherwise. Primero answers 200 and
    changes nothing where it doesn't allow the change, so the status in the answer tells whether it took: else Parked,
    too. After a rejection our account may no longer read the case; that answer is the only look. Raises Rejected with
    the field `consent` when consent was withdrawn since, NotFound when the case has no such referral.

    >>> update_referral("c1", "r1", {"status": "accepted"}).__name__
    'update_referral'
    """
    agreed = Outgoing(mapping)

    def run(state: State) -> State:
        primero, where, which = primero_of(state), given(record_id, state), given(referral_id, state)
        wanted = {field: value for field, value in agreed.body(state).items() if value is not None}
        held = next((one for one in _referrals(primero, where, FIELDS) if one.get("id") == which), None)
        if held is None:
            raise NotFound("the case has no such referral", fix="Was it deleted, or is it out of our account's reach?")
        if _is_answered(str(held.get("status")), wanted.get("status")):
            mark_unchanged(state)
            return {**state, "data": held}
        if rehearsed(state, "primero", "update referral", wanted):
            return state
        path = f"/cases/{segment(where)}/referrals/{segment(which)}"
        answer = primero.send("PATCH", path, body={"data": wanted}).body
        referral = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(referral, dict) or referral.get("status") != wanted.get("status"):
            raise Parked(
                "Primero took the decision and left the referral as it was",
                code="decision_ignored",
                fix="Look at the referral in Primero: is it still in progress, and does our account receive it?",
            )
        return {**state, "data": keep(referral, FIELDS)}

    return _writing("update_referral", run, agreed, [record_id, referral_id])


def _writing(name: str, run: Callable[[State], State], agreed: Outgoing, ids: list[Any]) -> Operation:
    reads = agreed.reads | reads_of(ids)
    return Operation(name, run, reads=reads, system="primero", asks=FIELDS, sends=agreed.fields)


def _is_answered(held: str, wanted: Any) -> bool:
    """Whether it stands as wanted; Parked when it can't become so. What was accepted may be done by now."""
    if held == wanted or (wanted == "accepted" and held == "done"):
        return True
    if wanted not in ANSWERS.get(held, ()):
        raise Parked(
            f"the referral is {held} in Primero already",
            code="decided_otherwise",
            fix="Let the two agencies settle which decision holds.",
        )
    return False


def _referrals(primero: Primero, record_id: Any, fields: Iterable[str]) -> list[Record]:
    referrals = primero.read_list(f"/cases/{segment(record_id)}/referrals")
    if any(referral.get("record_id", record_id) != record_id for referral in referrals):
        raise Untrustworthy(
            "Primero answered with another case's referrals", code="filter_ignored", fix="Tell its host."
        )
    return [keep(referral, fields) for referral in referrals]


def _is_live_repeat(referral: Record, wanted: Record) -> bool:
    same = all((referral.get(key) or "") == (wanted.get(key) or "") for key in ("transitioned_to", "service_record_id"))
    return same and referral.get("status") in LIVE
