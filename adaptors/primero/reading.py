"""Reading cases."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adaptors.agreed import keep
from adaptors.errors import Ambiguous, JobError, NotFound
from adaptors.operations import Operation
from adaptors.outgoing import fields_of
from adaptors.primero.connection import POLLABLE, Primero, is_list_of_records, primero_of, segment, unreadable
from adaptors.primero.filters import Filter, changed_since, check, filter_by, moment
from adaptors.primero.pages import LARGEST_PAGE, Record, every_record
from adaptors.promises import State, given, reads_of

GIVEN = ("id", "last_updated_at")  # come back whatever `fields` says
FEW = 20  # where one record is looked for: should Primero drop the filter, no whole caseload comes back
IDS_AT_A_TIME = 20  # more would make the URL longer than Primero's usual proxy takes
ATTACHMENTS = re.compile(r"(\w+_)?(photos?|audio|documents|attachments?|signature)")


def get_cases(
    query: dict[str, Any] | None = None,
    *,
    fields: Sequence[str],
    referred_to: Any = None,
    since: Any = None,
) -> Operation:
    """Read all cases that fit, each once, with the named fields only; inside `each` they stream, page by page.

    In `fields`, `subform.column` names a column of a subform, whose other columns are dropped. `query` is field → value
    or list of values (any of them), `referred_to` a user to whom a case was referred, `since` a time stamp: cases
    changed from then on. All may be promises. With `since`, the newest time stamp there was when reading began becomes
    the state's cursor, and cases in `state["revisit"]` are read too. Every record is held against the filters; one
    outside them raises Untrustworthy (primero-api §0.1).

    >>> get_cases({"status": "open"}, fields=["case_id"]).__name__
    'get_cases'
    """
    names = _agreed(fields)
    sought = (query or {}) | ({} if referred_to is None else {"referred_users": referred_to})
    sought |= {} if since is None else {"last_updated_at": since}

    def stream(state: State) -> Iterator[Record]:
        primero = primero_of(state)
        filters = [filter_by(field, given(value, state)) for field, value in (query or {}).items()]
        if referred_to is not None:
            filters.append(_referred_to(primero, given(referred_to, state)))
        start = given(since, state)
        if start is None:
            yield from _matching(primero, filters, names)
            return
        newest = _newest_stamp(primero, [*filters, changed_since(start)])
        revisited: set[str] = set()
        for record in _revisited(primero, filters, names, state.get("revisit") or []):
            revisited.add(record["id"])
            yield record
        for record in _matching(primero, [*filters, changed_since(start)], names):
            if record["id"] not in revisited:  # else two workers might be at the same case at once
                yield record
        if newest and (not state.get("cursor") or moment(newest) > moment(state["cursor"])):
            state["cursor"] = newest

    def run(state: State) -> State:
        after = dict(state)
        after["data"] = list(stream(after))
        return after

    return Operation(
        "get_cases", run, stream=stream, reads=reads_of(sought), system="primero", asks=names,
        sends=fields_of(sought), only_finds=True,
    )  # fmt: skip


def get_case(record_id: Any, *, fields: Sequence[str]) -> Operation:
    """Read one case by its `id` (the UUID that is its primary key; case_id and short_id are not, primero-api §3).

    Raises NotFound, and NotAllowed where it lies outside our account's scope.

    >>> get_case("00000000-0000-4000-8000-000000000001", fields=["case_id"]).__name__
    'get_case'
    """
    names = _agreed(fields)
    return Operation(
        "get_case",
        lambda state: {**state, "data": read_case(primero_of(state), given(record_id, state), names)},
        reads=reads_of(record_id),
        system="primero",
        asks=names,
        sends=fields_of({"id": record_id}),
        only_finds=True,
    )


def find_case(match: dict[str, Any], *, fields: Sequence[str]) -> Operation:
    """Read the one case whose field has this value. Raises NotFound for none and Ambiguous for more (H26).

    >>> find_case({"case_id": "c-1"}, fields=["owned_by"]).__name__
    'find_case'
    """
    names = _agreed(fields)

    def run(state: State) -> State:
        wanted = {field: given(value, state) for field, value in match.items()}
        found = list(matching_cases(primero_of(state), wanted, names))
        if not found:
            raise NotFound(f"no case with this {', '.join(match)}", fix="Is the id right, and the case in our scope?")
        if len(found) > 1:
            raise Ambiguous(f"{len(found)} cases with this {', '.join(match)}", ids=ids_of(found), fix="Merge them.")
        return {**state, "data": found[0]}

    return Operation(
        "find_case", run, reads=reads_of(match), system="primero", asks=names, sends=fields_of(match), only_finds=True
    )


def matching_cases(primero: Primero, match: dict[str, Any], fields: Sequence[str]) -> Iterator[Record]:
    """All cases whose fields have these values, each held against them."""
    filters = [filter_by(field, value) for field, value in match.items()]
    return _matching(primero, filters, list(fields), largest=FEW)


def read_case(primero: Primero, record_id: Any, fields: Sequence[str]) -> Record:
    """One case by its id."""
    path = f"/cases/{segment(record_id)}"
    record = primero.read_record(path, {"fields": ",".join(_forms(fields))})
    if not record.get("id"):
        raise unreadable(path, "no case")
    return _kept(path, record, [*fields, *GIVEN])


def ids_of(cases: Sequence[Record]) -> dict[str, str]:
    """What may be told of several cases: their ids."""
    return {"cases": " ".join(sorted(str(case.get("case_id") or case["id"]) for case in cases))}


def _matching(
    primero: Primero, filters: Sequence[Filter], fields: list[str], largest: int = LARGEST_PAGE
) -> Iterator[Record]:
    # What is filtered by must come back, else it can't be checked; case_id is what the order is checked by (§2.5).
    needed = [*fields, *(one.field for one in filters), "case_id"]
    asked, kept = [field for field in _forms(needed) if field not in GIVEN], frozenset([*needed, *GIVEN])
    pairs = [pair for one in filters for pair in one.pairs]

    def ask(page: int, per: int) -> tuple[list[Record], int, int]:
        query = [*pairs, ("fields", ",".join(asked)), ("order_by", "case_id"), ("order", "asc")]
        rows, total, granted = primero.read_page("/cases", [*query, ("per", str(per)), ("page", str(page))])
        check(rows, filters)
        return [_kept("/cases", row, kept) for row in rows], total, granted

    return every_record(ask, largest)


def _kept(path: str, record: Record, fields: Iterable[str]) -> Record:
    """The record with these fields only. Raises Unreachable where a subform among them is none."""
    for form in {form for form, _, column in (field.partition(".") for field in fields) if column}:
        if record.get(form) is not None and not is_list_of_records(record[form]):
            raise unreadable(path, f"no entries in {form}")
    return keep(record, fields)


def _agreed(fields: Sequence[str]) -> list[str]:
    """The fields of a read; JobError for what is never fetched (R-LP4)."""
    files = [field for field in fields if ATTACHMENTS.fullmatch(field)]
    if files:
        raise JobError(f"{', '.join(files)}: photos and attachments are never fetched", fix="Take them out of fields=.")
    return list(dict.fromkeys(fields))


def _forms(fields: Iterable[str]) -> list[str]:
    """What Primero can be asked for: a subform whole, its columns only here."""
    return list(dict.fromkeys(field.partition(".")[0] for field in fields))


def _newest_stamp(primero: Primero, filters: Sequence[Filter]) -> str | None:
    """The newest stamp before reading begins: what changes meanwhile is newer, and so in the next run's window."""
    pairs = [pair for one in filters for pair in one.pairs]
    asked = ",".join(one.field for one in filters if one.field not in GIVEN) or "case_id"
    query = [*pairs, ("fields", asked), ("order_by", "last_updated_at"), ("order", "desc"), ("per", "1")]
    rows = primero.read_list("/cases", query)
    check(rows, filters)
    return rows[0]["last_updated_at"] if rows else None


def _revisited(primero: Primero, filters: list[Filter], fields: list[str], ids: list[str]) -> Iterator[Record]:
    for place in range(0, len(ids), IDS_AT_A_TIME):
        yield from _matching(primero, [*filters, filter_by("id", ids[place : place + IDS_AT_A_TIME])], fields)


def _referred_to(primero: Primero, user: Any) -> Filter:
    """Up to 2.10 there is no `referred_users`; its answer is checked either way (primero-api §15)."""
    return filter_by("referred_users" if primero.version >= POLLABLE else "associated_user_names", [user])
