"""The calls on accounts: list, show, change, and who may be referred to (primero-api §7 as corrected by §15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adaptors.sandbox.primero.config import Document, User
from adaptors.sandbox.primero.errors import Broken, Forbidden, Invalid, NotFound
from adaptors.sandbox.primero.instance import Call, Instance
from adaptors.sandbox.primero.referrals import receivers
from adaptors.sandbox.primero.user_rows import user_row
from adaptors.sandbox.primero.values import leading_integer
from adaptors.sandbox.wire import Response, json_response

_SORTABLE = frozenset(
    """
    id user_name full_name email phone code position location role_id agency_id created_at updated_at disabled locale
    time_zone send_mail services unverified
    """.split()
)
_SUPER = ("case", "user", "role", "system", "metadata")
_CHANGEABLE = ("full_name", "phone", "position", "code", "location", "locale", "services", "email")

_Keeps = Callable[[User], bool]


def list_users(instance: Instance, call: Call) -> Response:
    """`GET /users`: newest first; what is no filter of the version is dropped without a word."""
    if not (call.user.role.allows("user", "read") or call.user.role.allows("user", "agency_read")):
        raise Forbidden
    page = call.page()
    tests = list(_tests(instance, call))
    found = [user for user in _visible(instance, call.user) if all(test(user) for test in tests)]
    found = _ordered(instance, call, found)
    extended = call.params.get("extended") == "true"
    rows = [user_row(instance, user, extended) for user in found[page.offset : page.end]]
    metadata = {"total": len(found), "per": page.size, "page": page.number, "total_enabled": _enabled(instance)}
    return json_response(200, {"data": rows, "metadata": metadata})


def show_user(instance: Instance, call: Call) -> Response:
    """`GET /users/:id` by number; everybody may read the own record."""
    user = _find(instance, call.keys[0])
    if user is not call.user and user not in _readable(instance, call.user):
        raise Forbidden
    return json_response(200, {"data": user_row(instance, user, call.params.get("extended") == "true")})


def update_user(instance: Instance, call: Call) -> Response:
    """`PATCH /users/:id`: the profile of an owner is copied into the owner's cases."""
    user = _find(instance, call.keys[0])
    call.require("user", "write")
    data = call.params.get("data")
    if not isinstance(data, dict) or not data:
        raise Invalid.missing_data()
    before = _copied_profile(user)
    user.raw |= {name: data[name] for name in _CHANGEABLE if name in data}
    if isinstance(data.get("disabled"), bool):
        user.disabled = data["disabled"]
    user.groups = _groups(instance, data.get("user_group_unique_ids"), user.groups)
    user.agency = _agency(instance, data.get("agency_id"), user.agency)
    if before != _copied_profile(user):
        instance.saver.refresh_owner(user)
    metadata = {"total_enabled": _enabled(instance), "maximum_users": None}
    return json_response(200, {"data": user_row(instance, user, extended=False), "metadata": metadata})


def list_receivers(instance: Instance, call: Call) -> Response:
    """`GET /users/refer-to`: who may be sent a referral by the caller."""
    if not any(call.user.role.allows("case", action) for action in ("referral", "referral_from_service")):
        raise Forbidden
    found = receivers(instance.config, call.user, call.text("record_module_id"))
    wanted = {name: call.text(name) for name in ("agency", "service", "location") if call.text(name)}
    rows = [_receiver(user) for user in found if call.text("record_type") == "case" and _suits(user, wanted)]
    return json_response(200, {"data": rows})


def _copied_profile(user: User) -> tuple[Any, ...]:
    return (user.groups, user.agency, user.raw.get("location"))


def _receiver(user: User) -> Document:
    raw = user.raw
    return {
        "id": user.id,
        "user_name": user.name,
        **{name: raw.get(name) for name in ("code", "position", "location")},
        "agency": user.agency,
        "disabled": user.disabled,
        "services": raw.get("services") or [],
    }


def _suits(user: User, wanted: dict[str, Any]) -> bool:
    return (
        wanted.get("agency") in (None, user.agency)
        and wanted.get("location") in (None, user.raw.get("location"))
        and ("service" not in wanted or wanted["service"] in (user.raw.get("services") or ()))
    )


