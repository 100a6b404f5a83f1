"""What leaves for another system: the fields that a job's mapping names, and no others (R-LP3)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adaptors.errors import AdaptorError, InvalidData, JobError
from adaptors.promises import State, check_mapping, free_text_of, given, reads_of, rules_of
from adaptors.rules import Rule

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_.]{0,79}")


@dataclass(frozen=True)
class Field:
    """One field that may leave: what the mapping gives for it, a constant or a promise; in lists there may be several.

    >>> Field(("open",)).reads
    frozenset()
    """

    values: tuple[Any, ...]
    listed: bool = False  # whether the mapping gives a list of values

    @property
    def reads(self) -> frozenset[str]:
        """The paths from which its value comes; none for a constant."""
        return reads_of(self.values)

    @property
    def free_text(self) -> frozenset[str]:
        """Those of them that the job marks as free text; one that is left out is here, and not in `reads`."""
        return free_text_of(self.values)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What is done to what is read, in order."""
        return rules_of(self.values)

    @property
    def constants(self) -> tuple[Any, ...]:
        """What the mapping gives as it stands."""
        return tuple(value for value in self.values if not callable(value) and value is not None)


class Outgoing:
    """A body to be sent: the job's mapping, and in `fields` what may leave by it.

    What is written out as a dict names its own fields. What is computed, be it by a promise or a function of state,
    needs them named: else JobError, when the job is loaded.

    >>> from adaptors.promises import data_value
    >>> referral = Outgoing({"sex": data_value("case.sex"), "services": [{"type": "food"}]})
    >>> sorted(referral.fields)
    ['services.type', 'sex']
    >>> referral.body({"data": {"case": {"sex": "female", "notes": "…"}}})
    {'sex': 'female', 'services': [{'type': 'food'}]}
    """

    def __init__(self, mapping: Any, *, fields: Iterable[str] = ()) -> None:
        self._mapping = mapping
        self.fields = {name: Field((mapping,)) for name in fields} | fields_of(mapping)
        if callable(mapping):
            del self.fields[""]
            if not self.fields:
                raise JobError(
                    "what is to be sent is computed, so it can't be known which fields may leave",
                    fix='Write it out as {"field": …}, or name its fields: fields=["field", …].',
                )
        else:
            check_mapping(mapping)
        self.reads = reads_of(mapping)

    def body(self, state: State) -> Any:
        """What is to be sent now.

        Raises JobError when there is a field in it that was not named, InvalidData when a field that was holds an
        object, whose inner fields were not.
        """
        body = given(self._mapping, state)
        for path in _paths(body):
            if path not in self.fields:
                raise self._refusal(path)
        return body

    def _refusal(self, path: str) -> AdaptorError:
        around = next((field for field in self.fields if path.startswith(f"{field}.")), None)
        if around:
            names = tuple(sorted(read.removeprefix("data.") for read in self.fields[around].reads))
            return InvalidData(
                f"{', '.join(names)}: an object where a value belongs; {around} would be sent with all that is in it",
                fix="Ask the sender to correct it, or map one of the object's fields in the job script.",
                fields=names,
            )
        # What was made from a record's content is no field name, and may be somebody's.
        name = path if _FIELD_NAME.fullmatch(path) else f"a field whose name has {len(path)} characters"
        return JobError(
            f"{name if path else 'a bare value'} would be sent, but is not among the agreed fields",
            code="not_agreed_field",
            fix="If it is agreed, add it to the mapping or to fields=; else leave it out.",
        )


def fields_of(mapping: Any) -> dict[str, Field]:
    """Every field that a mapping names, `subform.column` within lists and objects, with what it is made of.

    >>> list(fields_of({"name": "x", "services": [{"type": "food"}, {"type": "cash", "day": 1}]}))
    ['name', 'services.type', 'services.day']
    """
    found: dict[str, Field] = {}
    lists = set(_lists(mapping, ""))
    for path, value in _leaves(mapping, ""):
        found[path] = Field((*(found[path].values if path in found else ()), value), path in lists)
    return found


def _paths(body: Any) -> Iterator[str]:
    return (path for path, _ in _leaves(body, ""))


def _lists(value: Any, path: str) -> Iterator[str]:
    """The paths where a list of plain values stands."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _lists(inside, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for inside in value:
            yield from _lists(inside, path) if isinstance(inside, dict) else (path,)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inside in value.items():
            yield from _leaves(inside, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and value:
        for inside in value:
            yield from _leaves(inside, path)
    elif path or not (value is None or isinstance(value, (dict, list, tuple))):  # else there is no body at all
        yield path, value
