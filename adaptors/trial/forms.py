"""What the forms of a Primero say of a field, for people who fill them in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adaptors.sandbox.primero.config import Field, Form, read_config

Document = dict[str, Any]
# What a case has beside the fields of its forms.
_CORE = frozenset({"id", "case_id", "module_id", "owned_by", "status"})


@dataclass(frozen=True)
class Entry:
    """A field as people see it; `form` is `""` for what stands on none. `options` is None where any text goes."""

    label: str
    form: str
    required: bool
    options: frozenset[str] | None

    def __str__(self) -> str:
        return f'"{self.label}" on the form "{self.form}"' if self.form else f'"{self.label}"'


class Forms:
    """The forms of cases, of one configuration; columns of a subform are named `subform.column`.

    >>> from adaptors.sandbox.inprocess import gambella
    >>> str(Forms(gambella()).fields["services_section.service_type"])
    '"Service Type" on the form "Nested Services"'
    """

    def __init__(self, configuration: Document) -> None:
        config = read_config(configuration)
        users = frozenset(name for name, user in config.users.items() if not user.disabled)
        self._named = {"User": users, "Agency": frozenset(config.agencies)}
        self.module = next(iter(config.modules))
        # Core fields need to stand on no form.
        self.fields = {
            "owned_by": Entry("Record Owner", "", False, users),
            "module_id": Entry("Module", "", False, frozenset(config.modules)),
        }
        self._consents = frozenset[str]()
        documents = {name: form.raw for name, form in config.forms.items()}
        for form in config.forms.values():
            if form.parent_form == "case" and not form.nested:
                self.fields |= {**dict(self._entries(form, documents)), **self.fields}
        consent_form = config.modules[self.module].get("options", {}).get("consent_form")
        if consent_form in config.forms:
            ticks = (field.name for field in config.forms[consent_form].fields if field.type == "tick_box")
            self._consents = frozenset(ticks)

    def lacks(self, name: str, value: Any) -> bool:
        """Whether a field has options, and this is none of them."""
        entry = self.fields.get(name)
        return entry is not None and entry.options is not None and value not in entry.options

    def consents(self, asked: list[str]) -> list[str]:
        """Those of these fields that are ticks on the form for consent."""
        return [name for name in asked if name in self._consents]

    def required(self) -> dict[str, Entry]:
        """The fields without which people can't save a form."""
        return {name: entry for name, entry in self.fields.items() if entry.required}

    def fitted(self, record: Document, subform: str = "") -> Document:
        """A record as this Primero could hold it: no field that no form has, and of a field's options the first for one
        that there isn't."""
        kept = {name: value for name, value in record.items() if subform or name in _CORE or name in self.fields}
        return {name: self._fitted(f"{subform}{name}", value) for name, value in kept.items()}

    def _fitted(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return [self.fitted(entry, f"{name}.") for entry in value]
        if isinstance(value, list):
            return list(dict.fromkeys(self._fitted(name, entry) for entry in value))
        return self.options(name)[0] if self.lacks(name, value) else value

    def options(self, name: str) -> list[str]:
        """The options of a field, if it has any."""
        entry = self.fields.get(name)
        return sorted(entry.options or ()) if entry else []

    def _entries(self, form: Form, documents: dict[str, Document]) -> Iterator[tuple[str, Entry]]:
        raw = {field["name"]: field for field in form.raw.get("fields", ())}
        for field in form.fields:
            yield field.name, self._entry(field, raw[field.name], form.raw)
            inner = documents.get(raw[field.name].get("subform", ""))
            if inner:
                written = {column["name"]: column for column in inner.get("fields", ())}
                for column in field.columns:
                    yield f"{field.name}.{column.name}", self._entry(column, written[column.name], inner)

    def _entry(self, field: Field, raw: Document, form: Document) -> Entry:
        is_shown = raw.get("visible", True) and not raw.get("disabled")
        return Entry(
            label=_shown(raw.get("display_name")) or _title(field.name),
            form=_shown(form.get("name")) or _title(form["unique_id"]),
            required=bool(raw.get("required") and is_shown),
            options=self._named.get(raw.get("options_from", ""), field.options),
        )


def _shown(name: Any) -> str:
    return str(name.get("en") or next(iter(name.values()), "")) if isinstance(name, dict) else str(name or "")


def _title(name: str) -> str:
    return name.replace("_", " ").title()
