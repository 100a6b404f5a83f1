"""What jobs read and write in Primero, held against its forms: a field that isn't there is lost without a word (H31).

A use is a field in one step of one job: `{"job", "step", "field", "written", "listed", "rules", "values", "keys"}`.
`values` are what can be written as far as the script tells, each with the name of its table or constant; `keys` what
its tables know of what is read, each with the table's name and whether it refuses all else; `listed` says that the
value is a list; `rules` are the words of the mapping's rules.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adaptors.findings import Finding, note, unless, wrong
from adaptors.primero.forms import Forms, Place
from adaptors.primero.pages import Record
from adaptors.primero.rights import ADD_SERVICES
from adaptors.primero.upsert import SERVICES

Use = dict[str, Any]

CREATING = ("create_case", "upsert_case")
WRITING = (*CREATING, "update_case")
READING = ("get_cases", "get_case", "find_case", "find_service")
# A case has these whatever its forms are (primero-api §3, §15).
OF_EVERY_CASE = frozenset(
    """id case_id short_id case_id_display module_id status owned_by last_updated_at created_at record_state workflow
    associated_user_names referred_users""".split()
)
# Any role that reads cases is told these, on whatever form they stand (primero-api §15).
TOLD_TO_ALL = OF_EVERY_CASE | {"age", "sex", "registration_date", "consent_for_services", "disclosure_other_orgs"}
# Which types can hold what a rule makes, or a constant of the job is.
HOLDS_DATES = ("date_field", "text_field", "textarea")
HOLDS_NUMBERS = ("numeric_field", "text_field")
HOLDS_TRUTH = ("tick_box", "radio_button")
HOLDS_TEXT = ("text_field", "textarea", "select_box", "radio_button")
MADE = {
    "date": HOLDS_DATES,
    "date and time, in UTC": HOLDS_DATES,
    "completed years today": HOLDS_NUMBERS,
}


@dataclass(frozen=True)
class _Seen:
    """A use beside the places on forms where its field stands."""

    use: Use
    places: list[Place]
    forms: Forms
    role: Record

    @property
    def what(self) -> str:
        return f"{self.use['job']}: {self.use['field']}"

    @property
    def is_hidden(self) -> bool:
        """It is on forms, but people see it on none of them."""
        return bool(self.places) and not any(place.is_seen for place in self.places)

    @property
    def is_written(self) -> bool:
        return bool(self.use["written"] and self.use["step"] in WRITING)


def of_fields(uses: Iterable[Use], known: Record) -> Iterator[Finding]:
    """Findings on every field of a case that jobs use: it is there, within our role's reach, and holds what is written.

    Each thing that was looked at gives its faults, or one finding that says that there are none.
    """
    forms, role = Forms(known), known.get("role") or {}
    cases = [use for use in uses if use["step"] in (*READING, *WRITING)]
    seen = [_Seen(use, forms.places(use["field"]), forms, role) for use in cases]
    names = len({use["field"] for use in cases})
    yield from unless(_each(_is_there, seen), "fields", f"{names}, each on a form of the case, or in every case")
    yield from unless(_each(_fits, seen), "types", "what is written fits the type of its field")
    yield from unless(_each(_is_option, seen), "values", "each value that can be written is an option of its field")
    yield from _each(_table, seen)
    yield from unless(_required(seen), "required fields", "all are mapped")
    if role:
        yield from unless([*_each(_reach, seen), *_excess(seen)], "forms of the role", "what the jobs use, and no more")


def of_lists(lists: Iterable[dict[str, Any]], uses: Iterable[Use], known: Record) -> Iterator[Finding]:
    """Findings on a job's lists of options, `{"job", "name", "entries"}`, such as the agreed services."""
    forms, uses = Forms(known), list(uses)
    for each in lists:
        fields = sorted({use["field"] for use in uses if use["job"] == each["job"] and use["step"] in READING})
        options = [forms.options(place) or {} for field in fields for place in forms.places(field)]
        nearest = max(options, key=lambda held: len(held.keys() & set(each["entries"])), default={})
        strangers = [entry for entry in each["entries"] if entry not in nearest]
        if len(strangers) < len(each["entries"]):  # else it is a list of something else
            for entry in strangers:
                found = f"{entry} is no option of the field that has the others"
                yield wrong(f"{each['job']}: {each['name']}", found, "Correct the list.")


def _is_there(seen: _Seen) -> Iterator[Finding]:
    name = seen.use["field"]
    if not seen.places and name not in OF_EVERY_CASE and name.rpartition(".")[2] != "unique_id":
        found = "no form of the case has this field; Primero would drop it without a word"
        yield wrong(seen.what, found, "Correct its name in the job, or add the field to a form in Primero.")
    elif seen.is_written and seen.is_hidden and name not in OF_EVERY_CASE:
        yield note(seen.what, f'hidden or disabled on the form "{seen.places[0].form_label}"; nobody sees it there')


