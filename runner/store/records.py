"""What goes into the store and comes out of it: ids, codes, counts, times and sealed envelopes.

Every moment is an aware `datetime`; a cursor is the text that the far side wrote. Nothing in here holds a record's
data, other than a `Sealed`, which nobody can read without the vault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from runner.vault import Sealed

StartedBy = Literal["message", "success", "failure"]

WAITING = ("pending", "running")
NEEDS_PERSON = ("parked", "dead")
STATUSES = (*WAITING, *NEEDS_PERSON, "expired", "discarded", "refused", "succeeded")


@dataclass(frozen=True)
class NewMessage:
    """A message that was posted. `fingerprint` is keyed (`Vault.fingerprint`), `size` in bytes.

    `sealed` is the whole message, about `envelope/<id>`; it is kept only when no job wants the message.
    """

    id: str
    key_label: str
    fingerprint: str
    size: int
    sealed: Sealed | None = None


@dataclass(frozen=True)
class NewUnit:
    """What one job has to do for one subject; `sealed` is its initial state, about `envelope/<id>`.

    `subject` is keyed (`Vault.keyed`). Which message it belongs to follows from what it is given to.
    """

    id: str
    job: str
    subject: str | None
    sealed: Sealed
    started_by: StartedBy = "message"


@dataclass(frozen=True)
class Accepted:
    """What became of a message: its id (that of the first, when it is a duplicate), and how many units it is."""

    id: str
    matched: int
    duplicate: bool


@dataclass(frozen=True)
class Unit:
    """A unit that was claimed. `tries` counts this one; `since` is when the first of them could begin.

    `claims` tells this claim from later ones: only the last can settle the unit.
    """

    id: str
    message_id: str | None
    job: str
    subject: str | None
    started_by: StartedBy
    tries: int
    arrived: datetime
    since: datetime
    claims: int
    sealed: Sealed


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
class ItemRecord:
    """One record's outcome in a run; ids, codes and sentences of ours, never a value."""

    index: int
    outcome: str
    ids: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    message: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """One attempt at one job. `outcome` is succeeded, needs_person or failed; `counts` items by outcome.

    When it is kept, `counts` is made of the items, and those that changed nothing are counted but not kept. `version`
    is the commit of the project's files, `configuration` the hash of what the run was made of (runner/provenance.py),
    `steps` are the names of its operations with the seconds that each took, and `error_type` is the class of the error
    that ended it.
    """

    id: str
    job: str
    unit: str | None
    started: datetime
    ended: datetime
    outcome: str
    code: str | None = None
    items: Sequence[ItemRecord] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    version: str | None = None
    configuration: str | None = None
    steps: Sequence[tuple[str, float]] = ()
    error_type: str | None = None


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
    units: Sequence["UnitLine"] = ()
    records: Sequence["Parked"] = ()
    entries: Sequence[Entered] = ()

    def __bool__(self) -> bool:
        return any((self.items, self.units, self.records, self.entries))


@dataclass(frozen=True)
class Parked:
    """A record of a scheduled run that a person must settle; `id` is how commands name it."""

    job: str
    record_id: str
    ids: Mapping[str, Any]
    code: str | None
    message: str | None = None
    fix: str | None = None
    since: datetime | None = None

    @property
    def id(self) -> str:
        """The job and the record, `decisions/4f1c…`."""
        return f"{self.job}/{self.record_id}"


@dataclass(frozen=True)
class Missing:
    """What was found not to have been sent, as its job's operations name it in the ledger: `kind`, `key` and `value`.

    The job reads it again by `record`. It was `made` at that time, before which it can't have been sent.
    """

    job: str
    kind: str
    key: str
    record: str
    value: str = ""
    made: datetime | None = None
    ids: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """A key of the inbox: a salted hash, never the key itself."""

    id: str
    label: str
    salt: bytes
    digest: bytes
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True)
class Circuit:
    """A credential that isn't used until then, and why."""

    credential: str
    until: datetime
    code: str


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
class Sign:
    """What only a running service could see, such as a clock that jumped: how often, and when first and last."""

    code: str
    about: str
    why: str
    first: datetime
    last: datetime
    times: int


@dataclass(frozen=True)
class Told:
    """What a recipient of alerts was told is so. Of the same cause they hear again when it is graver, or has ended."""

    code: str
    about: str
    why: str
    severity: str
    step: int


@dataclass(frozen=True)
class Telling:
    """How far telling a recipient has come: when the last digest was due and the number of the last run in it, how many
    notices were `sent`, the tries that failed since, and when the next is `due`."""

    name: str
    digested: datetime
    counted: int
    sent: int = 0
    tries: int = 0
    due: datetime | None = None


@dataclass(frozen=True)
class Tally:
    """What the runs of one job with one outcome come to: how many, the seconds they took, and items by outcome."""

    job: str
    outcome: str
    runs: int = 0
    seconds: float = 0.0
    items: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SwitchedOff:
    """A schedule that a person has switched off: of which job, since when, and why."""

    job: str
    since: datetime
    reason: str


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
