"""A stand-in of DTP, UNHCR's gateway to proGres: one URL per kind of post, a key, a client certificate, no way to ask.

Facts: exchanges.md, "What we post to DTP". Refusals of the gateway itself have the shape of Azure API Management,
`{"statusCode": 401, "message": "…"}`; refusals of what lies behind it come with a 200 and an `error` inside.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from adaptors.sandbox.faults import Faults, with_faults
from adaptors.sandbox.posting import Inbox
from adaptors.sandbox.wire import CLIENT_CERTIFICATE, Request, Response, json_response, text_response

REFERRALS = "ReceiveIncomingReferral"
DECISIONS = "ReceiveDecisionOutgoingReferral"
PRIMARY_KEY, SECONDARY_KEY = "sandbox-only-primary-key", "sandbox-only-secondary-key"
THUMBPRINT_HEADER = "X-Client-Cert-Thumbprint"

Way = Literal["error_inside", "success_false", "echo", "quota_spent"]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """One post that was accepted: the end of its URL, its JSON, when (UTC), and what it is recognised by."""

    kind: str
    body: dict[str, Any]
    time: datetime
    key: Key


class Dtp:
    """DTP without sockets.

    `keys` are the subscription keys, primary and secondary. `thumbprint_header` names the header that must hold the
    SHA-1 thumbprint of the certificate presented in the TLS handshake (any case, colons or not); `None` where there is
    no TLS. `certificates` are the thumbprints of those that were agreed on; `None` where all of the authority's are.
    `faults` are the switches of `adaptors.sandbox.faults`; `refuse` adds those that only a gateway has. `inbox` is
    where it posts what UNHCR sends; `None` until somebody says.

    >>> post = Request("POST", "/ReceiveIncomingReferral", headers={"content-type": "application/json"}, body=b"{}")
    >>> Dtp().answer(post).status
    401
    """

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (PRIMARY_KEY, SECONDARY_KEY),
        thumbprint_header: str | None = THUMBPRINT_HEADER,
        certificates: tuple[str, ...] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._keys = keys
        self._thumbprint_header = thumbprint_header
        self.certificates = certificates
        self.inbox: Inbox | None = None
        self._clock = clock
        self._received: list[Received] = []
        self._refusals: list[Way] = []
        self._lock = threading.Lock()
        self.answer = with_faults(self._answer, self.faults)

    @property
    def received(self) -> list[Received]:
        """All posts that were accepted, repeats too, in order."""
        with self._lock:
            return list(self._received)

    @property
    def effects(self) -> dict[Key, dict[str, Any]]:
        """What UNHCR holds in the end: one body per key, the last one, so that a repeated post counts once.

        The key of a referral is `(id,)`, of an answer or a decision `(intervention number, status)`.
        """
        return {each.key: each.body for each in self.received}

    def refuse(self, way: Way, count: int = 1) -> None:
        """Refuse the next `count` posts that pass the gateway.

        `error_inside`: a 200 with `{"error": …}`; `success_false`: a 200 with `{"success": false}`; `echo`: a 400 that
        repeats the whole request, to prove that nothing of it reaches a log; `quota_spent`: a 403 of the gateway.
        """
        with self._lock:
            self._refusals += [way] * count

    def _answer(self, request: Request) -> Response:
        kind = request.path.rpartition("/")[2]
        return self._refusal_at_the_gate(request, kind) or self._received_or_refused(kind, request)

    def _refusal_at_the_gate(self, request: Request, kind: str) -> Response | None:
        headers = request.headers
        if request.method != "POST" or kind not in (REFERRALS, DECISIONS):
            return _gateway_error(404, "Resource not found")
        if not _equals_any(headers.get("ocp-apim-subscription-key", ""), self._keys):
            return _gateway_error(401, "Access denied due to invalid subscription key.")
        if self._thumbprint_header and not self._certificate_fits(headers, self._thumbprint_header):
            return _gateway_error(403, "The client certificate and its thumbprint are not the agreed ones.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _gateway_error(415, "Unsupported Media Type")
        return None

    def _certificate_fits(self, headers: Mapping[str, str], name: str) -> bool:
        presented = headers.get(CLIENT_CERTIFICATE, "")
        told = headers.get(name.lower(), "").replace(":", "").upper()
        agreed = (presented,) if self.certificates is None else self.certificates
        return bool(presented) and presented in agreed and _equals_any(told, (presented,))

    def _received_or_refused(self, kind: str, request: Request) -> Response:
        body = _json_object(request.body)
        if body is None:
            return _gateway_error(400, "The body is not a JSON object")
        key = _key(kind, body)
        if not all(key):
            return json_response(400, {"error": "The post cannot be recognised: a key field is empty"})
        with self._lock:
            if self._refusals:
                return _refusal(self._refusals.pop(0), request)
            self._received.append(Received(kind, body, self._clock(), key))
        return json_response(200, {"success": True, "message": "Received"})


def _key(kind: str, body: Mapping[str, Any]) -> Key:
    fields = ("id",) if kind == REFERRALS else ("progres_interventionnumber", "status")
    return tuple(str(body.get(field) or "") for field in fields)


def _equals_any(text: str, expected: tuple[str, ...]) -> bool:
    return any(hmac.compare_digest(text.encode(), each.encode()) for each in expected)


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refusal(way: Way, request: Request) -> Response:
    if way == "error_inside":
        return json_response(200, {"error": "The record could not be matched"})
    if way == "success_false":
        return json_response(200, {"success": False})
    if way == "quota_spent":
        return _gateway_error(403, "Out of call volume quota. Quota will be replenished in 01:02:03.")
    return text_response(400, f"Bad request: {dict(request.headers)} {request.body.decode('utf-8', 'replace')}")


def _gateway_error(status: int, message: str) -> Response:
    return json_response(status, {"statusCode": status, "message": message})
