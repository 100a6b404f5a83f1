"""`upsert_case`: find the child's case or create it, and see that it holds the service; never a guess between two."""

from typing import Any

from adaptors.errors import AdaptorError, Ambiguous, BadInput, InvalidData, JobError, Parked, Unreachable
from adaptors.ledger import ledger_of
from adaptors.operations import Operation, rehearsed, tell
from adaptors.outgoing import Field, fields_of
from adaptors.primero.connection import Primero, primero_of, segment
from adaptors.primero.filters import identifier
from adaptors.primero.pages import Record
from adaptors.primero.reading import ids_of, matching_cases, read_case
from adaptors.primero.records import differing, filled, mark_unchanged
from adaptors.primero.writing import ONLY_NEW, created_case, derived_id, new_case
from adaptors.promises import State, given, reads_of, resolve

SERVICES = "services_section"
OWNERSHIP = ("case_id", "owned_by", "status")  # whose the case is, and whether it is open: read with every case


def upsert_case(
    mapping: dict[str, Any], *, match: list[str], service_key: str = "progres_interventionnumber"
) -> Operation:
    """Find the child's case, or create it; then see that it holds the mapping's services. `data` becomes the case.

    `match` names the mapping's fields by which a case is found, the child's number first; `case_id` among them is only
    ever used to find. Nothing found: the case is created with all fields. One found: only a service that isn't there
    yet, by its `service_key`, is added; fields that differ from the mapping are named in the item's `differs`. Several
    found, or a case whose child bears another number: Ambiguous, ids told, nothing written.

    What is written is noted in the ledger before and after, under `service` and the service's key.

    >>> upsert_case({"unhcr_individual_no": "GAM-1", "module_id": "m"}, match=["unhcr_individual_no"]).__name__
    'upsert_case'
    """
    agreed = new_case(mapping)
    unknown = [field for field in match if field not in mapping]
    if unknown or not match:
        raise JobError(f"match names {unknown or 'nothing'}, which the mapping lacks", fix="Map those fields.")
    sends = agreed.fields | _ids(agreed.fields, match, service_key)

    def run(state: State) -> State:
        primero = primero_of(state)
        wanted = _wanted(primero, agreed.body(state), match, service_key)
        found = _found(primero, wanted, match)
        if found is None:
            return _create(state, primero, wanted, match, service_key)
        try:
            return _add_missing(state, primero, found, wanted, service_key)
        except AdaptorError as error:  # whoever is told about it is told which case it was, too
            error.ids |= {"case_id": found.get("case_id"), "primero_user": found.get("owned_by")}
            raise

    return Operation(
        "upsert_case",
        run,
        reads=agreed.reads,
        system="primero",
        asks=dict.fromkeys([*sends, *OWNERSHIP]),
        sends=sends,
    )


def find_service(number: Any, *, match: dict[str, Any], service_key: str = "progres_interventionnumber") -> Operation:
    """Look for the case in which this service stands; `data` becomes the case, or None when there is none.

    For the last word to a sender (H49). When Primero can't be reached, None is said only if the ledger knows that this
    service was never sent there; else Unreachable. What is found is noted in the ledger, should a run have ended before
    it learnt that it had written it.

    >>> find_service("INT-1", match={"unhcr_individual_no": "GAM-1"}).__name__
    'find_service'
    """

    fields = ("case_id", "owned_by", f"{SERVICES}.{service_key}")

    def run(state: State) -> State:
        wanted = {field: value for field, value in resolve(match, state).items() if value not in (None, "")}
        key = given(number, state)
        if not key:  # else every service without one would be it
            return {**state, "data": None}
        try:
            found = [
                case
                for field, value in wanted.items()
                for case in matching_cases(primero_of(state), {field: value}, fields)
                if any(entry.get(service_key) == key for entry in case.get(SERVICES) or [])
            ]
        except Unreachable:
            if ledger_of(state).read("service", str(key)) is not None:
                raise
            found = []
        except BadInput:  # no such identifier can stand in Primero
            found = []
        if found:
            _note_standing(state, [{service_key: str(key)}], service_key)
        return {**state, "data": found[0] if found else None}

    return Operation(
        "find_service", run, reads=reads_of([number, match]), system="primero", asks=fields,
        sends=fields_of(match), only_finds=True,
    )  # fmt: skip


def _ids(fields: dict[str, Field], match: list[str], service_key: str) -> dict[str, Field]:
    """The ids of ours that are written, each made of a field of the mapping."""
    made_of = {"id": match[0], f"{SERVICES}.unique_id": f"{SERVICES}.{service_key}"}
    return {name: fields[field] for name, field in made_of.items() if field in fields}


def _wanted(primero: Primero, mapped: Record, match: list[str], service_key: str) -> Record:
    """The case as it should be: without what is absent, its identifiers checked, its services with ids of ours."""
    wanted = filled(mapped)
    if match[0] not in wanted:
        raise JobError(f"{match[0]} is empty, and there is no case without it", fix="require(…) it before.")
    wanted |= {field: identifier(field, wanted[field]) for field in match if field in wanted}
    services = []
    for service in wanted.get(SERVICES, []):
        key = _key(service_key, service.get(service_key))
        services.append({**filled(service), service_key: key, "unique_id": derived_id(primero, key)})
    return {**wanted, SERVICES: services}


def _key(field: str, value: Any) -> str:
    key = identifier(field, value)
    if not any(sign.isdecimal() for sign in key):  # it may be somebody's name, which no ledger shall hold (H41)
        raise InvalidData(f"{field} is no number", fix="It has no digit; ask the sender to correct it.")
    return key


