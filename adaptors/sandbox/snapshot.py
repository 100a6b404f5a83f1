"""The sandbox as a country's own Primero is configured: its forms, look-ups, agencies, users and our role there.

They come from a snapshot, as `runner snapshot` writes it: `{"format": 1, "systems": {"primero": {"version", "forms",
"lookups", "agencies", "modules", "role", "users"}}}`. Forms, look-ups, agencies and modules are as Primero's API gives
them, `role` as it tells an account of itself or a role; `users` are `{name: {"enabled", "receives_referrals",
"agency"}}`. What is left out is as in the sandbox's own configuration, and so are the people who act in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptors.sandbox.caseload import CASE_WORKERS
from adaptors.sandbox.inprocess import ADMINISTRATOR, INTEGRATION_USER, gambella

Document = dict[str, Any]

FORMAT = 1
OUR_ROLE, CASE_WORKER, RECEIVER, NO_RECEIVER = (
    "role-progres-integration", "role-case-worker", "role-unhcr", "role-without-referrals",
)  # fmt: skip
_OWN_USERS = (ADMINISTRATOR, INTEGRATION_USER, *CASE_WORKERS)


@dataclass(frozen=True)
class Snapshot:
    """What a sandbox needs of it: a configuration in the shape of a seed file, and the nearest version it can play."""

    configuration: Document
    profile: str

    @classmethod
    def read(cls, path: Path) -> Snapshot:
        """Read a snapshot's file. Raises OSError, and ValueError for a file that is none."""
        return cls.of(json.loads(path.read_text("utf-8")))

    @classmethod
    def of(cls, document: Document) -> Snapshot:
        """Make it of a snapshot's document. Raises ValueError for one that is none.

        >>> Snapshot.of({"format": 1, "systems": {"primero": {"version": "2.10.3", "forms": []}}}).profile
        '2.10'
        """
        told = document.get("systems", {}).get("primero") if document.get("format") == FORMAT else None
        if not isinstance(told, dict) or "forms" not in told:
            raise ValueError(f"no snapshot of a Primero in format {FORMAT}")
        return cls(_configuration(told), _profile(str(told["version"])))


def _profile(version: str) -> str:
    """Up to 2.10 it filtered otherwise; from 2.15 on it checks options."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return "2.10" if (major, minor) < (2, 11) else "2.14" if (major, minor) < (2, 15) else "2.15"


def _configuration(told: Document) -> Document:
    seed = gambella()
    seed["system_settings"]["primero_version"] = told["version"]
    seed["forms"] = list(_forms(told["forms"])) or seed["forms"]
    seed["lookups"] = list(_lookups(told.get("lookups", ()))) or seed["lookups"]
    names = [form["unique_id"] for form in seed["forms"]]
    seed["modules"] = [_module(module, seed["modules"][0], names) for module in told.get("modules", ())] or seed[
        "modules"
    ]
    seed["users"] = [*(user for user in seed["users"] if user["user_name"] in _OWN_USERS)]
    seed["users"] += _users(told.get("users", {}), first_id=len(seed["users"]) + 1)
    seed["agencies"] = list(_agencies(told.get("agencies", ()), seed))
    seed["roles"] = list(_roles(seed, told.get("role") or {}, names))
    return seed


def _forms(forms: Iterable[Document]) -> Iterator[Document]:
    forms = list(forms)
    numbered = {form["id"]: form["unique_id"] for form in forms if "id" in form}
    for form in forms:
        kept = {name: value for name, value in form.items() if name not in ("id", "fields")}
        yield {
            "is_nested": False,
            "parent_form": "case",
            **kept,
            "fields": [_field(field, numbered) for field in form.get("fields", ())],
        }


def _field(field: Document, numbered: dict[Any, str]) -> Document:
    source, texts = field.get("option_strings_source"), field.get("option_strings_text")
    inner = field.get("subform_section_id")
    own = ("id", "option_strings_source", "option_strings_text", "subform_section_id")
    kept = {name: value for name, value in field.items() if name not in own}
    kept |= {"options_from": source} if source else {}
    kept |= {"option_ids": _option_ids(texts)} if texts else {}
    return kept | ({"subform": numbered.get(inner, inner)} if inner else {})


def _lookups(lookups: Iterable[Document]) -> Iterator[Document]:
    for lookup in lookups:
        yield {"unique_id": lookup["unique_id"], "option_ids": _option_ids(lookup["values"])}


def _option_ids(options: Iterable[Document]) -> list[str]:
    """Those that people can choose."""
    return [option["id"] for option in options if not option.get("disabled")]


def _module(module: Document, usual: Document, forms: list[str]) -> Document:
    options = module.get("options") or module.get("module_options") or {}
    own: Document = {name: module[name] for name in ("unique_id", "name") if name in module}
    return {**usual, **own, "forms": forms, "options": {**usual["options"], **options}}


def _users(users: dict[str, Document], first_id: int) -> Iterator[Document]:
    for number, (name, told) in enumerate(sorted(users.items()), start=first_id):
        if name not in _OWN_USERS:
            yield {
                "id": number,
                "user_name": name,
                "full_name": name.replace("_", " ").title(),
                "email": f"{name}@example.org",
                "phone": "+251 000 000 000",
                "position": "Invented",
                "code": None,
                "location": None,
                "services": [],
                "locale": "en",
                "disabled": not told.get("enabled", True),
                "role": RECEIVER if told.get("receives_referrals") else NO_RECEIVER,
                "agency": told.get("agency") or "UNICEF",
                "groups": ["usergroup-gambella"],
                "password": None,
            }


def _agencies(told: Iterable[Document], seed: Document) -> Iterator[Document]:
    """Those of the snapshot, and those of the people who act."""
    known = {agency["unique_id"]: agency for agency in told}
    needed = dict.fromkeys([*known, *(user["agency"] for user in seed["users"])])
    for number, name in enumerate(needed, start=1):
        agency = known.get(name, {})
        shown = agency.get("name", name)
        yield {
            "id": number,
            "unique_id": name,
            "agency_code": agency.get("agency_code", name),
            "name": next(iter(shown.values()), name) if isinstance(shown, dict) else shown,
            "disabled": bool(agency.get("disabled")),
        }


def _roles(seed: Document, ours: Document, forms: list[str]) -> Iterator[Document]:
    modules = [module["unique_id"] for module in seed["modules"]]
    roles = {role["unique_id"]: {**role, "module_unique_ids": modules} for role in seed["roles"]}
    for name in ("role-administrator", CASE_WORKER):
        roles[name]["forms"] = dict.fromkeys(forms, "rw")
    roles[RECEIVER]["forms"] = dict.fromkeys(forms, "r")
    roles[OUR_ROLE] |= _our_role(ours)
    without = deepcopy(roles[CASE_WORKER])
    without["permissions"]["case"].remove("receive_referral")
    roles[NO_RECEIVER] = {**without, "unique_id": NO_RECEIVER, "name": "No referrals", "id": len(roles) + 1}
    yield from roles.values()


def _our_role(told: Document) -> Document:
    """Permissions, forms and scope, where the snapshot tells them."""
    found = {
        "permissions": {name: list(actions) for name, actions in (told.get("permissions") or {}).items()},
        "forms": told.get("forms"),
        "group_permission": told.get("scope"),
    }
    return {name: value for name, value in found.items() if value}
