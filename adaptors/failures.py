"""From what the network and an HTTP status say to an error of ours, without body, query or credential."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from adaptors.errors import FarSideError, NotAllowed, NotFound, Rejected, TimedOut, Unreachable

# When a gateway's quota is replenished, as Azure API Management says it: hours, minutes, seconds.
_REPLENISHED = re.compile(r"replenished in (\d{1,4}):(\d{2}):(\d{2})")
# A plain word, or what has a digit as ids have; anything else in a path may be somebody's name.
_TOLD = re.compile(r"[a-z_.-]{0,40}|(?=[^0-9]*[0-9])[A-Za-z0-9_.:~#-]{1,80}", re.ASCII)


def refusal(
    status: int, where: str, name: str, *, writes: bool, fields: Iterable[str] = (), said: Any = None
) -> FarSideError:
    """The error for an answer that is no 2xx. `where` is method, host and path; `name` the credential's.

    `said` is the parsed body: a gateway that speaks for itself (`{"statusCode": …, "message": …}`) tells its key, its
    certificate and its quota apart from what the system behind it refuses.

    >>> refusal(404, "GET primero.example.org/api/v2/cases/1", "primero", writes=False)
    NotFound('GET primero.example.org/api/v2/cases/1 answered 404')
    """
    what = f"{where} answered {status}"
    if isinstance(said, dict) and "statusCode" in said and (own := _gateways_own(status, what, name, said)):
        return own
    if status == 401:
        error = NotAllowed(what, status=status, fix=f"Check user and password or key in credentials/{name}.yaml.")
        error.stops_run, error.credential = True, name
        return error
    if status == 403:
        fix = f"The account of {name} lacks a permission, or the record is out of its reach."
        error = NotAllowed(what, status=status, fix=fix)
        error.credential = name
        return error
    if status == 404:
        return NotFound(what, status=status, fix="Check the id, and the URL in the credential.")
    if status == 408:
        return TimedOut(what, status=status, unknown=writes)
    if status == 429:
        return Unreachable(what, status=status, code="too_many_requests", fix="It will be tried again.")
    if status >= 500:
        return Unreachable(what, status=status, code="server_error", unknown=writes, fix="It will be tried again.")
    if 300 <= status < 400:
        return Unreachable(what, status=status, code="redirected", fix="Put the final address into the credential.")
    named = tuple(fields)
    return Rejected(
        f"{what} for {', '.join(named)}" if named else what,
        status=status,
        fields=named,
        fix="Correct these fields, or their mapping.",
    )


def told_path(path: str, own: Iterable[str] = ()) -> str:
    """A path as messages hold it: beyond those of the credential's `own` addresses, words and ids only (H42).

    >>> told_path("/api/v2/cases/c-1"), told_path("/Gateway/Nyaruot Beispiel", ["/Gateway"])
    ('/api/v2/cases/c-1', '/Gateway/(16 characters)')
    """
    known = max((each for each in own if path.startswith(each)), key=len, default="")
    parts = path[len(known) :].split("/")
    return known + "/".join(part if _TOLD.fullmatch(part) else f"({len(part)} characters)" for part in parts)


def _gateways_own(status: int, what: str, name: str, said: dict[str, Any]) -> FarSideError | None:
    message = str(said.get("message", ""))
    if status == 403 and "quota" in message.lower():
        spent = Unreachable(
            what, status=status, code="quota_spent", fix="The gateway's quota is used up; ask its owner for more."
        )
        spent.retry_after = _seconds_until_replenished(message)
        return spent
    if status not in (401, 403):
        return None
    code, fix = {
        401: ("key_refused", f"Check the subscription keys in credentials/{name}.yaml."),
        403: ("certificate_refused", "Is the client certificate the one whose thumbprint was handed over, and valid?"),
    }[status]
    error = NotAllowed(what, status=status, code=code, fix=fix)
    error.stops_run, error.credential = status == 401, name
    return error


def _seconds_until_replenished(message: str) -> float | None:
    found = _REPLENISHED.search(message)
    return sum(int(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else None


def connection_error(error: httpx.RequestError, where: str, *, writes: bool) -> Unreachable:
    """The error for a request that got no answer. `unknown` is true when a write may have arrived all the same.

    >>> connection_error(httpx.ReadTimeout("…"), "POST dtp.example.org/in", writes=True).unknown
    True
    """
    before = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol))
    unknown, said = writes and not before, str(error).lower()
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{where}: no answer in time", unknown=unknown, fix="It will be tried again.")
    if "certificate_verify_failed" in said:
        return Unreachable(
            f"{where}: the server's certificate can't be verified",
            code="tls_failed",
            fix="If an authority of your own signed it, name that authority's file as ca_file in the credential.",
        )
    if "protocol_version" in said or "unsupported_protocol" in said:
        return Unreachable(
            f"{where}: the server speaks no TLS that is safe",
            code="tls_failed",
            fix="It must speak TLS 1.2 or newer; ask those who run it.",
        )
    if "ssl" in said and "alert" in said:
        return Unreachable(
            f"{where}: the server ended the TLS handshake",
            code="certificate_refused",
            fix="Is the client certificate the one that was handed over, and still valid?",
        )
    if before:
        return Unreachable(f"{where}: no connection", fix="Is the address right, and the network up?")
    return Unreachable(
        f"{where}: the connection ended before an answer",
        code="connection_lost",
        unknown=unknown,
        fix="It will be tried again. If it is always so: is the client certificate refused?",
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds an answer says to wait, be it as a number or as a date; the date is held against that of the
    answer, where it has one, and else against `now`.

    >>> retry_after({"retry-after": "60"}, datetime.now(UTC))
    60.0
    >>> dates = {"date": "Mon, 02 Mar 2026 12:00:00 GMT", "retry-after": "Mon, 02 Mar 2026 12:01:00 GMT"}
    >>> retry_after(dates, datetime.now(UTC))
    60.0
    """
    told = headers.get("retry-after", "")
    if told.isascii() and told.isdigit():
        return float(told)
    until, sent = _date(told), _date(headers.get("date", "")) or now
    return max((until - sent).total_seconds(), 0.0) if until else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
