"""What passes between a stand-in and whoever serves it: a request, a response, and the one signature of all answers.

A stand-in is a pure function from request to response, apart from its own memory. It opens no socket, waits for
nothing and reads no clock that was not given to it. What can only be done at the socket (waiting, dropping the
connection, saying nothing) it *describes* in `Response.delay` and `Response.broken`; the server that holds the socket
acts on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# Under this name whoever holds the socket tells the SHA-1 of the certificate that was presented (upper-case hex).
# No client can send a header that begins with a colon.
CLIENT_CERTIFICATE = ":client-certificate"

Broken = Literal["", "reset", "time_out"]


@dataclass(frozen=True)
class Request:
    """One HTTP request. `path` is still percent-encoded, `query` is without `?`, header names are in lower case.

    >>> Request("GET", "/api/v2/cases", "per=1", {"accept": "application/json"}).body
    b''
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One HTTP response, and what the socket server is to do besides sending it.

    `delay`: seconds to wait before anything is sent. `broken`: `"reset"` closes the connection without an answer,
    `"time_out"` keeps it open without one; status, headers and body are then what a caller would have got.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    broken: Broken = ""


Answer = Callable[[Request], Response]


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a JSON body.

    >>> json_response(200, {"data": []}).body
    b'{"data":[]}'
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


def empty_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A response without a body.

    >>> empty_response(204)
    Response(status=204, headers={}, body=b'', delay=0.0, broken='')
    """
    return Response(status, dict(headers or {}))


def text_response(status: int, text: str, content_type: str = "text/plain") -> Response:
    """A response with a body of text or HTML.

    >>> text_response(429, "Retry later\\n").headers
    {'Content-Type': 'text/plain'}
    """
    return Response(status, {"Content-Type": content_type}, text.encode())
