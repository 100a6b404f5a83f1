"""How accounts and user groups stand in answers."""

from __future__ import annotations

from adaptors.sandbox.primero.config import Document, User
from adaptors.sandbox.primero.instance import Instance
from adaptors.sandbox.primero.screens import MADE_AT, logo_paths, screens


def user_row(instance: Instance, user: User, extended: bool) -> Document:
    """An account; `extended` adds its permissions, forms and what the screens need. Nulls are left out."""
    raw, config = user.raw, instance.config
    row = {
        "id": user.id,
        "full_name": raw["full_name"],
        "user_name": user.name,
        **{name: raw.get(name) for name in ("phone", "email", "position", "code", "location")},
        "agency_id": config.agencies[user.agency]["id"],
        "time_zone": "UTC",
        "locale": raw["locale"],
        "send_mail": True,
        "disabled": user.disabled,
        "services": raw.get("services") or [],
        "created_at": MADE_AT,
        "updated_at": MADE_AT,
        "unverified": False,
        "self_registered": False,
        "duplicate": False,
        "module_unique_ids": user.role.modules,
        "role_unique_id": user.role.unique_id,
        "role_group_permission": user.role.scope,
        "user_group_unique_ids": user.groups,
        "user_groups": [group for group in user_group_rows(instance) if group["unique_id"] in user.groups],
        "reporting_location_config": config.settings["reporting_location_config"],
    }
    row |= _extension(user) if extended else {}
    return {name: value for name, value in row.items() if value is not None}


def _extension(user: User) -> Document:
    role, logos = user.role, logo_paths(user.agency)
    listed = [{"resource": _plural(name), "actions": actions} for name, actions in role.permissions.items()]
    return {
        "permissions": {"list": listed},
        "permitted_form_unique_ids": list(role.forms),
        "permitted_role_unique_ids": [],
        "permitted_form": role.forms,
        "filters": screens()["user"]["filters"],
        "list_headers": screens()["user"]["list_headers"],
        "is_manager": False,
        "agency_unique_id": user.agency,
        "agency_name": user.agency,
        "agency_logo_full": logos and logos[0],
        "agency_logo_icon": logos and logos[1],
    }


def user_group_rows(instance: Instance) -> list[Document]:
    """All user groups as they stand in answers."""
    descriptions = screens()["user_group_descriptions"]
    return [
        {
            "id": number,
            "unique_id": group["unique_id"],
            "name": group["name"],
            "description": descriptions.get(group["unique_id"]),
            "core_resource": False,
            "disabled": group["disabled"],
            "created_at": MADE_AT,
            "updated_at": MADE_AT,
        }
        for number, group in enumerate(instance.config.raw["user_groups"], start=1)
    ]


def _plural(resource: str) -> str:
    return f"{resource[:-1]}ies" if resource.endswith("y") else f"{resource}s"
