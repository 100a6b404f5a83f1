"""What can go wrong, told apart by type.

    AdaptorError
    ├── JobError              the job script is wrong: mend it
    │   └── PromiseError      a promise was used as if it were its value
    ├── BadInput              the record is wrong or ambiguous: it is not guessed
    │   ├── MissingFields
    │   ├── InvalidData
    │   ├── MappingError      a table has no such key
    │   └── Ambiguous         more than one answers the description
    ├── Withheld              consent or agreement says no
    ├── Parked                a person must settle it
    └── FarSideError          what another system did
        ├── Rejected          it read the request and refused it
        ├── NotFound
        ├── NotAllowed        401, 403
        ├── Unreachable       no connection, 429, 5xx: to be tried again
        │   └── TimedOut
        └── Untrustworthy     it answered something else than was asked: the run stops

Each error carries what the engine and the sender need: `code` (a word for tables and tests), `fix` (one sentence for
the implementer), `outcome` (what becomes of the item), `retryable`, `unknown` (what was sent may have taken effect),
`stops_run`, the `ids` and names of `fields` it is about. Messages hold names of fields, ids and codes, never values.
"""

from typing import Any, ClassVar


class AdaptorError(Exception):
    """The root of this tower's errors.

    Example: `raise InvalidData("date_of_birth is not a date", fix="Ask UNHCR to correct it.", ids={"case_id": "…"})`
    """

    code: str = "error"
    outcome: ClassVar[str] = "failed"
    retryable: ClassVar[bool] = False
    stops_run: bool = False

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        code: str | None = None,
        ids: dict[str, Any] | None = None,
        fields: tuple[str, ...] = (),
        unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.fix = fix
        self.code = code or type(self).code
        self.ids = ids or {}
        self.fields = fields
        self.unknown = unknown


class JobError(AdaptorError, TypeError):
    """The job script is wrong; no record can be right until it is mended."""

    code = "job_script"


class PromiseError(JobError):
    """A promise (`data_value("…")`) was used as if it were the value itself."""

    code = "promise_misused"


class BadInput(AdaptorError, ValueError):
    """The record is wrong or ambiguous. Refused where somebody is told (`when_refused`), parked elsewhere."""

    code = "bad_input"
    outcome = "refused"


class MissingFields(BadInput):
    """Required fields are absent, null or empty; the message lists their names."""

    code = "missing_fields"


class InvalidData(BadInput):
    """A field holds what it cannot hold: no real date, an object where text belongs."""

    code = "invalid_data"


class MappingError(BadInput):
    """A closed table has no such key."""

    code = "unknown_code"


class Ambiguous(BadInput):
    """More than one record answers the description; `ids` lists them."""

    code = "ambiguous"


class Withheld(AdaptorError):
    """Consent or agreement says no: nothing is sent, and that is the right result."""

    code = "withheld"
    outcome = "withheld"


class Parked(AdaptorError):
    """A person must settle it; it holds nobody else up."""

    code = "parked"
    outcome = "parked"


class FarSideError(AdaptorError):
    """What another system did. `status` is its HTTP status, where there was one."""

    code = "far_side"

    def __init__(self, message: str, *, status: int | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.status = status


class Rejected(FarSideError):
    """The request was read and refused (400, 409, 413, 414, 422, or an error inside a 200)."""

    code = "rejected"
    outcome = "refused"


class NotFound(FarSideError, LookupError):
    """There is no such record, or it cannot be seen."""

    code = "not_found"
    outcome = "parked"


class NotAllowed(FarSideError, PermissionError):
    """401 or 403. After a 401 the run stops: Primero locks an account at the sixth wrong password."""

    code = "not_allowed"
    retryable = True
    credential: str | None = None  # the name of the one that was refused


class Unreachable(FarSideError, ConnectionError):
    """No connection, too many requests, or the server failed: to be tried again."""

    code = "unreachable"
    retryable = True
    retry_after: float | None = None  # seconds, where the far side said so


class TimedOut(Unreachable, TimeoutError):
    """No answer in time."""

    code = "timed_out"


class Untrustworthy(FarSideError):
    """The answer does not fit the question, so nothing of it may be used: the run stops."""

    code = "untrustworthy"
    stops_run = True
    retryable = True
