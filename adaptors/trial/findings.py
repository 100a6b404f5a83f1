"""What isn't as the tables say, a line each, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adaptors.trial.forms import Forms
from adaptors.trial.held import SERVICES, Record
from adaptors.trial.review import Sending
from adaptors.trial.watched import Row

Document = dict[str, Any]
_NAMED = 3  # of the records that show the same, so many by name


def finding(what: str, where: str, found: str, fix: str) -> Document:
    """A finding about a job (`where`): which records or rows show it, what was found, and one sentence of what to do.

    >>> finding("SEXES f", "send_all", "parked", "Mend it.")["level"]
    'wrong'
    """
    return {"what": what, "where": where, "found": found, "fix": fix, "level": "wrong"}


def together(findings: Iterable[Document]) -> list[Document]:
    """One finding for all records that show the same.

    >>> same = [finding(what, "send_all", "parked", "Mend it.") for what in "abcde"]
    >>> [each["what"] for each in together(same)]
    ['a, b, c and 2 more']
    """
    groups: dict[tuple[str, ...], list[Document]] = {}
    for each in findings:
        groups.setdefault((each["where"], each["found"], each["fix"]), []).append(each)
    return [{**group[0], "what": _names(dict.fromkeys(each["what"] for each in group))} for group in groups.values()]


def on_forms(job: str, sending: Sending, rows: dict[str, set[Row]], forms: Forms) -> Iterator[Document]:
    """Values that no form offers: older versions of Primero keep them without a word."""
    for name, value in sending.values.items():
        for one in value if isinstance(value, list) else [value]:
            if one not in (None, "") and forms.lacks(name, one):
                found = f'"{one}", to which {shown(rows[name])} leads, is no option of {forms.fields[name]}'
                yield finding(name, job, found, "Write one that is there, or let it be added to Primero.")


def required(job: str, sending: Sending, record: Record, forms: Forms) -> Iterator[Document]:
    """Fields without which people couldn't save the form, and which neither the mapping fills nor Primero itself."""
    for name, entry in forms.required().items():
        belongs = record.is_new or name.startswith(SERVICES)
        if belongs and "." in name and not name.startswith(SERVICES):
            continue
        if belongs and name not in sending.values and record.fields.get(name) in (None, ""):
            yield finding(name, job, f"{entry} is required, and stays empty", f'Add a line to the mapping: "{name}": …')


def not_held(job: str, what: str, names: Iterable[str], rows: dict[str, set[Row]], forms: Forms) -> Iterator[Document]:
    """Fields in which a far side holds something else than the mapping gives."""
    for name in names:
        if name not in forms.fields:
            yield finding(what, job, f"{name}: it wasn't kept as the mapping gives it", "Has a form this field?")
        else:
            found = f"{name}: {forms.fields[name]} holds something else than {shown(rows[name])} gives"
            yield finding(what, job, found, "May our role write this form, and does the field take such a value?")


def shown(rows: Iterable[Row]) -> str:
    """Rows as people name them, or else what they are not."""
    return ", ".join(map(str, sorted(rows))) or "the mapping"


def _names(names: Iterable[str]) -> str:
    first = list(names)
    more = len(first) - _NAMED
    return f"{', '.join(first[:_NAMED])} and {more} more" if more > 0 else ", ".join(first)
