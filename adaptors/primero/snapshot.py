"""What a Primero knows of itself, cut to what jobs depend on: no record, and of users only those that jobs name.

    {"version": "2.14.5.1",
     "forms": [as GET /forms gives them], "lookups": [as GET /lookups], "agencies": […], "modules": […],
     "role": {"name", "scope", "permissions": {"case": ["read", …]}, "forms": {"services": "rw"}} or None,
     "users": {user_name: {"enabled", "receives_referrals", "agency"} or None where there is no such user}}

Sorted, and without a time: it differs from an earlier one only where Primero does (primero-api §7).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from adaptors.errors import NotAllowed
from adaptors.primero.connection import Primero, primero_of
from adaptors.primero.forms import Forms
from adaptors.primero.metadata import CASE_MODULE
from adaptors.primero.pages import Record, every_record
from adaptors.promises import State

FORM = ("id", "unique_id", "name", "module_ids", "parent_form", "is_nested", "visible")
FIELD = (
    "name", "type", "display_name", "required", "multi_select", "visible", "disabled", "option_strings_source",
    "option_strings_text", "subform_section_id", "date_include_time",
)  # fmt: skip
LOOKUP = ("unique_id", "name", "values")
AGENCY = ("unique_id", "agency_code", "name", "disabled")
MODULE = ("unique_id", "name", "options")
# Permissions are listed under the plural of what a role has under the singular (primero-api §7).
_RESOURCES = {"cases": "case", "users": "user", "agencies": "agency", "dashboards": "dashboard", "roles": "role"}
_NO_RECEIVERS = ("system", "maintenance")


def snapshot(state: State, users: Iterable[str]) -> Record:
    """Ask the Primero of the credential `primero`. Raises what its operations raise."""
    primero = primero_of(state)
    settings = primero.read_record("/system_settings", {"extended": "true"})
    return {
        "version": str(settings.get("primero_version") or ""),
        "forms": _forms(primero),
        "lookups": [_cut(lookup, LOOKUP) for lookup in _by_name(_listed(primero, "/lookups"))],
        "agencies": [_cut(agency, AGENCY) for agency in _by_name(settings.get("agencies") or [])],
        "modules": [_cut(module, MODULE) for module in _by_name(settings.get("modules") or [])],
        "role": _role(primero, str(state["configuration"]["primero"]["user"])),
        "users": _users(primero, users),
    }


def labels(known: Record) -> dict[str, dict[str, str]]:
    """What people call the fields, and on which form each stands: `{field: {"label", "form"}}`.

    >>> labels({"forms": [{"id": 1, "unique_id": "f", "name": {"en": "Identity"}, "fields": [{"name": "sex"}]}]})
    {'sex': {'label': 'sex', 'form': 'Identity'}}
    """
    return {name: {"label": place.label, "form": place.form_label} for name, place in reversed(list(Forms(known)))}


def _forms(primero: Primero) -> list[Record]:
    forms = primero.read_list("/forms", {"record_type": "case", "module_id": CASE_MODULE})
    return [
        {**_cut(form, FORM), "fields": [_cut(field, FIELD) for field in form.get("fields") or []]}
        for form in _by_name(forms)
    ]


def _role(primero: Primero, user: str) -> Record | None:
    """What our own account may do; None where it may not even see itself."""
    own = _user(primero, user)
    if own is None or "permissions" not in own:
        return None
    granted = {
        _RESOURCES.get(each["resource"], each["resource"]): sorted(each["actions"])
        for each in own["permissions"].get("list", ())
    }
    told = {"name": own.get("role_unique_id"), "scope": own.get("role_group_permission")}
    return {**told, "permissions": granted, "forms": own.get("permitted_form") or {}}


def _users(primero: Primero, names: Iterable[str]) -> dict[str, Record | None]:
    """The users whom jobs name, as far as our role may see them."""
    roles = {role["unique_id"]: role for role in primero.read_list("/roles")}
    return {name: _told(_user(primero, name), roles) for name in sorted(set(names))}


def _told(user: Record | None, roles: dict[str, Record]) -> Record | None:
    if user is None:
        return None
    role = roles.get(str(user.get("role_unique_id")), {})
    actions = (role.get("permissions") or {}).get("case") or []
    receives = bool({"receive_referral", "receive_referral_different_module", "manage"} & set(actions))
    return {
        "enabled": user.get("disabled") is not True,
        "receives_referrals": receives and role.get("user_category") not in _NO_RECEIVERS,
        "agency": user.get("agency_unique_id"),
    }


def _user(primero: Primero, name: str) -> Record | None:
    try:
        found = primero.read_list("/users", {"user_name": name, "extended": "true"})
    except NotAllowed:
        return None
    return next((user for user in found if user.get("user_name") == name), None)


def _cut(row: Record, names: Iterable[str]) -> Record:
    return {name: row[name] for name in names if row.get(name) is not None}


def _by_name(rows: Sequence[Record]) -> list[Record]:
    return sorted(rows, key=lambda row: str(row.get("unique_id")))


def _listed(primero: Primero, path: str) -> list[Record]:
    def ask(page: int, per: int) -> tuple[list[Record], int, int]:
        return primero.read_page(path, {"per": per, "page": page})

    return list(every_record(ask))


def user_names(uses: Iterable[Any]) -> set[str]:
    """The users whom jobs name: owners of new cases, and to whom cases are referred."""
    named = ("owned_by", "referred_users", "associated_user_names")
    return {str(value) for use in uses if use["field"] in named for value, _ in use["values"]}
