"""What becomes of a unit of work after a run (engine.md, "When a run has succeeded")."""

import random
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from runner.errors import Cause
from runner.outcome import Run
from runner.work.retry import RetryTable

_NOT_TRIED_AGAIN = ("refused", "withheld")
_TRIED_ENOUGH = "It was tried as long as agreed: retry it when its cause is mended, or discard it."


@dataclass(frozen=True)
class Verdict:
    """What becomes of a unit of work; `due` is when it is tried again, `cause` why it is, or why it was given up."""

    kind: Literal["succeeded", "again", "parked", "given_up"]
    due: datetime | None = None
    cause: Cause | None = None


def on_unit(
    run: Run,
    table: RetryTable,
    *,
    tries: int,
    arrived: datetime,
    now: datetime,
    chance: random.Random,
    endless: bool = False,
) -> Verdict:
    """What becomes of a unit after its run.

    >>> ended = Run("sort", {"outcomes": []}, (), ())
    >>> noon = datetime(2026, 3, 1, 12)
    >>> on_unit(ended, RetryTable(), tries=1, arrived=noon, now=noon, chance=random.Random(1)).kind
    'succeeded'
    """
    if run.outcome == "succeeded":
        return Verdict("succeeded")
    causes = run.causes
    if run.outcome == "needs_person" or (run.error and causes[0].outcome == "parked"):
        return Verdict("parked", cause=causes[0] if causes else None)
    if run.error and causes[0].outcome in _NOT_TRIED_AGAIN:
        return Verdict("given_up", cause=causes[0])
    due = table.next_try(causes, tries=tries, arrived=arrived, now=now, chance=chance, endless=endless)
    return Verdict("again", due, causes[0]) if due else Verdict("given_up", cause=_last(causes[0]))


def _last(cause: Cause) -> Cause:
    """The cause of a last try: what could be tried again would say that it will be."""
    return replace(cause, fix=_TRIED_ENOUGH) if cause.retryable else cause
