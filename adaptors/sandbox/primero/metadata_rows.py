"""How forms, look-ups, locations, agencies, roles and modules stand in answers."""

from __future__ import annotations

from typing import Any

from adaptors.sandbox.primero.config import Config, Document, Role
from adaptors.sandbox.primero.screens import in_locales, logo_paths, screens


def form_rows(config: Config) -> list[Document]:
    """All forms with their fields; a subform field names its form by number."""
    numbers = {name: number for number, name in enumerate(config.forms, start=1)}
    field_number = iter(range(1, 1_000_000))
    return [
        {
            "id": numbers[name],
            **{key: value for key, value in form.raw.items() if key not in ("fields", "name")},
            "name": _in_all(form.raw.get("name") or _title(name)),
            "fields": [_field_row(next(field_number), field, numbers) for field in form.raw.get("fields", ())],
        }
        for name, form in config.forms.items()
    ]


def _field_row(number: int, field: Document, form_numbers: dict[str, int]) -> Document:
    kept = {key: value for key, value in field.items() if key not in ("options_from", "option_ids", "subform")}
    row: Document = {"id": number, **kept, "display_name": _in_all(field.get("display_name") or _title(field["name"]))}
    if "options_from" in field:
        row["option_strings_source"] = field["options_from"]
    if "option_ids" in field:
        row["option_strings_text"] = [_option(option) for option in field["option_ids"]]
    if "subform" in field:
        row["subform_section_id"] = form_numbers[field["subform"]]
    return row


def lookup_rows(config: Config) -> list[Document]:
    """All look-ups with their options."""
    names, locked = screens()["lookup_names"], screens()["locked_lookups"]
    return [
        {
            "id": number,
            "unique_id": lookup["unique_id"],
            "name": in_locales(names.get(lookup["unique_id"]) or _title(lookup["unique_id"].removeprefix("lookup-"))),
            "locked": lookup["unique_id"] in locked,
            "values": [_option(option) for option in lookup.get("option_ids", ())],
        }
        for number, lookup in enumerate(config.raw["lookups"], start=1)
    ]


def _option(option: str) -> Document:
    return {"id": option, "display_text": in_locales(_title(option))}


def location_rows(config: Config, with_hierarchy: bool) -> list[Document]:
    """All locations, named from the country down."""
    locations = config.raw["locations"]
    labels = _location_labels(locations)
    rows = []
    for number, location in enumerate(locations, start=1):
        code = location["code"]
        chain = [other["code"] for other in locations if code.startswith(other["code"])]
        name = "::".join(labels[above] for above in chain)
        row = {"id": number, **location, "name": dict.fromkeys(screens()["locales"], name)}
        if with_hierarchy:
            row |= {"admin_level": len(chain) - 1, "placename": in_locales(labels[code]), "hierarchy": chain}
        rows.append(row)
    return rows


def _location_labels(locations: list[Document]) -> dict[str, str]:
    labels, counts = {}, dict[Any, int]()
    for location in locations:
        counts[location["type"]] = counts.get(location["type"], 0) + 1
        labels[location["code"]] = f"{location['type'].title()} {counts[location['type']]}"
    return labels


def agency_rows(config: Config) -> list[Document]:
    """All agencies, with a name in one language."""
    rows = []
    for agency in config.raw["agencies"]:
        logos = logo_paths(agency["unique_id"])
        row = {
            **agency,
            "order": 0,
            "description": in_locales(""),
            "telephone": None,
            "services": [],
            "logo_enabled": logos is not None,
            "pdf_logo_option": False,
            "terms_of_use_enabled": False,
        }
        rows.append(row | ({"logo_full": logos[0], "logo_icon": logos[1]} if logos else {}))
    return rows


def translated(row: Document) -> Document:
    """A row with its name in all languages."""
    return row | {"name": in_locales(row["name"])}


def role_row(role: Role) -> Document:
    """A role with its permissions and forms; nulls are left out."""
    row = {
        "id": role.id,
        "unique_id": role.unique_id,
        "name": role.raw["name"],
        "group_permission": role.scope,
        "user_category": role.category,
        "module_unique_ids": role.modules,
        "form_section_read_write": role.forms,
        "permissions": {**role.permissions, "objects": {}},
        "referral": role.raw.get("referral"),
        "transfer": role.raw.get("transfer"),
        "disabled": role.raw.get("disabled"),
    }
    return {name: value for name, value in row.items() if value is not None}


def module_rows(config: Config) -> list[Document]:
    """All modules."""
    return [
        {
            "id": number,
            **{name: module[name] for name in ("unique_id", "name", "associated_record_types")},
            "form_section_unique_ids": module["forms"],
            "module_options": module["options"],
            "options": module["options"],
            **screens()["module"],
        }
        for number, module in enumerate(config.raw["modules"], start=1)
    ]


def _in_all(name: Document | str) -> Document:
    """A name in all languages; it may be so already."""
    return name if isinstance(name, dict) else in_locales(name)


def _title(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").title()
