"""DTP as a sender: it posts UNHCR's messages to an inbox, and takes nothing for a receipt but a 202 with an id."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

_PATIENCE = 30.0  # seconds


class NotTaken(RuntimeError):
    """The inbox didn't answer, or not with a receipt; the message tells its status and code."""


@dataclass(frozen=True)
class Inbox:
    """Where messages are posted to: its whole address, the key that opens it, and the PEM file of the authority that
    signed its certificate (`None`: one that the system knows).

    Example: `Inbox("https://127.0.0.1:8443/inbox", "p7Vg…", "ca.pem").post({"request_type": "…"})["matched"]` is `1`.
    """

    url: str
    key: str = field(repr=False)
    ca_file: str | None = None

    def post(self, message: Any) -> dict[str, Any]:
        """Post one message, once; gives the receipt, `{"id": …, "matched": …}`. Raises NotTaken."""
        headers = {"content-type": "application/json", "x-api-key": self.key}
        request = Request(self.url, json.dumps(message).encode(), headers, method="POST")
        try:
            tls = HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
            with build_opener(ProxyHandler({}), tls).open(request, timeout=_PATIENCE) as answer:
                status, body = answer.status, answer.read()
        except HTTPError as error:
            with error:
                status, body = error.code, error.read()
        except OSError as error:
            raise NotTaken(f"the inbox can't be reached: {error}") from None
        return _receipt(status, body)


def _receipt(status: int, body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if status != 202 or not isinstance(told, dict) or set(told) != {"id", "matched"}:
        code = told.get("code") if isinstance(told, dict) else "no JSON object"
        raise NotTaken(f"the inbox answered {status}, {code}")
    return told