def _find(instance: Instance, key: str) -> User:
    for user in instance.config.users.values():
        if str(user.id) == key:
            return user
    raise NotFound("User", key)


def _is_super(user: User) -> bool:
    return all("manage" in user.role.permissions.get(resource, ()) for resource in _SUPER)


def _enabled(instance: Instance) -> int:
    return sum(not user.disabled and not _is_super(user) for user in instance.config.users.values())


def _readable(instance: Instance, reader: User) -> list[User]:
    allowed = reader.role.allows("user", "read") or reader.role.allows("user", "agency_read")
    return _visible(instance, reader) if allowed else []


def _visible(instance: Instance, reader: User) -> list[User]:
    users = sorted(instance.config.users.values(), key=lambda user: user.id, reverse=True)
    if _is_super(reader):
        return users
    users = [user for user in users if not _is_super(user)]
    if "agency_read" in reader.role.permissions.get("user", ()):
        return [user for user in users if user.agency == reader.agency]
    if reader.role.scope == "all":
        return users
    if reader.role.scope == "group":
        return [user for user in users if not set(user.groups).isdisjoint(reader.groups)]
    return [reader]


def _tests(instance: Instance, call: Call) -> Iterable[_Keeps]:
    params = call.params
    if isinstance(params.get("services"), str):
        raise Broken("PG::InvalidTextRepresentation")
    for name, read in (("user_name", lambda user: user.name), ("location", lambda user: user.raw.get("location"))):
        if isinstance(params.get(name), str):
            yield lambda user, read=read, wanted=params[name]: read(user) == wanted  # type: ignore[misc]
    if isinstance(params.get("ids"), str):
        yield lambda user: user.id == leading_integer(params["ids"], 0)
    if params.get("user_group_ids") and isinstance(params["user_group_ids"], str):
        yield lambda user: params["user_group_ids"] in user.groups
    if params.get("query") and isinstance(params["query"], str):
        part = params["query"].casefold()
        yield lambda user: part in user.name.casefold() or part in str(user.raw["full_name"]).casefold()
    if isinstance(params.get("disabled"), dict):
        wanted = {value == "true" for value in params["disabled"].values()}
        yield lambda user: user.disabled in wanted
    yield from _agency_and_role_tests(instance, call)


def _agency_and_role_tests(instance: Instance, call: Call) -> Iterable[_Keeps]:
    agencies, agency, roles = instance.config.agencies, call.params.get("agency"), call.params.get("role_id")
    if isinstance(agency, str):
        yield lambda user: agencies[user.agency]["id"] == leading_integer(agency, 0)
    if instance.profile.user_filter_lists and isinstance(agency, list):
        yield lambda user: user.agency in agency or str(agencies[user.agency]["id"]) in agency
    if instance.profile.user_filter_lists and isinstance(roles, list):
        yield lambda user: str(user.role.id) in roles


def _ordered(instance: Instance, call: Call, users: list[User]) -> list[User]:
    name = call.text("order_by")
    if not name:
        return users
    if name not in _SORTABLE:
        raise Broken("PG::UndefinedColumn")
    descending = call.text("order") in (None, "desc")
    return sorted(users, key=lambda user: _sort_key(instance, user, name), reverse=descending)


def _sort_key(instance: Instance, user: User, name: str) -> tuple[bool, Any]:
    if name == "user_name":
        return (False, user.name)
    if name == "agency_id":
        return (False, instance.config.agencies[user.agency]["name"].casefold())
    if name in ("id", "created_at", "updated_at"):
        return (False, user.id)
    value = user.role.id if name == "role_id" else user.raw.get(name)
    return (value is None, str(value).casefold() if value is not None else "")


def _groups(instance: Instance, wanted: Any, groups: list[str]) -> list[str]:
    known = {group["unique_id"] for group in instance.config.raw["user_groups"]}
    return [name for name in wanted if isinstance(name, str) and name in known] if isinstance(wanted, list) else groups


def _agency(instance: Instance, number: Any, agency: str) -> str:
    return next((name for name, known in instance.config.agencies.items() if known["id"] == number), agency)
