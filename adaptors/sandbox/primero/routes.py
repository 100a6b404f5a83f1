"""Which call goes to which handler; a path or method that is not here is unknown to Primero."""

from __future__ import annotations

import re
from urllib.parse import unquote

from adaptors.sandbox.primero import cases, metadata, referrals, users
from adaptors.sandbox.primero.instance import Handler

_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "cases", cases.list_cases),
    ("POST", "cases", cases.create_case),
    ("POST", "cases/referrals", referrals.create_referrals),
    ("GET", "cases/:id", cases.show_case),
    ("PATCH", "cases/:id", cases.update_case),
    ("PUT", "cases/:id", cases.update_case),
    ("DELETE", "cases/:id", cases.disable_case),
    ("GET", "cases/:id/alerts", cases.list_alerts),
    ("GET", "cases/:id/transitions", referrals.list_transitions),
    ("GET", "cases/:id/referrals", referrals.list_referrals),
    ("POST", "cases/:id/referrals", referrals.create_referral),
    ("PATCH", "cases/:id/referrals/:id", referrals.answer_referral),
    ("PUT", "cases/:id/referrals/:id", referrals.answer_referral),
    ("DELETE", "cases/:id/referrals/:id", referrals.revoke_referral),
    ("GET", "users", users.list_users),
    ("GET", "users/refer-to", users.list_receivers),
    ("GET", "users/:id", users.show_user),
    ("PATCH", "users/:id", users.update_user),
    ("PUT", "users/:id", users.update_user),
    ("GET", "system_settings", metadata.show_settings),
    ("GET", "contact_information", metadata.show_contact),
    ("GET", "forms", metadata.list_forms),
    ("POST", "forms", metadata.create_form),
    ("GET", "lookups", metadata.list_lookups),
    ("GET", "locations", metadata.list_locations),
    ("GET", "agencies", metadata.list_agencies),
    ("GET", "roles", metadata.list_roles),
    ("GET", "roles/:id", metadata.show_role),
    ("GET", "permissions", metadata.list_permissions),
    ("GET", "user_groups", metadata.list_user_groups),
    ("GET", "primero_modules", metadata.list_modules),
    ("GET", "audit_logs", metadata.list_calls),
]

_COMPILED = [
    (method, re.compile(f"/api/v2/{pattern.replace(':id', '([^/]+)')}/?"), handler)
    for method, pattern, handler in _ROUTES
]


def route(method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """The handler of a call and the ids in its path; HEAD goes where GET goes. None for an unknown call.

    >>> route("PUT", "/api/v2/cases") is None
    True
    """
    wanted = "GET" if method == "HEAD" else method
    for known, pattern, handler in _COMPILED:
        found = pattern.fullmatch(path)
        if found and known == wanted:
            return handler, tuple(unquote(key) for key in found.groups())
    return None
