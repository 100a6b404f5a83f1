"""`each`: one record at a time, each with its own outcome."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from traceback import extract_tb
from typing import Any

from adaptors.agreed import fields_in, keep
from adaptors.errors import AdaptorError, JobError
from adaptors.operations import Operation, call, check_operations, check_own_name, name_of
from adaptors.paths import check_path, find_all
from adaptors.promises import Promise, State, given, reads_of
from adaptors.runtime import runtime_of

GOOD = ("done", "unchanged", "withheld")


def new_item() -> dict[str, Any]:
    """The record of an item to which nothing has happened yet."""
    empty = {"code": None, "message": None, "fix": None, "operation": None}
    return {"outcome": "done", "ids": {}, **empty, "differs": [], "entered": False}


def each(
    source: Any,
    *operations: Callable[[State], State],
    workers: int = 1,
    when_refused: Sequence[Callable[[State], State]] = (),
    collect: str | None = None,
) -> Operation:
    """Run the operations for every record of `source`, each on a shallow copy of the state with it as `data`.

    `source` is a JSONPath from `$`, a list or other iterable, a promise, an operation that reads (`get_cases(…)`, whose
    pages stream), or a function of state. Every record gets an outcome of its own and never stops the others;
    `workers` of them run at a time, with results in order. `when_refused` are the operations that tell the sender of
    a record that was refused: they find why in `state["error"]`. Where nobody is told, such a record is parked.
    `collect` saves the records, as the operations left them, in a list under that name. A record that an inner `each`
    has entered is counted by what that found in it.

    Where all operations tell what they read, they get a record with those fields only (R-LP3); `fn(function)` without
    `reads=` and `collect` need it whole.

    >>> state = each([1, 2], lambda state: {**state, "data": state["data"] * 10}, collect="tens")({})
    >>> state["tens"], [item["outcome"] for item in state["outcomes"]]
    ([10, 20], ['done', 'done'])
    """
    if isinstance(source, str):
        _check_source(source)
    check_operations(operations, "each")
    check_operations(tuple(when_refused), "when_refused")
    if collect:
        check_own_name(collect, "collect")
    steps = (*operations, *when_refused)
    fields = None if collect else fields_in(reads_of(steps))

    def run_one(outer: State, record: Any) -> State:
        inner: list[dict[str, Any]] = []
        if fields is not None and isinstance(record, dict):
            record = keep(record, fields)
        state = {**outer, "data": record, "item": new_item(), "outcomes": inner}
        return _run_operations(state, operations, when_refused)

    def run(state: State) -> State:
        runtime_of(state)  # made here, so that all items share it
        if "item" in state:
            state["item"]["entered"] = True
        outer = {**state, "outcomes": state.get("outcomes", []), "errors": state.get("errors", [])}
        collected = []
        for after in _in_order(outer, run_one, _records(source, outer), workers):
            item = after["item"]
            outer["outcomes"] += after["outcomes"]
            if not (item["entered"] and item["outcome"] in GOOD):
                outer["outcomes"].append(item)
            if collect and after["item"]["outcome"] in GOOD:
                collected.append(after["data"])
        return {**outer, collect: collected} if collect else outer

    if isinstance(source, str):
        asks = sorted(fields) if fields is not None else ["$"]
        return Operation("each", run, reads=frozenset({source}), steps=steps, asks=asks)
    within = [source] if isinstance(source, Operation) else []
    return Operation("each", run, reads=reads_of(source), steps=[*within, *steps])


def settle(item: dict[str, Any], error: Exception, operation: str, told: bool) -> None:
    """Write what went wrong into an item's record: ids, codes and names, never a value.

    An error that is not one of ours may hold data in its text, so only its type and place are told.
    """
    item |= {"operation": operation, "type": type(error).__name__, "retryable": getattr(error, "retryable", False)}
    item |= {name: getattr(error, name) for name in ("retry_after", "credential") if getattr(error, name, None)}
    if not isinstance(error, AdaptorError):
        file, line = _place(error)
        item.update(outcome="failed", code="unforeseen", file=file, line=line)
        item["message"] = f"{type(error).__name__} in {file}, line {line}"
        item["fix"] = f"Look at {operation} in the job script: it doesn't expect such a record."
        return
    outcome = "parked" if error.outcome == "refused" and not told else error.outcome
    item.update(outcome=outcome, code=error.code, message=str(error), fix=error.fix)
    item["ids"].update(error.ids)


def error_record(item: dict[str, Any], error: Exception) -> dict[str, Any]:
    """What `when_refused` finds in `state["error"]`; the same keys as a failure job gets, and the ids known so far."""
    return {
        "code": item["code"],
        "type": type(error).__name__,
        "operation": item["operation"],
        "item": item["ids"],
        "fix": item["fix"],
        "retryable": bool(getattr(error, "retryable", False)),
        "fields": list(getattr(error, "fields", ())),
        "ids": dict(getattr(error, "ids", {})),
    }


def _run_operations(
    state: State, operations: Sequence[Callable[[State], State]], when_refused: Sequence[Callable[[State], State]]
) -> State:
    item, step = state["item"], None
    try:
        for step in operations:
            state = call(step, state)
        return state
    except Exception as error:
        if getattr(error, "stops_run", False):
            raise
        refused, why = item["outcome"] == "refused", item["message"]
        settle(item, error, name_of(step), told=bool(when_refused))
        if refused:
            item["message"] = f"{why}; and nobody could be told: {item['message']}"
        if item["outcome"] != "refused" or not when_refused:
            return state
        return _run_operations({**state, "error": error_record(item, error)}, when_refused, ())


def _in_order(
    outer: State, run_one: Callable[[State, Any], State], records: Iterable[Any], workers: int
) -> Iterator[State]:
    """Results in the order of the records, at most twice `workers` of them under way, so that pages can stream."""
    if workers <= 1:
        for record in records:
            yield run_one(outer, record)
        return
    pool, waiting = runtime_of(outer).pool(workers), deque()  # type: ignore[var-annotated]
    try:
        for record in records:
            waiting.append(pool.submit(run_one, outer, record))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _records(source: Any, state: State) -> Iterable[Any]:
    if isinstance(source, str):
        return find_all(source, state)
    if isinstance(source, Operation):
        if source.stream is None:
            raise JobError(
                f"each() can't go through {source.__name__}: it is not an operation that reads records",
                fix='Let it run before, and write each("$.data[*]", …).',
            )
        return source.stream(state)
    records = given(source, state) if callable(source) or isinstance(source, Promise) else source
    if records is None:
        return ()
    if isinstance(records, (str, dict)) or not isinstance(records, Iterable):
        raise JobError(
            f"each() got a {type(records).__name__} where a list belongs",
            fix="Give it a JSONPath with [*] at its end, or a function that returns a list.",
        )
    return records


def _check_source(source: str) -> None:
    if not source.startswith("$"):
        raise JobError(
            f'each() got the text "{source}"', fix='A path begins with $, such as "$.data.interventions[*]".'
        )
    check_path(source)


def _place(error: Exception) -> tuple[str, int | None]:
    frames = extract_tb(error.__traceback__)
    here = Path(__file__).parent
    frame = next((frame for frame in reversed(frames) if Path(frame.filename).parent != here), frames[-1])
    return Path(frame.filename).name, frame.lineno
