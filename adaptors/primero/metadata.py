"""What Primero knows of itself: users, forms, look-ups, locations, agencies (primero-api §7)."""

from collections.abc import Sequence
from typing import Any

from adaptors.agreed import keep
from adaptors.errors import Untrustworthy
from adaptors.operations import Operation
from adaptors.outgoing import fields_of
from adaptors.primero.connection import Primero, primero_of
from adaptors.primero.pages import Record, every_record
from adaptors.promises import State, given, reads_of

CASE_MODULE = "primeromodule-cp"
CONTACT = ("full_name", "email", "phone", "position")


def get_users(*, user_name: Any = None, fields: Sequence[str] = CONTACT) -> Operation:
    """Read users; with `user_name`, the list of the one who bears exactly that name, or an empty list.

    Rows have `user_name`, `full_name`, `email`, `phone` and `position`; nulls are left out. Primero gives more, which
    is dropped unless `fields` names it. Asked once a run.

    >>> get_users(user_name="cp_worker").__name__
    'get_users'
    """
    kept = ("user_name", *fields)

    def run(state: State) -> State:
        primero, name = primero_of(state), given(user_name, state)
        if user_name is not None and not name:
            return {**state, "data": []}
        query = {"user_name": name} if name else {}
        users = primero.remember(("users", name, kept), lambda: _cut(_listed(primero, "/users", query), kept))
        if name and any(user.get("user_name") != name for user in users):
            raise Untrustworthy(
                "Primero ignored the filter user_name", code="filter_ignored", fix="May our role read users?"
            )
        return {**state, "data": users}

    return Operation(
        "get_users",
        run,
        reads=reads_of(user_name),
        system="primero",
        asks=kept,
        sends={} if user_name is None else fields_of({"user_name": user_name}),
        only_finds=True,
    )


def get_forms(*, module: str = CASE_MODULE) -> Operation:
    """Read all forms of a module's cases, with their fields. Asked once a run.

    >>> get_forms().__name__
    'get_forms'
    """
    query = {"record_type": "case", "module_id": module}
    return _once_a_run("get_forms", "/forms", lambda primero: primero.read_list("/forms", query))


def get_lookups() -> Operation:
    """Read all look-ups: `unique_id`, `name`, `values` (`id`, `display_text`). Asked once a run.

    >>> get_lookups().__name__
    'get_lookups'
    """
    return _once_a_run("get_lookups", "/lookups", lambda primero: _listed(primero, "/lookups", {}))


def get_locations() -> Operation:
    """Read all locations: `code`, `type`, `name`. Asked once a run.

    >>> get_locations().__name__
    'get_locations'
    """
    return _once_a_run("get_locations", "/locations", lambda primero: _listed(primero, "/locations", {}))


def get_agencies() -> Operation:
    """Read all agencies: `unique_id`, `agency_code`, `name`, `disabled`. Asked once a run.

    >>> get_agencies().__name__
    'get_agencies'
    """
    return _once_a_run("get_agencies", "/agencies", lambda primero: _listed(primero, "/agencies", {}))


def _once_a_run(name: str, path: str, fetch: Any) -> Operation:
    def run(state: State) -> State:
        primero = primero_of(state)
        return {**state, "data": primero.remember(path, lambda: fetch(primero))}

    return Operation(name, run, reads=frozenset())


def _cut(rows: list[Record], fields: Sequence[str]) -> list[Record]:
    return [keep(row, fields) for row in rows]


def _listed(primero: Primero, path: str, query: dict[str, Any]) -> list[Record]:
    def ask(page: int, per: int) -> tuple[list[Record], int, int]:
        return primero.read_page(path, {**query, "per": per, "page": page})

    return list(every_record(ask))
