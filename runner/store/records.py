"""What goes into the store and comes out of it: ids, codes, counts, times and sealed envelopes.

Every moment is an aware `datetime`; a cursor is the text that the far side wrote. Nothing in here holds a record's
data, other than a `Sealed`, which nobody can read without the vault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
class SwitchedOff:
    """A schedule that a person has switched off: of which job, since when, and why."""

    job: str
    since: datetime
    reason: str
