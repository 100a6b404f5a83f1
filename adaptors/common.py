"""The vocabulary that job scripts are written in.

Values, for mappings: `data_value`, `source_value`, `derive`, `lookup`, `date`, `age`, `text`, `join`, `free_text`.
Operations, for the list `operations`: `each`, `fn`, `fn_if`, `combine`, `map_values`, `merge`, `save_as`, `require`,
`assert_that`, `log_ids`, `note`, `cursor`, `once`, `deliver`. `fields_read` tells what a mapping reads.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

from adaptors.errors import InvalidData, JobError, MissingFields
from adaptors.freetext import free_text
from adaptors.items import each
from adaptors.operations import Operation, call, check_operations, check_own_name, name_of, tell
from adaptors.outbox import deliver
from adaptors.promises import ANYTHING, State, check_mapping, data_value, derive, given, reads_of, resolve, source_value
from adaptors.sending import once
from adaptors.values import age, date, join, lookup, text

__all__ = [
    "age", "assert_that", "combine", "cursor", "data_value", "date", "deliver", "derive", "each", "fields_read", "fn",
    "fn_if", "free_text", "join", "log_ids", "lookup", "map_values", "merge", "note", "once", "require", "save_as",
    "source_value", "text",
]  # fmt: skip

_ID = re.compile(r"[A-Za-z0-9_.:/#@-]{1,80}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d))?", re.ASCII)


def fn(function: Callable[[State], State], *, reads: Sequence[str] | None = None) -> Operation:
    """Make an operation of any function that takes the state and returns it.

    `reads` names the fields of `data` that the function reads. Where it is not given, that may be any, and `each` must
    hand over its records whole.

    >>> def older(state):
    ...     state["data"]["age"] += 1
    ...     return state
    >>> fn(older)({"data": {"age": 9}})["data"]
    {'age': 10}
    """
    if isinstance(function, Operation):
        return function
    check_operations((function,), "fn")
    paths = ANYTHING if reads is None else reads_of([data_value(path) for path in reads])
    return Operation(name_of(function), lambda state: call(function, state), reads=paths)


def fn_if(condition: Any, operation: Callable[[State], State]) -> Operation:
    """Run the operation only when the condition (a value, a promise or a function of state) holds.

    >>> fn_if(data_value("urgent"), lambda state: {**state, "told": True})({"data": {"urgent": False}})
    {'data': {'urgent': False}}
    """
    check_operations((operation,), "fn_if")
    return Operation(
        f"fn_if({name_of(operation)})",
        lambda state: call(operation, state) if given(condition, state) else state,
        reads=reads_of(condition),
        steps=[operation],
    )


def combine(*operations: Callable[[State], State]) -> Operation:
    """Make one operation of several, run in order.

    >>> combine(map_values({"a": 1}), merge({"b": 2}))({})["data"]
    {'a': 1, 'b': 2}
    """
    check_operations(operations, "combine")

    def run(state: State) -> State:
        for operation in operations:
            state = call(operation, state)
        return state

    return Operation("combine", run, reads=frozenset(), steps=operations)


def map_values(mapping: dict[str, Any]) -> Operation:
    """Make `data` what the mapping says: target field → constant, promise, look-up or derive.

    >>> map_values({"name": data_value("name_first"), "status": "open"})({"data": {"name_first": "Nyaruot"}})["data"]
    {'name': 'Nyaruot', 'status': 'open'}
    """
    check_mapping(mapping)
    return Operation("map_values", lambda state: {**state, "data": resolve(mapping, state)}, reads=reads_of(mapping))


def merge(mapping: dict[str, Any]) -> Operation:
    """Add to `data` what the mapping says; what is there under the same name is replaced.

    >>> merge({"age": 9})({"data": {"sex": "female"}})["data"]
    {'sex': 'female', 'age': 9}
    """
    check_mapping(mapping)
    return Operation(
        "merge", lambda state: {**state, "data": {**(state.get("data") or {}), **resolve(mapping, state)}},
        reads=reads_of(mapping),
    )  # fmt: skip


def save_as(name: str, operation: Callable[[State], State]) -> Operation:
    """Run the operation and keep its `data` under a name of its own; `data` itself stays as it was.

    A name that belongs to the engine is JobError.

    >>> save_as("doubled", lambda state: {**state, "data": state["data"] * 2})({"data": 2})
    {'data': 2, 'doubled': 4}
    """
    check_operations((operation,), "save_as")
    check_own_name(name, "save_as")

    def run(state: State) -> State:
        after = call(operation, state)
        return {**after, "data": state.get("data"), name: after.get("data")}

    return Operation(f'save_as("{name}", {name_of(operation)})', run, reads=frozenset(), steps=[operation])


def require(*paths: str) -> Operation:
    """Refuse a record in which any of these is absent, null, or empty; the error lists all that are missing.

    >>> require("sex", "name_first")({"data": {"sex": " "}})
    Traceback (most recent call last):
    ...
    adaptors.errors.MissingFields: missing: sex, name_first
    """
    promises = {path: data_value(path) for path in paths}

    def run(state: State) -> State:
        missing = [path for path, promise in promises.items() if _is_empty(resolve(promise, state))]
        if missing:
            raise MissingFields(
                f"missing: {', '.join(missing)}", fix="Ask the sender to fill these fields.", fields=tuple(missing)
            )
        return state

    return Operation("require", run, reads=reads_of(list(promises.values())), requires=paths)


def assert_that(condition: Any, otherwise: str, *, code: str = InvalidData.code, fix: str | None = None) -> Operation:
    """Refuse a record for which the condition (a promise or a function of state) doesn't hold.

    `otherwise` is the sentence that says why; it must hold no data.

    >>> assert_that(data_value("consent"), "no consent", code="no_consent")({"data": {"consent": True}})
    {'data': {'consent': True}}
    """

    def run(state: State) -> State:
        if not given(condition, state):
            raise InvalidData(
                otherwise, code=code, fix=fix or "Correct the record, or the condition in the job script."
            )
        return state

    return Operation("assert_that", run, reads=reads_of(condition))


def log_ids(**ids: Any) -> Operation:
    """Name the ids by which this item is known in reports, such as `case_id` or `intervention`.

    Only what looks like an id is kept; anything else is told by its length, since it may be somebody's name.

    >>> log_ids(case_id=data_value("case_id"))({"data": {"case_id": "c-1"}, "item": {"ids": {}}})["item"]
    {'ids': {'case_id': 'c-1'}}
    """

    def run(state: State) -> State:
        known = state.setdefault("item", {}).setdefault("ids", {})
        for name, value in ids.items():
            found = given(value, state)
            if found not in (None, ""):
                shown = str(found) if isinstance(found, (str, int)) else type(found).__name__
                known[name] = shown if _ID.fullmatch(shown) else f"({len(shown)} characters)"
        return state

    return Operation("log_ids", run, reads=reads_of(list(ids.values())))


def note(sentence: str) -> Operation:
    """Say something of this item in the run's report, such as that a default was used. The sentence holds no data.

    >>> note("the administrator's contact was sent")({"item": {}})["item"]["message"]
    "the administrator's contact was sent"
    """

    def run(state: State) -> State:
        tell(state, sentence)
        return state

    return Operation("note", run, reads=frozenset())


def cursor(*, overlap_minutes: int = 10) -> Operation:
    """Fix where this run starts reading: `state["since"]` is the cursor less an overlap (H2).

    The cursor is the newest time stamp that an earlier run read and settled, as the server stamped it. Without one
    there is no start: JobError, since a date in code would one day send years of referrals (H6).

    >>> cursor()({"cursor": "2026-03-01T10:00:00Z"})["since"]
    '2026-03-01T09:50:00Z'
    """

    def run(state: State) -> State:
        newest = state.get("cursor")
        if not newest:
            raise JobError(
                "this job has no cursor yet, so it doesn't know where to start reading",
                code="no_cursor",
                fix="Run it once with --since TIME --move-cursor, TIME being the day on which the exchange began.",
            )
        try:
            moment = datetime.datetime.fromisoformat(newest if _STAMP.fullmatch(newest) else "")
        except (TypeError, ValueError):
            raise JobError(
                "the cursor is no time stamp", fix="Give --since TIME such as 2026-03-01T00:00:00Z."
            ) from None
        moment = moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
        since = moment - datetime.timedelta(minutes=overlap_minutes)
        return {**state, "since": since.strftime("%Y-%m-%dT%H:%M:%SZ")}

    return Operation("cursor", run, reads=frozenset({"cursor"}))


def fields_read(mapping: Any, under: str, *, subform: str | None = None) -> list[str]:
    """The names of the fields that a mapping reads from the record saved under a name, sorted.

    For the `fields=` of a read, so that nothing is asked for that is not mapped. Where the record is an entry of a
    subform, the names are those of its columns.

    >>> fields_read({"sex": lookup({"f": "female"}, data_value("case.sex")), "n": data_value("user.n")}, "case")
    ['sex']
    >>> fields_read({"kind": data_value("service.service_type")}, "service", subform="services_section")
    ['services_section.service_type']
    """
    start = re.compile(rf"(?:data\.)?{re.escape(under)}\.([^.\[]+)")
    names = {match[1] for path in reads_of(mapping) if (match := start.match(path.removeprefix("$.")))}
    return sorted(f"{subform}.{name}" if subform else name for name in names)


def _is_empty(value: Any) -> bool:
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())
