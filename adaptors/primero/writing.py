"""Creating and changing cases: nothing twice, nothing of the caseworkers' overwritten, everything read back.

Primero drops what it doesn't know without a word and appends a service at every repetition, so a new record carries an
id derived from the child's number or the intervention's, what is equal isn't written, and what was written is read
again (primero-api §0.4–0.6, §4, §5).
"""

import uuid
from collections.abc import Sequence
from typing import Any

from adaptors.errors import JobError, NotAllowed, NotFound, Parked, Rejected
from adaptors.operations import Operation, rehearsed
from adaptors.outgoing import Outgoing, fields_of
from adaptors.primero.connection import Primero, primero_of, segment
from adaptors.primero.filters import identifier
from adaptors.primero.pages import Record
from adaptors.primero.reading import ids_of, read_case
from adaptors.primero.records import differing, filled, mark_unchanged
from adaptors.promises import State, given, reads_of

# The caseworkers' own: written with a new case only (H24, H25), and case_id never (H27).
ONLY_NEW = ("owned_by", "status", "module_id", "record_state", "created_at")


def create_case(mapping: dict[str, Any], *, key: Any) -> Operation:
    """Create a case; `data` becomes it, as Primero holds it. Its `id` is derived from `key`, so it can't come twice.

    Found there already, bearing the same values: `unchanged`. Raises Parked when the id is taken by something else,
    Rejected with the names of the fields that Primero refuses.

    >>> create_case({"module_id": "primeromodule-cp", "sex": "female"}, key="GAM-1").__name__
    'create_case'
    """
    agreed = new_case(mapping)

    def run(state: State) -> State:
        primero, wanted = primero_of(state), filled(agreed.body(state))
        if rehearsed(state, "primero", "create case", wanted):
            return {**state, "data": wanted}
        record_id = derived_id(primero, identifier("key", given(key, state)))
        case, created = created_case(primero, record_id, wanted, (), [*wanted, "case_id"])
        if not created:
            differs = differing(wanted, case)
            if differs:
                raise Parked(
                    f"there is another case under this id; it differs in {', '.join(differs)}",
                    code="id_taken",
                    ids=ids_of([case]),
                    fix="Compare the two by hand.",
                )
            mark_unchanged(state)
        return {**state, "data": case}

    return Operation(
        "create_case",
        run,
        reads=reads_of([mapping, key]),
        system="primero",
        asks=dict.fromkeys([*agreed.fields, "case_id"]),
        sends=agreed.fields | fields_of({"id": key}),
    )


def update_case(record_id: Any, mapping: dict[str, Any]) -> Operation:
    """Change fields of a case; `data` becomes what was read back. What is equal isn't sent; if all is: `unchanged`.

    Owner, status and module can't be changed this way (H24, H25): JobError when the job is loaded. Raises Parked when
    Primero took the request and kept something else.

    >>> update_case("00000000-0000-4000-8000-000000000001", {"telephone_current": "0911"}).__name__
    'update_case'
    """
    agreed = Outgoing(mapping)
    forbidden = [field for field in (*ONLY_NEW, "id", "case_id") if field in mapping]
    if forbidden:
        raise JobError(
            f"update_case() must not write {', '.join(forbidden)}", fix="Those are the caseworkers'; remove them."
        )

    def run(state: State) -> State:
        primero, where, wanted = primero_of(state), given(record_id, state), agreed.body(state)
        before = read_case(primero, where, list(wanted))
        changed = {field: wanted[field] for field in differing(wanted, before)}
        if not changed:
            mark_unchanged(state)
            return {**state, "data": before}
        if rehearsed(state, "primero", "update case", changed):
            return state
        primero.send("PATCH", f"/cases/{segment(where)}", body={"data": changed})
        after = read_case(primero, where, list(wanted))
        lost = differing(changed, after)
        if lost:
            raise Parked(
                f"Primero didn't keep {', '.join(lost)}",
                code="not_kept",
                fix="Are they on a form that our role may write?",
            )
        return {**state, "data": after}

    return Operation(
        "update_case",
        run,
        reads=reads_of([record_id, mapping]),
        system="primero",
        asks=agreed.fields,
        sends=agreed.fields,
    )


def derived_id(primero: Primero, key: str) -> str:
    """The UUID under which a record with this key is created: the same each time, so that a repeat is recognised."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{primero.url}/{key}"))


def new_case(mapping: dict[str, Any]) -> Outgoing:
    """What may leave for a new case. Raises JobError for a mapping from which none can be made."""
    agreed = Outgoing(mapping)
    if not mapping.get("module_id"):
        raise JobError(
            "the mapping lacks module_id",
            fix='Add "module_id": "primeromodule-cp"; without it Primero drops every field.',
        )
    return agreed


def created_case(
    primero: Primero, record_id: str, body: Record, same: tuple[str, ...], fields: Sequence[str]
) -> tuple[Record, bool]:
    """The case under this id, and whether it is we who created it now. 409 means: perhaps it is ours (§4.3)."""
    created = True
    try:
        primero.send("POST", "/cases", body={"data": {**body, "id": record_id}})
    except Rejected as error:
        if error.status != 409:
            raise
        created = False
    try:
        case = read_case(primero, record_id, fields)
    except (NotFound, NotAllowed) as error:
        if error.status == 401:  # that is about the account, not about the case
            raise
        raise Parked(
            "Primero says that such a case exists, but our account can't see it",
            code="conflict",
            fix="Give our role the scope `all`, or look for the case by hand.",
        ) from None
    if any(case.get(field) != body[field] for field in same):
        raise Parked("the id of the new case is taken by another child", code="id_taken", ids=ids_of([case]))
    return case, created
