"""What listings, searches and receipts tell of what is kept: ids, codes, counts and times, never what is sealed.

Every moment is an aware `datetime`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from runner.store.records import ItemRecord, Parked, RunRecord, StartedBy


@dataclass(frozen=True)
class UnitLine:
    """A unit as `inbox list` shows it; `error` is the last one: `{code, type, operation, item, fix, retryable}`."""

    id: str
    message_id: str | None
    job: str
    started_by: StartedBy
    status: str
    tries: int
    arrived: datetime
    due: datetime
    code: str | None
    error: Mapping[str, Any] | None
    expires: datetime | None
    settled: datetime | None


@dataclass(frozen=True)
class WaitingLine:
    """A unit that waits, beside the message that it is of, if it is of one: whose key that bore, and its bytes."""

    id: str
    job: str
    message_id: str | None
    key_label: str | None
    size: int | None
    arrived: datetime
    tries: int
    due: datetime
    code: str | None


@dataclass(frozen=True)
class MessageLine:
    """A message as `inbox list` shows it. `status` is quarantined, or that of the unit that is least settled."""

    id: str
    key_label: str
    size: int
    matched: int
    status: str
    duplicates: int
    arrived: datetime
    expires: datetime | None


@dataclass(frozen=True)
class Found:
    """An item, and the run that it is of, without its other items."""

    run: RunRecord
    item: ItemRecord


@dataclass(frozen=True)
class Entered:
    """What the ledger knows of a sending: its kind, how far it got, and since when it stands there."""

    kind: str
    status: str
    updated: datetime


@dataclass(frozen=True)
class Known:
    """All that is known of an id: items of runs, units of work, parked records, and entries of the ledger; of each the
    newest first."""

    items: Sequence[Found] = ()
    units: Sequence[UnitLine] = ()
    records: Sequence[Parked] = ()
    entries: Sequence[Entered] = ()

    def __bool__(self) -> bool:
        return any((self.items, self.units, self.records, self.entries))


@dataclass(frozen=True)
class Unsettled:
    """How much of a job isn't settled, for one reason. `kind` is waiting, parked or dead for units, record for parked
    records of scheduled runs, answers or held for those to a system (in the place of a job), quarantined for messages;
    `since` is that of the oldest, `expires` when the first payload is erased; `ids` are those of the newest units."""

    kind: str
    job: str
    code: str
    count: int
    since: datetime | None
    expires: datetime | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """What the runs of one job with one outcome come to: how many, the seconds they took, and items by outcome."""

    job: str
    outcome: str
    runs: int = 0
    seconds: float = 0.0
    items: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DayCount:
    """How many runs of a job, or items of them (`kind` is run or item), came to an outcome on a day of UTC."""

    day: date
    job: str
    kind: str
    outcome: str
    count: int


@dataclass(frozen=True)
class Receipt:
    """An envelope that was erased: whose, why, when it was accepted and erased, and when its bytes were seen gone."""

    holder: str
    message_id: str | None
    reason: str
    accepted: datetime
    erased: datetime
    verified: datetime | None


@dataclass(frozen=True)
class AuditLine:
    """An entry of the audit log as `audit show` shows it; `time` is the text that was written, `hash` binds it."""

    number: int
    time: str
    event: str
    who: str
    about: Mapping[str, Any]
    hash: str


@dataclass(frozen=True)
class Erased:
    """What was erased about a person, or restored: how many payloads, parked records, waiting answers, rows of the
    ledger, and items of runs."""

    payloads: int = 0
    records: int = 0
    answers: int = 0
    ledger: int = 0
    items: int = 0


@dataclass(frozen=True)
class Counts:
    """How much there is: units by status, the same by job; then what waits beside them; since when the oldest waits."""

    units: Mapping[str, int]
    jobs: Mapping[str, Mapping[str, int]]
    quarantined: int
    parked: int
    outbox: int
    oldest: datetime | None
