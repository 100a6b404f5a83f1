"""What goes wrong in the engine itself, by the exit code of the command that meets it.

    RunnerError
    ├── WrongUse             2  the command can't be meant like this
    ├── UnreadableFile       2  a file that was named can't be read, or not be written
    ├── StoreError           2  the data directory can't be used
    │   ├── EpochRetired         sealed with a key that is about to be destroyed: seal it again
    │   ├── InUse                someone else is at this job, or at this directory
    │   ├── TakenOver            the unit isn't this worker's any more
    │   └── Unconfirmed          the database was lost: a change may have been kept
    ├── VaultError           3  a key of the vault is missing, wrong, or not kept safely
    ├── Invalid              3  what an implementer wrote is wrong
    │   ├── InvalidYaml
    │   ├── InvalidProject
    │   ├── InvalidCredential
    │   └── InvalidJob
    ├── JobFailed            1  an operation raised, and the run ended there
    └── Stopped              5  the run took too long, or was interrupted

What a record or a far side did wrong is told by the adaptors' errors, which the engine knows by their attributes only.
Messages hold names, ids and codes, never values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


class RunnerError(Exception):
    """The root of this tower's errors; `fix` is one sentence for the person who reads it.

    `others` are errors of the same sort that were found together with this one, so that a file is mended in one go.
    Where an operation meets one, through the ledger or the outbox, it is no fault of an item: `stops_run` ends the run.

    >>> WrongUse("there is no job x", fix="runner list shows the jobs.").fix
    'runner list shows the jobs.'
    """

    code: ClassVar[str] = "runner"
    exit_code: ClassVar[int] = 1
    stops_run: ClassVar[bool] = True

    def __init__(self, message: str, *, fix: str | None = None, others: Sequence["RunnerError"] = ()) -> None:
        super().__init__(message)
        self.fix = fix
        self.others = tuple(others)


class WrongUse(RunnerError, ValueError):
    """The command can't be meant like this."""

    code = "wrong_use"
    exit_code = 2


class UnreadableFile(RunnerError, OSError):
    """A file that was named can't be read or written, or holds something else."""

    code = "unreadable_file"
    exit_code = 2


class StoreError(RunnerError, OSError):
    """The data directory can't be used; nothing may be sent without it."""

    code = "store"
    exit_code = 2
    retryable: ClassVar[bool] = True


class EpochRetired(StoreError):
    """What is to be kept was sealed with a key that is about to be destroyed; sealing it again helps."""

    code = "epoch_retired"


class InUse(StoreError):
    """Someone else is at this job, or at this directory."""

    code = "in_use"


class TakenOver(StoreError):
    """The unit isn't this worker's any more: it was released, and perhaps begun again."""

    code = "taken_over"


class Unconfirmed(StoreError):
    """The database was lost while a change was committed, and can't be asked: it may have been kept.

    `transaction` is what to ask for later, `result` what the change gave.
    """

    code = "unconfirmed"

    def __init__(self, message: str, *, fix: str | None = None, transaction: str = "", result: Any = None) -> None:
        super().__init__(message, fix=fix)
        self.transaction = transaction
        self.result = result


class VaultError(RunnerError):
    """A key of the vault is missing, wrong, or not kept safely; nothing was touched."""

    code = "vault"
    exit_code = 3


class Invalid(RunnerError, ValueError):
    """Something that an implementer wrote is wrong."""

    code = "invalid"
    exit_code = 3


class InvalidYaml(Invalid):
    """A file is not YAML, or uses more of YAML than is read here."""


class InvalidProject(Invalid):
    """The project file is wrong."""


class InvalidCredential(Invalid):
    """A credential is wrong, or not kept safely."""


class InvalidJob(Invalid):
    """A job script is wrong."""


@dataclass(frozen=True)
class Cause:
    """Why a run or an item of it failed, as far as trying again goes.

    `item` are the ids of the item at hand, `outcome` what the error makes of it, `retry_after` the seconds that the far
    side named, `credential` the name of the one that was refused (401, 403), as the job calls it; `file` and `line` are
    where an error arose that nobody foresaw.
    """

    code: str
    type: str
    operation: str
    item: dict[str, str] = field(default_factory=dict)
    fix: str | None = None
    retryable: bool = True
    outcome: str = "failed"
    retry_after: float | None = None
    credential: str | None = None
    file: str | None = None
    line: int | None = None

    @classmethod
    def of_item(cls, record: Mapping[str, Any]) -> "Cause":
        """The cause that an item's record tells; an item that failed is tried again unless it says otherwise.

        >>> Cause.of_item({"code": "unreachable", "ids": {"case_id": "c-1"}, "retry_after": 60}).retry_after
        60
        """
        told = ("fix", "retryable", "retry_after", "credential", "file", "line")
        known = {name: record[name] for name in told if name in record}
        code, operation = str(record.get("code") or "failed"), str(record.get("operation") or "")
        return cls(code, str(record.get("type") or ""), operation, dict(record.get("ids") or {}), **known)

    @property
    def record(self) -> dict[str, Any]:
        """What a failure job finds in `state["error"]`."""
        told = ("code", "type", "operation", "item", "fix", "retryable")
        return {name: value for name, value in asdict(self).items() if name in told}


class JobFailed(RunnerError):
    """An operation raised, and the run ended there."""

    code = "job_failed"
    exit_code = 1

    def __init__(self, message: str, *, cause: Cause) -> None:
        super().__init__(message, fix=cause.fix)
        self.cause = cause


class Stopped(RunnerError, TimeoutError):
    """The run took too long, or was interrupted."""

    code = "stopped"
    exit_code = 5
    retryable: ClassVar[bool] = True


def first_of(problems: Sequence[RunnerError]) -> RunnerError:
    """Make one error of several, to be raised: the first, which carries the others.

    >>> first_of([WrongUse("one"), WrongUse("two")]).others
    (WrongUse('two'),)
    """
    first, *others = problems
    first.others = tuple(others)
    return first


def is_made_to_be_shown(error: BaseException) -> bool:
    """Whether an error carries a `code` and a `fix`, as only those do whose text holds no data (H41).

    >>> is_made_to_be_shown(WrongUse("there is no job x")), is_made_to_be_shown(ValueError("Nyaruot"))
    (True, False)
    """
    return isinstance(getattr(error, "code", None), str) and hasattr(error, "fix")
