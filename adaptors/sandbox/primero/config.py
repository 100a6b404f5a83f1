"""The configuration that a stand-in runs with: modules, forms, roles, accounts, read from one document.

The document has the shape of a seed file: `modules`, `forms` (with `fields` where they matter), `lookups`,
`locations`, `agencies`, `user_groups`, `roles` (with `forms` as `r` or `rw`), `users` (with `password`) and
`system_settings`. The stand-in works on its own copy.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field of a form. `options` is None where any text goes; `columns` are the fields of a subform."""

    name: str
    type: str
    multi_select: bool
    with_time: bool
    options: frozenset[str] | None
    columns: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Form:
    """A form with its fields in order; `raw` is what the configuration says about it."""

    unique_id: str
    parent_form: str
    nested: bool
    modules: frozenset[str]
    fields: tuple[Field, ...]
    raw: Document


@dataclass
class Role:
    """A role: scope, actions by resource, forms with `r` or `rw`."""

    id: int
    unique_id: str
    scope: str
    category: str | None
    modules: list[str]
    permissions: dict[str, list[str]]
    forms: dict[str, str]
    raw: Document

    def allows(self, resource: str, action: str) -> bool:
        """Whether the role has the action or `manage` on a resource (`case`, `user`, `dashboard`, …)."""
        actions = self.permissions.get(resource, ())
        return action in actions or "manage" in actions

    def lose(self, what: str) -> None:
        """Takes away a permission (`"case:read"`) or a form (`"basic_identity"`)."""
        resource, colon, action = what.partition(":")
        if colon:
            self.permissions[resource] = [kept for kept in self.permissions.get(resource, ()) if kept != action]
        else:
            self.forms.pop(what, None)


@dataclass
class User:
    """An account. `groups` are unique ids of user groups."""

    id: int
    name: str
    password: str | None
    role: Role
    agency: str
    groups: list[str]
    disabled: bool
    raw: Document


@dataclass
class Config:
    """Everything that is configured, ready to be asked."""

    raw: Document
    settings: Document
    modules: dict[str, Document]
    forms: dict[str, Form]
    roles: dict[str, Role]
    users: dict[str, User]
    agencies: dict[str, Document]
    id_fields: frozenset[str]
    _below: dict[str, frozenset[str]] = field(default_factory=dict)

    def locations_below(self, code: str) -> frozenset[str]:
        """The codes of a location and of all that lie in it; a code begins with the code that it lies in."""
        if code not in self._below:
            codes = [location["code"] for location in self.raw["locations"]]
            known = code in codes
            self._below[code] = frozenset(inner for inner in codes if known and inner.startswith(code))
        return self._below[code]


def read_config(document: Document) -> Config:
    """Builds a Config from a seed document, which is not changed."""
    raw = deepcopy(document)
    forms = _forms(raw)
    roles = {role["unique_id"]: _role(role) for role in raw["roles"]}
    users = {user["user_name"]: _user(user, roles) for user in raw["users"]}
    return Config(
        raw=raw,
        settings=raw["system_settings"],
        modules={module["unique_id"]: module for module in raw["modules"]},
        forms=forms,
        roles=roles,
        users=users,
        agencies={agency["unique_id"]: agency for agency in raw["agencies"]},
        id_fields=frozenset(raw["system_settings"]["exact_search_fields"]["cases"]),
    )


def _forms(raw: Document) -> dict[str, Form]:
    lookups = {lookup["unique_id"]: lookup.get("option_ids") for lookup in raw["lookups"]}
    documents = {form["unique_id"]: form for form in raw["forms"]}

    def field_of(entry: Document) -> Field:
        inner = documents.get(entry.get("subform", ""), {})
        return Field(
            name=entry["name"],
            type=entry["type"],
            multi_select=bool(entry.get("multi_select")),
            with_time=bool(entry.get("date_include_time")),
            options=_options(entry, lookups),
            columns=tuple(field_of(column) for column in inner.get("fields", ())),
        )

    return {
        name: Form(
            unique_id=name,
            parent_form=form["parent_form"],
            nested=bool(form.get("is_nested")),
            modules=frozenset(form.get("module_ids", ())),
            fields=tuple(field_of(entry) for entry in form.get("fields", ())),
            raw=form,
        )
        for name, form in documents.items()
    }


def _options(entry: Document, lookups: dict[str, list[str] | None]) -> frozenset[str] | None:
    source = entry.get("options_from", "")
    listed = lookups.get(source.removeprefix("lookup ")) if source.startswith("lookup ") else entry.get("option_ids")
    return frozenset(listed) if listed else None


def _role(raw: Document) -> Role:
    return Role(
        id=raw["id"],
        unique_id=raw["unique_id"],
        scope=raw["group_permission"],
        category=raw.get("user_category"),
        modules=raw["module_unique_ids"],
        permissions=raw["permissions"],
        forms=raw["forms"],
        raw=raw,
    )


def _user(raw: Document, roles: dict[str, Role]) -> User:
    return User(
        id=raw["id"],
        name=raw["user_name"],
        password=raw.get("password"),
        role=roles[raw["role"]],
        agency=raw["agency"],
        groups=list(raw["groups"]),
        disabled=raw["disabled"],
        raw=raw,
    )
