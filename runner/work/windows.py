"""What becomes of the records that a scheduled run has read: its window (engine.md, "When a run has succeeded")."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from runner.errors import Cause
from runner.outcome import Run
from runner.project import Job
from runner.store import Parked
from runner.work.retry import RetryTable


@dataclass(frozen=True)
class Window:
    """What becomes of what a scheduled run has read. `cursor` is None when it must not move (H3); `parked` are items,
    each under its record's id; `tries` counts those that will be tried again; `settled` are the records that need
    neither another try nor a person."""

    cursor: str | None
    parked: dict[str, dict[str, Any]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()


def window_of(
    run: Run,
    table: RetryTable,
    *,
    tries: Mapping[str, int],
    parked: Mapping[str, str | None] = MappingProxyType({}),
    revisited: Collection[str] = (),
) -> Window:
    """What becomes of the records of a scheduled run.

    `tries` were counted before, `parked` were parked before, by their codes, `revisited` were released by a person and
    read again.

    A try counts when others got through in the same run: while a far side is away for all, no record is at fault, and
    after ten days they all go out by themselves. A mistake in the job script always counts. The cursor stands still
    for what is tried again, so that a whole run reads it; where it finds nothing to do any more, that is settled.

    >>> item = {"outcome": "parked", "ids": {"id": "c-1"}, "code": "no_service"}
    >>> list(window_of(Run("sort", {"outcomes": [item]}, (item,), ()), RetryTable(), tries={}).parked)
    ['c-1']
    """
    got_through = run.counts["done"] > 0
    to_park = {record_of(item): item for item in run.items if item["outcome"] == "parked"}
    again: dict[str, int] = {}
    for item, record in zip(run.items, run.state.get("outcomes", ()), strict=True):
        if item["outcome"] == "failed":
            name, cause = record_of(item), Cause.of_item(record)
            count = tries.get(name, 0) + (1 if got_through or not cause.retryable else 0)
            if count >= table.tries_of_item(cause) or parked.get(name) == cause.code:
                to_park[name] = item
            else:
                again[name] = max(count, again.get(name, 0))
    to_park = {name: item for name, item in to_park.items() if name not in again}
    if run.error:
        # What the run didn't come to is as it was.
        again = {**tries, **again}
    seen = {record_of(item) for item in run.items} | (set() if run.error else {*revisited, *tries})
    cursor = None if run.error or again else run.state.get("cursor")
    return Window(cursor, to_park, again, frozenset(seen - to_park.keys() - again.keys()))


def parked_records(job: Job, window: Window) -> list[Parked]:
    """The parked records of a job's window, as the store keeps them."""
    return [
        Parked(job.name, name, item["ids"] or {}, item["code"], item["message"], item["fix"])
        for name, item in window.parked.items()
    ]


def record_of(item: Mapping[str, Any]) -> str:
    """By which id a record is known when it is parked and released: its `id`, else all that is known of it.

    >>> record_of({"ids": {"id": "c-1", "referral": "r-1"}}), record_of({"ids": {"call": "7"}})
    ('c-1', 'call=7')
    """
    ids = item.get("ids") or {}
    return str(ids.get("id") or " ".join(f"{name}={value}" for name, value in ids.items()))


def is_id(name: str) -> bool:
    """Whether a record's name is its `id`, so that its job can be told to read it again.

    >>> is_id("c-1"), is_id("call=7"), is_id("(7-characters-1b2c3d4e)"), is_id("")
    (True, False, False, False)
    """
    return bool(name) and "=" not in name and not name.startswith("(")
