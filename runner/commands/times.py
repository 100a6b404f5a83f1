"""Times that somebody gives on the command line."""

from datetime import UTC, datetime

from runner.errors import WrongUse


def moment(text: str, what: str) -> str:
    """A time that somebody gave, as a cursor is written. Raises WrongUse.

    >>> moment("2026-03-01T03:00:00+03:00", "--since")
    '2026-03-01T00:00:00Z'
    """
    fix = "Write it like 2026-03-01T00:00:00Z or 2026-03-01T03:00:00+03:00."
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{what} is no time", fix=fix) from None
    if given.tzinfo is None:
        raise WrongUse(f"{what} has no time zone", fix=fix)
    return given.astimezone(UTC).isoformat().replace("+00:00", "Z")
