"""What became of a run: its items, its operations, and the error that ended it, if one did."""

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from runner.errors import Cause, JobFailed, RunnerError, is_made_to_be_shown
from runner.jobscript import JobScript, place_in
from runner.statefile import State

NEEDS_A_LOOK = ("refused", "parked", "failed")
_ITEM_KEYS = ("outcome", "code", "message", "fix")
# An id, or several after each other. A word without a digit may be somebody's name, whoever called it an id (H41); only
# a `kind` is a word.
_IDS = re.compile(r"(?=.*[0-9])[A-Za-z0-9_.:/#-]{1,80}( [A-Za-z0-9_.:/#-]{1,80})*", re.ASCII)
_KEY_OF_MARKS = secrets.token_bytes(32)
_KIND = re.compile(r"[a-z_]{1,30}", re.ASCII)


@dataclass(frozen=True)
class Run:
    """One attempt at one job. `items` and `operations` are as in the JSON report.

    `printed` is the number of lines that the job itself printed, and that were dropped. The state holds records, so it
    shows in no `repr` (R-ER9).
    """

    job: str
    state: State = field(repr=False)
    items: Sequence[dict[str, Any]]
    operations: tuple[dict[str, Any], ...]
    error: RunnerError | None = None
    printed: int = 0

    @cached_property
    def counts(self) -> Counter[str]:
        """How many items had each outcome, in the order in which these came up."""
        return Counter(item["outcome"] for item in self.items)

    @property
    def outcome(self) -> str:
        """`succeeded`, `needs_person` (an item is parked) or `failed` (an item is to be tried again, or it raised)."""
        if self.error or self.counts["failed"]:
            return "failed"
        return "needs_person" if self.counts["parked"] else "succeeded"

    @cached_property
    def causes(self) -> list[Cause]:
        """Why it failed: that of the error that ended the run first, then those of its failed items."""
        items = [Cause.of_item(record) for record in self.state.get("outcomes", ()) if record["outcome"] == "failed"]
        if self.error is None:
            return items
        stopped = Cause(self.error.code, type(self.error).__name__, "", fix=self.error.fix)
        return [self.error.cause if isinstance(self.error, JobFailed) else stopped, *items]

    @property
    def code(self) -> str | None:
        """Why it needs a look, in a word: that of the first cause, else that of the first item that is parked."""
        parked = (item["code"] for item in self.items if item["outcome"] == "parked")
        return self.causes[0].code if self.causes else next(parked, None)

    @property
    def error_type(self) -> str | None:
        """The class of the error that ended it, or of the first item that failed."""
        return self.causes[0].type or None if self.causes else None

    @property
    def exit_code(self) -> int:
        """0, or 4 when an item needs a look, or that of the error that ended the run."""
        if self.error:
            return self.error.exit_code
        return 4 if any(self.counts[outcome] for outcome in NEEDS_A_LOOK) else 0

    @property
    def cursor(self) -> str | None:
        """How far the next run may rely on this one; None when something is to be read again (H3)."""
        return None if self.outcome == "failed" else self.state.get("cursor")


class View(Sequence[dict[str, Any]]):
    """Records of items as `told(index, record)` gives them, made anew at every look, so that none is held twice.

    >>> [item["outcome"] for item in View([{"outcome": "done"}], lambda index, record: record)]
    ['done']
    """

    def __init__(
        self, records: Sequence[dict[str, Any]], told: Callable[[int, dict[str, Any]], dict[str, Any]]
    ) -> None:
        self._records = records
        self._told = told

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self._told(index, record) for index, record in enumerate(self._records))

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return list(self)[place]
        return self._told(range(len(self))[place], self._records[place])


def settle(
    job: JobScript, state: State, operations: list[dict[str, Any]], error: RunnerError | None = None, printed: int = 0
) -> Run:
    """Sum up a run that has ended; `errors` in its state are the items that need a look.

    >>> from pathlib import Path
    >>> settle(JobScript("greet", Path("greet.py"), "", ()), {"outcomes": [{"outcome": "parked"}]}, []).outcome
    'needs_person'
    """
    found = View(state.get("outcomes", ()), _without_names)
    items = View(found, _item)
    state = {**state, "outcomes": found, "errors": [item for item in items if item["outcome"] in NEEDS_A_LOOK]}
    if isinstance(error, JobFailed):
        state["error"] = error.cause.record
    return Run(job.name, state, items, tuple(operations), error, printed)


def failure(job: JobScript, number: int, operation: str, state: State, error: BaseException) -> JobFailed:
    """What to say of an error that ended a run: job, operation, type, message and fix.

    Of an error that isn't made to be shown, its type and its place must do.
    """
    kind, foreseen = type(error).__name__, is_made_to_be_shown(error)
    file, line = (None, None) if foreseen else place_in(job.path, error)
    why = f"{kind}: {error}" if foreseen else f"{kind} in {file}, line {line}"
    settled = len(state.get("outcomes", ()))
    after = f", after {settled} item{'s' if settled > 1 else ''}" if settled else ""
    cause = Cause(
        code=getattr(error, "code", "") if foreseen else "unforeseen",
        type=kind,
        operation=operation,
        item=_ids(state.get("item", {}).get("ids")),
        fix=getattr(error, "fix", None) or f"Look at {operation} in {job.path.name}.",
        retryable=bool(getattr(error, "retryable", False)),
        outcome=getattr(error, "outcome", "failed"),
        retry_after=getattr(error, "retry_after", None),
        credential=getattr(error, "credential", None),
        file=file,
        line=line,
    )
    return JobFailed(f"{job.name}, operation {number} ({operation}){after}: {why}", cause=cause)


def _without_names(_index: int, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "ids": _ids(record.get("ids"))}


def _item(index: int, record: dict[str, Any]) -> dict[str, Any]:
    told = {key: record.get(key) for key in _ITEM_KEYS}
    item = {"index": index, "outcome": told.pop("outcome"), "ids": record["ids"], **told}
    return {**item, "differs": record["differs"]} if record.get("differs") else item


def _ids(ids: Mapping[str, Any] | None) -> dict[str, str]:
    """The ids of an item as they may be told."""
    known = {name: str(value) for name, value in (ids or {}).items()}
    forms = {name: _KIND if name == "kind" else _IDS for name in known}
    return {name: told if forms[name].fullmatch(told) else _untold(told) for name, told in known.items()}


def _untold(name: str) -> str:
    """What stands for that which doesn't look like an id: its length, and a mark that keeps two such records apart,
    since they are parked and settled by it. Nobody can try names until the mark fits: its key dies with the process."""
    mark = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4, key=_KEY_OF_MARKS).hexdigest()
    return f"({len(name)}-characters-{mark})"
