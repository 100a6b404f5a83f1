"""A webhook: a notice to another program, posted over HTTPS and signed by HMAC (Standard Webhooks).

The headers are `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`: `v1,` and the base64 of the HMAC
with SHA-256 of `id.timestamp.body`. What is tried again with the same content has the same id.
"""

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from runner.alerts.delivery import SECONDS, NotDelivered, connected, required, tls_of, why
from runner.alerts.notice import Notice
from runner.errors import InvalidCredential
from runner.report import shown

_SHORTEST = 24  # characters of a secret


class Webhook:
    """One address, as a credential names it: `url`, `secret`, `ca_file`, `addresses`. Raises InvalidCredential."""

    def __init__(self, credential: Mapping[str, Any]) -> None:
        required(credential, "url", "secret")
        self._secret = credential["secret"].reveal().encode()
        self._addresses = str(credential.get("addresses") or "")
        if len(self._secret) < _SHORTEST:
            fix = f"Make one of {_SHORTEST} characters or more: openssl rand -base64 32"
            raise InvalidCredential("the secret is too short", fix=fix)
        parts = urlsplit(str(credential["url"]))
        if parts.scheme != "https" or not parts.hostname or parts.username:
            raise InvalidCredential("url is no https address", fix="Write https://host/path.")
        self._host, self._port = parts.hostname, parts.port or 443
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._tls = tls_of(credential)

    def send(self, notice: Notice) -> str:
        """Post the notice; the answer's status. Raises NotDelivered; no redirect is followed."""
        body = json.dumps(notice.document(), default=shown).encode()
        try:
            status = self._posted(body, self._headers(notice, body))
        except OSError as error:  # before the others, since an error of TLS is a ValueError, too
            raise why(error) from None
        except (http.client.HTTPException, ValueError):
            raise NotDelivered("unreadable_answer", "the answer can't be read", fix="Look at the far side.") from None
        if not 200 <= status < 300:
            raise NotDelivered("rejected", f"the far side answered {status}", fix="Look at the far side.")
        return str(status)

    def _posted(self, body: bytes, headers: Mapping[str, str]) -> int:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=SECONDS)
        try:
            plain = connected(self._host, self._port, self._addresses)
            connection.sock = self._tls.wrap_socket(plain, server_hostname=self._host)
            connection.request("POST", self._target, body=body, headers=dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        stamp = str(int(notice.time.timestamp()))
        return {
            "content-type": "application/json",
            "user-agent": "runner",
            "webhook-id": notice.id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._secret, notice.id, stamp, body),
        }


def signature(secret: bytes, identity: str, stamp: str, body: bytes) -> str:
    """What proves that a notice is ours.

    >>> signature(b"secret", "id", "1772280000", b"{}")
    'v1,YUe7epxl9GBLALUOQfsh4XLOAVwLaxDtFXAqHvZ3Dhk='
    """
    made = hmac.new(secret, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"
