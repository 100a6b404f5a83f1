"""The calls that tell how an instance is configured (primero-api §7)."""

from __future__ import annotations

from adaptors.sandbox.primero.config import Config, Document
from adaptors.sandbox.primero.errors import Forbidden, Invalid, NotFound
from adaptors.sandbox.primero.instance import Call, Instance
from adaptors.sandbox.primero.metadata_rows import (
    agency_rows,
    form_rows,
    location_rows,
    lookup_rows,
    module_rows,
    role_row,
    translated,
)
from adaptors.sandbox.primero.screens import MADE_AT, screens
from adaptors.sandbox.primero.user_rows import user_group_rows
from adaptors.sandbox.wire import Response, json_response

_CONTACT = ("name", "organization", "phone", "location", "other_information", "support_forum", "email", "position")


def show_start(config: Config) -> Response:
    """`GET /primero`: what the log-in page needs; no version."""
    with_logo = [agency for agency in agency_rows(config) if agency["logo_enabled"]]
    logos = ("unique_id", "name", "logo_full", "logo_icon")
    data = {
        "sandbox_ui": False,
        "config_ui": "full",
        "allow_self_registration": False,
        "locales": screens()["locales"],
        "webpush_enabled": False,
        "agencies": [{name: agency[name] for name in logos} for agency in with_logo],
        "agencies_logo_options": [],
        "registration_streams": [],
        "registration_streams_link_labels": {},
        "registration_streams_consent_text": {},
    }
    return json_response(200, {"data": data})


def show_settings(instance: Instance, call: Call) -> Response:
    """`GET /system_settings`: version, locales, the names that are searched exactly."""
    config = instance.config
    data: Document = {**screens()["settings"], **config.settings, "created_at": MADE_AT, "updated_at": MADE_AT}
    data["primero_version"] = _version(instance)
    if call.params.get("extended") == "true":
        agencies = [translated(row) for row in agency_rows(config)]
        data |= {"agencies": agencies, "modules": module_rows(config)}
    return json_response(200, {"data": data})


def show_contact(instance: Instance, call: Call) -> Response:
    """`GET /contact_information`: also tells the version."""
    data = dict.fromkeys(_CONTACT) | {"system_version": _version(instance)}
    return json_response(200, {"data": data})


def list_forms(instance: Instance, call: Call) -> Response:
    """`GET /forms`: all of them, whatever the role, never paged."""
    kind, module = call.text("record_type"), call.text("module_id")
    rows = [
        row
        for row, form in zip(form_rows(instance.config), instance.config.forms.values(), strict=True)
        if kind in (None, form.parent_form) and (module is None or module in form.modules)
    ]
    return json_response(200, {"data": rows})


def create_form(instance: Instance, call: Call) -> Response:
    """`POST /forms`: the stand-in lets nobody change its configuration; `data` is missed first (vector err-010)."""
    if not call.params.get("data"):
        raise Invalid.missing_data()
    raise Forbidden


def list_lookups(instance: Instance, call: Call) -> Response:
    """`GET /lookups`: 20 a page, at most 1000."""
    return _paged(call, lookup_rows(instance.config))


def list_locations(instance: Instance, call: Call) -> Response:
    """`GET /locations`: 100 a page, without a limit."""
    page = call.page(default=100, largest=None)
    rows = location_rows(instance.config, call.params.get("hierarchy") == "true")
    metadata = {"total": len(rows), "per": page.size, "page": page.number}
    return json_response(200, {"data": rows[page.offset : page.end], "metadata": metadata})


def list_agencies(instance: Instance, call: Call) -> Response:
    """`GET /agencies`."""
    call.require("agency", "read")
    return _paged(call, [translated(row) for row in agency_rows(instance.config)])


def list_roles(instance: Instance, call: Call) -> Response:
    """`GET /roles`: no permission asked for, and pages only on demand."""
    rows = [role_row(role) for role in instance.config.roles.values()]
    if "per" in call.params or "page" in call.params:
        return _paged(call, rows)
    return json_response(200, {"data": rows, "metadata": {"total": len(rows), "per": None, "page": None}})


def show_role(instance: Instance, call: Call) -> Response:
    """`GET /roles/:id`."""
    call.require("role", "read")
    for role in instance.config.roles.values():
        if str(role.id) == call.keys[0]:
            return json_response(200, {"data": role_row(role)})
    raise NotFound("Role", call.keys[0])


def list_permissions(instance: Instance, call: Call) -> Response:
    """`GET /permissions`: every action that some role has, by resource."""
    call.require("role", "read")
    actions: dict[str, dict[str, None]] = {}
    for role in instance.config.roles.values():
        for resource, granted in role.permissions.items():
            actions.setdefault(resource, {}).update(dict.fromkeys(granted))
    scopes = ["self", "group", "all", "admin_only", "agency"]
    by_resource = {resource: list(granted) for resource, granted in actions.items()}
    return json_response(200, {"data": {"management": scopes, "resource_actions": by_resource}})


def list_user_groups(instance: Instance, call: Call) -> Response:
    """`GET /user_groups`."""
    call.require("user_group", "read")
    return _paged(call, user_group_rows(instance))


def list_modules(instance: Instance, call: Call) -> Response:
    """`GET /primero_modules`."""
    call.require("metadata", "manage")
    return json_response(200, {"data": module_rows(instance.config)})


def list_calls(instance: Instance, call: Call) -> Response:
    """`GET /audit_logs`: the calls that were let in, newest first, with their query strings."""
    call.require("audit_log", "read")
    return _paged(call, instance.audit.rows())


def _version(instance: Instance) -> str:
    """The configuration's, unless it is another version that is played."""
    told, played = str(instance.config.settings["primero_version"]), instance.profile.version
    return told if played is None or told.split(".")[:2] == played.split(".")[:2] else played


def _paged(call: Call, rows: list[Document]) -> Response:
    page = call.page()
    metadata = {"total": len(rows), "per": page.size, "page": page.number}
    return json_response(200, {"data": rows[page.offset : page.end], "metadata": metadata})
