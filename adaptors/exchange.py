"""One request and its answer: what is sent, what came back, and how messages name the place."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from adaptors.errors import JobError, Unreachable
from adaptors.failures import told_path

READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Request:
    """What is sent where; `known` are the paths that may be told as they are.

    >>> Request("GET", httpx.URL("https://primero.example.org/api/v2/cases?fields=sex"), ()).where
    'GET primero.example.org/api/v2/cases'
    """

    method: str
    address: httpx.URL
    known: Iterable[str]

    @property
    def where(self) -> str:
        """Method, host and path, as messages hold them (H42)."""
        return f"{self.method} {self.address.host}{told_path(self.address.path, self.known)}"

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in READS

    def encoded(self, body: Any) -> bytes:
        """The body as it travels. Raises JobError when it is no JSON."""
        try:
            return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8")
        except (TypeError, ValueError) as error:
            raise JobError(
                f"{self.where}: the body is no JSON ({type(error).__name__})", fix="Map it to texts and numbers."
            ) from None

    def parsed(self, response: httpx.Response) -> Any:
        """What its answer holds, None when that is empty. Raises Unreachable when it is no JSON."""
        if not response.content:
            return None
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise Unreachable(
                f"{self.where} answered {response.status_code} with something that is no JSON",
                status=response.status_code,
                code="unreadable_answer",
                unknown=self.writes,
                fix="Perhaps a proxy answered; check the URL in the credential.",
            ) from None


@dataclass(frozen=True)
class Answer:
    """What a system answered with a 2xx: status, body (parsed JSON; None when empty), headers (lower-case names)."""

    status: int
    body: Any = field(repr=False)
    headers: dict[str, str] = field(repr=False)


def json_or_none(response: httpx.Response) -> Any:
    """What an answer holds; None when that is no JSON.

    >>> json_or_none(httpx.Response(502, text="Bad Gateway")) is None
    True
    """
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
