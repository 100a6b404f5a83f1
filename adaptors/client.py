"""One HTTP client for every system: TLS, hosts, time-outs, bounded retry, and errors without payloads.

Reads are repeated here, three times within 30 seconds; writes are not, since the worker knows what was done before.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import tenacity

from adaptors.egress import OutwardTransport
from adaptors.errors import FarSideError, JobError, NotAllowed, Unreachable
from adaptors.exchange import Answer, Request, json_or_none
from adaptors.failures import connection_error, refusal, retry_after, told_path
from adaptors.gate import Gate
from adaptors.promises import State
from adaptors.runtime import runtime_of
from adaptors.tls import tls_context

LONGEST_URL = 1_000  # bytes; the proxy usually in front of Primero refuses 1,024
READ_REPEATS, READ_PATIENCE = 3, 30.0  # times, seconds
_HEADERS = {"user-agent": "primero-progres-bridge", "accept": "application/json", "accept-encoding": "gzip, deflate"}
_PATIENCE = {"timeout": httpx.Timeout(30, connect=10, pool=60).as_dict()}  # seconds


class Client:
    """The connections to the system of one credential, for one run.

    `explain` gives the names of the fields that a refusal (status, parsed body) is about. After a 401 nothing more is
    asked, unless `locks` is false: each wrong password brings a locked account nearer. With `json_only`, a 2xx that
    holds something else is no answer. Only the hosts named in the credential are ever asked, at public addresses or
    those that it names (`addresses`); variables such as HTTPS_PROXY change nothing of it. Raises the errors of
    `adaptors.errors`: Rejected, NotFound, NotAllowed, Unreachable, TimedOut; their messages hold method, host, path
    (words and ids of it, no query), and status.

    Example: `Client("primero", {"url": "https://primero.example.org", …}, runtime).send("GET", "/api/v2/cases")`
    """

    def __init__(
        self,
        name: str,
        credential: dict[str, Any],
        runtime: Any,
        *,
        headers: dict[str, str] | None = None,
        explain: Callable[[int, Any], Iterable[str]] = lambda status, body: (),
        locks: bool = True,
        json_only: bool = True,
    ) -> None:
        self.name = name
        self._locks = locks
        self._json_only = json_only
        self._runtime = runtime
        self._explain = explain
        self._locked = False
        addresses = list(_addresses(credential))
        self._hosts = frozenset((address.scheme, address.host, _port(address)) for address in addresses)
        self._paths = [address.path for address in addresses]
        self._base = str(reveal(credential.get("url") or "")).rstrip("/")
        self._gate_settings = float(credential.get("rate") or 40), int(credential.get("connections") or 8)
        self._headers = {**_HEADERS, **(headers or {})}
        self._transport: httpx.BaseTransport = runtime.transport or self._outward(credential)
        self._repeating = self._retrying()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def send(
        self, method: str, url: str, *, query: Any = None, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request and return what was answered with a 2xx. `url` may be a path below the credential's `url`.

        `query` is a dict or a list of pairs. Reads that can't be answered now are repeated.
        """
        request = Request(method, self._address(url, query), self._paths)
        content = None if body is None else request.encoded(body)
        typed = {"content-type": "application/json"} if content is not None else {}
        once = partial(self._send_once, request, content, {**typed, **(headers or {})})
        return once() if request.writes else self._repeating(once)

    def _outward(self, credential: dict[str, Any]) -> OutwardTransport:
        return OutwardTransport(tls_context(credential, reveal), addresses=reveal(credential.get("addresses") or ""))

    def _address(self, url: str, query: Any) -> httpx.URL:
        text = url if "://" in url else self._base + "/" + url.lstrip("/")
        if query:
            text += ("&" if "?" in text else "?") + urlencode(query, quote_via=quote)
        address = httpx.URL(text)
        if (address.scheme, address.host, _port(address)) not in self._hosts:
            raise JobError(
                f"{address.host} is not a host of the credential {self.name}",
                code="foreign_host",
                fix=f"Use a path, or name that host in credentials/{self.name}.yaml.",
            )
        if len(str(address).encode()) >= LONGEST_URL:
            raise JobError(
                f"the URL for {told_path(address.path, self._paths)} would be {len(str(address))} bytes long; "
                f"{LONGEST_URL} is too many",
                code="url_too_long",
                fix="Ask for fewer fields, or for fewer ids at a time.",
            )
        return address

    def _retrying(self) -> tenacity.Retrying:
        def pause(attempt: tenacity.RetryCallState) -> float:
            error = attempt.outcome.exception() if attempt.outcome else None
            told = getattr(error, "retry_after", None)
            return float(told) if told is not None else self._runtime.random.uniform(0.5, 1) * 2**attempt.attempt_number

        def enough(attempt: tenacity.RetryCallState) -> bool:
            return attempt.attempt_number > READ_REPEATS or attempt.idle_for + attempt.upcoming_sleep > READ_PATIENCE

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unreachable),
            wait=pause,
            stop=enough,
            sleep=lambda seconds: self._runtime.sleep(seconds),
            reraise=True,
        )

    def _send_once(self, request: Request, content: bytes | None, headers: dict[str, str]) -> Answer:
        host = f"{request.address.host}:{_port(request.address)}"
        gate = self._runtime.resource(("gate", host), lambda: Gate(*self._gate_settings, self._runtime))
        try:
            with gate:
                self._refuse_when_locked(request)  # here, since a 401 may have come while this one waited for its turn
                if request.writes:
                    self._runtime.fence()
                response = self._exchanged(request, content, headers)
        except httpx.LocalProtocolError:
            raise JobError(
                f"{request.where}: a header can't be sent",
                code="bad_header",
                fix=f"See that no key in credentials/{self.name}.yaml holds a line break.",
            ) from None
        except httpx.RequestError as error:
            raise connection_error(error, request.where, writes=request.writes) from None
        if 200 <= response.status_code < 300:
            body = request.parsed(response) if self._json_only else json_or_none(response)
            return Answer(response.status_code, body, dict(response.headers))
        raise self._refusal(response, request)

    def _refusal(self, response: httpx.Response, request: Request) -> FarSideError:
        status, said = response.status_code, json_or_none(response)
        if status == 401:
            self._locked = self._locks
        fields = self._explain(status, said)
        refused = refusal(status, request.where, self.name, writes=request.writes, fields=fields, said=said)
        if isinstance(refused, Unreachable):
            refused.retry_after = retry_after(response.headers, self._runtime.now()) or refused.retry_after
        return refused

    def _exchanged(self, request: Request, content: bytes | None, headers: dict[str, str]) -> httpx.Response:
        """The whole answer to one request.

        There is no `httpx.Client` about the transport: its cookies, redirects and log of addresses are all unwanted,
        and cost a third of a request even where they are switched off.
        """
        sent = httpx.Request(
            request.method,
            request.address,
            content=content,
            headers={**self._headers, **headers},
            extensions=_PATIENCE,
        )
        response = self._transport.handle_request(sent)
        try:
            response.read()
        finally:
            response.close()
        return response

    def _refuse_when_locked(self, request: Request) -> None:
        if self._locked:
            raise NotAllowed(
                f"{request.where}: not asked again after a 401",
                status=401,
                fix="Correct the credential first.",
                code="locked",
            )


