"""What goes wrong in the engine itself, by the exit code of the command that meets it.

    RunnerError
    ├── WrongUse             2  the command can't be meant like this
    ├── UnreadableFile       2  a file that was named can't be read, or not be written
    ├── StoreError           2  the data directory can't be used
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

from collections.abc import Sequence
from typing import ClassVar


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


class JobFailed(RunnerError):
    """An operation raised, and the run ended there.

    `record` is what a failure job will find in `state["error"]`:
    `{"code", "type", "operation", "item", "fix", "retryable"}`.
    """

    code = "job_failed"
    exit_code = 1

    def __init__(self, message: str, *, fix: str | None, record: dict[str, object]) -> None:
        super().__init__(message, fix=fix)
        self.record = record


class Stopped(RunnerError, TimeoutError):
    """The run took too long, or was interrupted."""

    code = "stopped"
    exit_code = 5


def first_of(problems: Sequence[RunnerError]) -> RunnerError:
    """Make one error of several, to be raised: the first, which carries the others.

    >>> first_of([WrongUse("one"), WrongUse("two")]).others
    (WrongUse('two'),)
    """
    first, *others = problems
    first.others = tuple(others)
    return first
