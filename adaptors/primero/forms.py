"""The forms of a case, as a snapshot holds them: where a field stands, and what it may hold."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adaptors.primero.metadata import CASE_MODULE
from adaptors.primero.pages import Record

# Their values Primero takes from elsewhere and does not hold against a list (primero-api §7).
UNLISTED = ("Agency", "User", "Location", "ReportingLocation")


@dataclass(frozen=True)
class Place:
    """A field on a form. Of a column of a subform, `form` is the one on which the subform stands: rights go by that."""

    form: str
    form_label: str
    field: Record = field(repr=False)

    @property
    def label(self) -> str:
        """What people see beside it."""
        return text(self.field.get("display_name")) or str(self.field["name"])

    @property
    def type(self) -> str:
        """Such as `select_box`; all of them stand in primero-api §7."""
        return str(self.field.get("type"))

    @property
    def is_seen(self) -> bool:
        """Whether people can fill it in."""
        return self.field.get("visible", True) is not False and self.field.get("disabled") is not True


class Forms:
    """The forms of a snapshot: `forms` and `lookups` as Primero gives them (primero-api §7).

    >>> name = {"name": "sex", "type": "select_box", "option_strings_text": [{"id": "female"}]}
    >>> forms = Forms({"forms": [{"id": 1, "unique_id": "basic_identity", "parent_form": "case", "fields": [name]}]})
    >>> [place.form for place in forms.places("sex")], forms.options(forms.places("sex")[0])
    (['basic_identity'], {'female': True})
    """

    def __init__(self, known: Record, module: str = CASE_MODULE) -> None:
        self._lookups = {lookup["unique_id"]: lookup.get("values") or [] for lookup in known.get("lookups", ())}
        forms = [form for form in known["forms"] if module in (form.get("module_ids") or [module])]
        nested = {form.get("id"): form for form in forms if form.get("is_nested")}
        self._fields: dict[str, list[Place]] = {}
        for form in forms:
            if not form.get("is_nested") and form.get("parent_form", "case") == "case":
                for name, found in _of_form(form, nested):
                    self._fields.setdefault(name, []).append(Place(form["unique_id"], text(form.get("name")), found))

    def places(self, name: str) -> list[Place]:
        """Where a field stands, `subform.column` for a column; it may be on several forms, or on none."""
        return self._fields.get(name, [])

    def __iter__(self) -> Iterator[tuple[str, Place]]:
        return ((name, place) for name, places in self._fields.items() for place in places)

    def options(self, place: Place) -> dict[str, bool] | None:
        """The options of a field by id, and whether each can still be chosen; None where anything may be written."""
        source = place.field.get("option_strings_source")
        if source in UNLISTED or (source and not source.startswith("lookup ")):
            return None
        listed = self._lookups.get(source.split()[1]) if source else place.field.get("option_strings_text")
        if listed is None:
            return None
        return {str(option["id"]): not option.get("disabled") for option in listed}


def text(translated: Any) -> str:
    """One text of those that Primero has for each language: English, or the first.

    >>> text({"fr": "Sexe", "en": "Sex"}), text({"fr": "Sexe"}), text(None)
    ('Sex', 'Sexe', '')
    """
    if isinstance(translated, dict):
        return str(translated.get("en") or next(filter(None, translated.values()), ""))
    return str(translated or "")


def _of_form(form: Record, nested: dict[Any, Record]) -> Iterator[tuple[str, Record]]:
    for found in form.get("fields") or []:
        yield found["name"], found
        inner = nested.get(found.get("subform_section_id")) if found.get("type") == "subform" else None
        for column in (inner or {}).get("fields") or []:
            yield f"{found['name']}.{column['name']}", column