def reveal(value: Any) -> Any:
    """The text of a secret; anything else as it is.

    >>> reveal("plain")
    'plain'
    """
    return value.reveal() if hasattr(value, "reveal") else value


def client_of(state: State, name: str, make: Callable[[dict[str, Any], Any], Any]) -> Any:
    """The run's one client for a credential, made by `make(credential, runtime)` when first needed.

    It is kept in the runtime, not in the state. Raises JobError when there is no such credential, and Unreachable
    while it rests, since the system refused it a short while ago.
    """
    credential = (state.get("configuration") or {}).get(name)
    if not isinstance(credential, dict):
        raise JobError(
            f"there is no credential named {name}",
            code="no_credential",
            fix=f"Name it under the job's `credentials` in project.yaml, and write credentials/{name}.yaml.",
        )
    runtime = runtime_of(state)
    if until := (state.get("resting") or {}).get(name):
        raise _still_resting(name, datetime.fromisoformat(until) - runtime.now())
    # Two adaptors may use one credential, each with a client of its own sort.
    sort = f"{make.__module__}.{getattr(make, '__qualname__', '')}"
    return runtime.resource(("client", name, sort), lambda: make(credential, runtime))


def _still_resting(name: str, left: timedelta) -> Unreachable:
    error = Unreachable(f"the credential {name} was refused, and rests", code="resting", fix="Correct the credential.")
    error.retry_after = max(left.total_seconds(), 0.0)
    return error


def basic(credential: dict[str, Any]) -> str:
    """The value of an Authorization header for HTTP Basic.

    >>> basic({"user": "integration", "password": "x"})
    'Basic aW50ZWdyYXRpb246eA=='
    """
    pair = f"{reveal(credential['user'])}:{reveal(credential['password'])}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _addresses(credential: dict[str, Any]) -> Iterable[httpx.URL]:
    for key, value in credential.items():
        if value and (key == "url" or key.endswith("_url")):
            address = httpx.URL(str(reveal(value)))
            if address.scheme != "https" and address.host not in ("localhost", "127.0.0.1", "::1"):
                raise JobError(
                    f"the credential names {address.host} without https",
                    code="plain_http",
                    fix="Write https://; plain http is for loopback addresses only.",
                )
            yield address


def _port(address: httpx.URL) -> int:
    return address.port or (443 if address.scheme == "https" else 80)