def _found(primero: Primero, wanted: Record, match: list[str]) -> Record | None:
    """The one case that bears any of the matching values, or None."""
    found: dict[str, Record] = {}
    for field in match:
        if field in wanted:
            cases = matching_cases(primero, {field: wanted[field]}, [*fields_of(wanted), *OWNERSHIP])
            found |= {case["id"]: case for case in cases}
    several = list(found.values())
    if len(several) > 1:
        raise Ambiguous(
            f"{len(several)} cases match {', '.join(match)}",
            ids=ids_of(several),
            fix="Merge them in Primero, then send again.",
        )
    if several and several[0].get(match[0]) not in (None, "", wanted[match[0]]):
        raise Ambiguous(
            f"the case that was named bears another {match[0]}",
            ids=ids_of(several),
            fix="Correct the case id, or the number.",
        )
    return several[0] if several else None


def _create(state: State, primero: Primero, wanted: Record, match: list[str], service_key: str) -> State:
    body = {field: value for field, value in wanted.items() if field != "case_id"}
    if rehearsed(state, "primero", "create case", body):
        return {**state, "data": wanted}
    _note(state, wanted[SERVICES], service_key, "intended")
    record_id = derived_id(primero, wanted[match[0]])
    case, created = created_case(primero, record_id, body, (match[0],), [*fields_of(body), *OWNERSHIP])
    if not created:  # somebody was faster; what was created then is now a case like any other
        return _add_missing(state, primero, case, wanted, service_key)
    if body.get("owned_by") and case.get("owned_by", body["owned_by"]) != body["owned_by"]:
        raise Parked(
            "the case was created, but Primero gave it no owner: only administrators can see it",
            code="owner_missing",
            ids=ids_of([case]),
            fix="Is the intake user named in the job script right, and enabled? Assign the case, then retry.",
        )
    _check_kept(case, wanted[SERVICES], service_key)
    lost = differing({field: value for field, value in body.items() if field not in (*ONLY_NEW, SERVICES)}, case)
    if lost:
        tell(state, f"Primero didn't keep: {', '.join(lost)}")
    _note(state, wanted[SERVICES], service_key, "done")
    return {**state, "data": case}


def _add_missing(state: State, primero: Primero, case: Record, wanted: Record, service_key: str) -> State:
    """Add the services that a known case lacks; all else in it is the caseworkers' (H24, H25)."""
    _report(state, case, wanted, service_key)
    missing = [service for service in wanted[SERVICES] if not _standing(case, service, service_key)]
    if not missing:
        _note_standing(state, wanted[SERVICES], service_key)
        mark_unchanged(state)
        return {**state, "data": case}
    if rehearsed(state, "primero", "add service", missing[0]):
        return {**state, "data": case}
    _note(state, missing, service_key, "intended")
    body = {"data": {SERVICES: missing}, "record_action": "services_section_from_case"}
    primero.send("PATCH", f"/cases/{segment(case['id'])}", body=body)
    after = read_case(primero, case["id"], [*fields_of(wanted), *OWNERSHIP])
    _check_kept(after, missing, service_key)
    if case.get("status") == "closed" and after.get("status") != "closed":
        tell(state, "Primero reopened the closed case")
    _note(state, missing, service_key, "done")
    return {**state, "data": after}


def _standing(case: Record, service: Record, service_key: str) -> Record | None:
    """The entry of this case that bears the service's key; what people changed in it stays (H50)."""
    entries: list[Record] = case.get(SERVICES) or []
    for entry in entries:
        if entry.get(service_key) == service[service_key]:
            return entry
    if any(entry.get("unique_id") == service["unique_id"] for entry in entries):
        raise Parked(
            f"a service with our id stands in the case, but doesn't bear this {service_key}",
            code="not_kept",
            ids=ids_of([case]),
            fix=f"Is {service_key} a column of the services form that our role may write? Or did somebody change it?",
        )
    return None


def _check_kept(case: Record, services: list[Record], service_key: str) -> None:
    for service in services:
        if not _standing(case, service, service_key):
            raise Parked(
                "Primero took the request, but didn't keep the service",
                code="not_kept",
                ids=ids_of([case]),
                fix="May our role write the services form?",
            )


def _report(state: State, case: Record, wanted: Record, service_key: str) -> None:
    """Name the fields in which Primero and the sender differ; nothing is changed for it."""
    ours = {field: value for field, value in wanted.items() if field not in (*ONLY_NEW, "case_id", SERVICES)}
    names = differing(ours, case)
    for service in wanted[SERVICES]:
        sent = {
            column: value for column, value in service.items() if column not in ("unique_id", "unhcr_referral_status")
        }
        entry = _standing(case, service, service_key)
        names += [f"{SERVICES}.{column}" for column in differing(sent, entry)] if entry else []
    if names:
        state.setdefault("item", {})["differs"] = names


def _note_standing(state: State, services: list[Record], service_key: str) -> None:
    """What stands was written, should a run have ended before it learnt so."""
    ledger = ledger_of(state)
    begun = [one for one in services if (ledger.read("service", one[service_key]) or {}).get("status") == "intended"]
    _note(state, begun, service_key, "done")


def _note(state: State, services: list[Record], service_key: str, status: str) -> None:
    for service in services:
        ledger_of(state).write("service", service[service_key], {"status": status, "value": "", "answer": {}})
