"""The nginx that most Primero deployments stand behind, as a wrapper (primero-api §1.4).

Request line and each header have at most 1 KiB; 50 requests a second with a burst of 20; only five methods; some
programs are turned away by name. Unlike Primero itself, it adds a `Date` header.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from adaptors.sandbox.wire import Answer, Request, Response, empty_response, text_response

_LONGEST = 1024
_METHODS = {"GET", "PUT", "POST", "PATCH", "DELETE"}
_TURNED_AWAY = ("wget", "lwp::simple", "bbbike", "msnbot", "scrapbot")


def behind_proxy(answer: Answer, clock: Callable[[], datetime], rate: float = 50, burst: float = 20) -> Answer:
    """The same stand-in with the proxy in front; `rate` is in requests a second.

    >>> from datetime import UTC
    >>> proxied = behind_proxy(lambda request: empty_response(204), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    >>> proxied(Request("GET", "/api/v2/cases", "fields=" + "name," * 300)).status
    414
    """
    bucket = _Bucket(rate, burst)

    def answer_or_refuse(request: Request) -> Response:
        now = clock()
        refusal = _refusal(request) or (
            None if bucket.takes(now) else _page(503, "503 Service Temporarily Unavailable")
        )
        response = refusal or answer(request)
        return replace(response, headers=response.headers | {"Date": format_datetime(now, usegmt=True)})

    return answer_or_refuse


def error_page(title: str) -> str:
    """The HTML of nginx for an error such as `"502 Bad Gateway"`."""
    head = f"<html>\r\n<head><title>{title}</title></head>\r\n"
    return f"{head}<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"


class _Bucket:
    """Lets `burst` requests through at once, and `rate` a second after that."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._level = 0.0
        self._last: datetime | None = None
        self._lock = threading.Lock()

    def takes(self, now: datetime) -> bool:
        with self._lock:
            elapsed = (now - self._last).total_seconds() if self._last else 0.0
            level = max(0.0, self._level - elapsed * self._rate)
            self._last = now
            self._level = level if level > self._burst else level + 1
            return level <= self._burst


def _refusal(request: Request) -> Response | None:
    target = request.path + (f"?{request.query}" if request.query else "")
    if len(f"{request.method} {target} HTTP/1.1\r\n") > _LONGEST:
        return _page(414, "414 Request-URI Too Large")
    if any(len(f"{name}: {value}\r\n") > _LONGEST for name, value in request.headers.items()):
        return _page(400, "400 Request Header Or Cookie Too Large")
    if request.method not in _METHODS:
        return replace(empty_response(444), broken="reset")
    agent = request.headers.get("user-agent", "").lower()
    return _page(403, "403 Forbidden") if any(name in agent for name in _TURNED_AWAY) else None


def _page(status: int, title: str) -> Response:
    return text_response(status, error_page(title), "text/html")