def _fits(seen: _Seen) -> Iterator[Finding]:
    for place in seen.places if seen.is_written else ():
        for made, types in _made(seen.use):
            if place.type not in types:
                yield wrong(seen.what, f"{made} for a {place.type} ({place.label})", "Correct the mapping's rule.")
        if place.type == "select_box" and seen.use["listed"] != bool(place.field.get("multi_select")):
            found = "a list for a field of one value" if seen.use["listed"] else "one value for a field that is a list"
            yield wrong(seen.what, f"{found} ({place.label})", "Write it in [ ] where the field takes several, only.")


def _made(use: Use) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is written, in words, with the types that can hold it."""
    last = use["rules"][-1] if use["rules"] else ""
    if last in MADE:
        yield last, MADE[last]
    for value, _ in use["values"]:
        if isinstance(value, bool):
            yield "yes or no", HOLDS_TRUTH
        elif isinstance(value, (int, float)):
            yield "a number", HOLDS_NUMBERS
        else:
            yield "a text", HOLDS_TEXT


def _is_option(seen: _Seen) -> Iterator[Finding]:
    for place in seen.places if seen.is_written else ():
        options = seen.forms.options(place)
        for value, name in seen.use["values"] if options is not None else ():
            if isinstance(value, str) and not (options or {}).get(value):
                state = "is disabled in" if value in (options or {}) else "is no option of"
                where = f"the table {name}" if name else "the constant"
                yield wrong(seen.what, f"{value} {state} {place.label}", f"Correct {where}, or the options in Primero.")


def _table(seen: _Seen) -> Iterator[Finding]:
    """What a table knows that the form can't give, and what the form can give that the table doesn't know."""
    for place in seen.places:
        options = seen.forms.options(place)
        tables = {table: refuses for _, table, refuses in seen.use["keys"]}
        for table, refuses in tables.items() if options is not None else ():
            keys, given = {str(key) for key, name, _ in seen.use["keys"] if name == table}, set(options or {})
            what = f"{seen.use['job']}: {table}"
            if unused := sorted(keys - given):
                fix = "Take them out, or correct their ids."
                yield note(what, f"never used, since no options of {place.label}: {', '.join(unused)}", fix)
            if refuses and (without := sorted(given - keys)):
                fix = "Add a row where something was agreed for them."
                yield note(what, f"no rows for these options of {place.label}: {', '.join(without)}", fix)


def _required(seen: Iterable[_Seen]) -> Iterator[Finding]:
    """What people must fill in, and a job that makes cases leaves empty."""
    making = [each for each in seen if each.use["step"] in CREATING and each.use["written"]]
    for job in dict.fromkeys(each.use["job"] for each in making):
        mapped = {each.use["field"] for each in making if each.use["job"] == job}
        subforms = {name.partition(".")[0] for name in mapped if "." in name}
        for name, place in making[0].forms:
            belongs = "." not in name or name.partition(".")[0] in subforms
            if place.field.get("required") and place.is_seen and belongs and name not in mapped:
                found = f'"{place.label}" is required on the form "{place.form_label}", and not mapped'
                yield wrong(f"{job}: {name}", found, f'Add to the mapping: "{name.rpartition(".")[2]}": …')


def _reach(seen: _Seen) -> Iterator[Finding]:
    granted = {seen.role["forms"].get(place.form) for place in seen.places}
    if not seen.places or seen.use["field"] in OF_EVERY_CASE:
        return
    form = seen.places[0].form
    if seen.is_written:
        adds = ADD_SERVICES[1] in (seen.role["permissions"].get("case") or ())
        if "rw" not in granted and not (adds and seen.use["field"].startswith(f"{SERVICES}.")):
            found = f"the role may not write the form {form}; the value would be dropped"
            yield wrong(seen.what, found, f"Give the role rw on {form}.")
    elif seen.use["field"] not in TOLD_TO_ALL and granted == {None}:
        yield wrong(seen.what, f"the role may not read the form {form}", f"Give the role r on {form}.")


def _excess(seen: Iterable[_Seen]) -> Iterator[Finding]:
    """Forms that the role reads or writes although no job does."""
    used: dict[str, str] = {}
    role: Record = {}
    for each in seen:
        role = each.role
        for place in each.places:
            used[place.form] = "rw" if each.is_written else used.get(place.form, "r")
    for form, granted in sorted((role.get("forms") or {}).items()):
        if form not in used:
            yield wrong("forms of the role", f"{granted} on {form}, which no job uses", "Take the form from the role.")
        elif (granted, used[form]) == ("rw", "r"):
            yield wrong("forms of the role", f"rw on {form}, which no job writes", "Make it r.")


def _each(look: Callable[[_Seen], Iterable[Finding]], seen: Iterable[_Seen]) -> list[Finding]:
    """What one look at every use finds, each only once."""
    return [dict(found) for found in dict.fromkeys(tuple(one.items()) for each in seen for one in look(each))]
