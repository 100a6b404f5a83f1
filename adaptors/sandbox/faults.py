"""Faults that a stand-in shows on demand: each a kind, how many requests it hits, and which.

Faults happen in three places, so that the stand-ins stay pure:

* around a stand-in: `with_faults` wraps any `Answer` and acts on `fail_before`, `fail_after`, `too_many`,
  `bad_gateway`, `lock`, `reset`, `time_out` and `latency`. The last three need a socket: the response carries them in
  `broken` and `delay`, and the socket server acts on it. A request that is reset or times out *has* been carried out,
  like one that fails after commit; only `fail_before`, `too_many`, `bad_gateway` and `lock` leave no effect;
* inside a stand-in, which asks `take` itself: `clock_skew`, `shift_pages`, `lose_permission` (see `primero`);
* in front of it: `proxy` switches on the emulation of Primero's usual nginx (see `proxy`).

A test builds `Faults(Fault("fail_after", method="POST"))` or adds to a running stand-in's `faults` between requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from adaptors.sandbox.proxy import error_page
from adaptors.sandbox.wire import Answer, Request, Response, json_response, text_response

Kind = Literal[
    "latency",
    "fail_before",
    "fail_after",
    "reset",
    "time_out",
    "too_many",
    "bad_gateway",
    "lock",
    "clock_skew",
    "shift_pages",
    "lose_permission",
    "proxy",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass
class Fault:
    """One switch. It lets `after` matching requests pass, hits the next `count` (`None`: all), then is spent.

    `path` is a prefix and `method` an HTTP method; empty ones match everything. `seconds` is the length of a latency
    or the skew of the clock. `role` and `loses` say what `lose_permission` takes away: a form (`"basic_identity"`) or
    a permission (`"case:read"`). `act` is what `shift_pages` does between two pages of a list.
    """

    kind: Kind
    count: int | None = 1
    path: str = ""
    method: str = ""
    after: int = 0
    seconds: float = 0.0
    role: str = ""
    loses: str = ""
    act: Callable[[], object] | None = None

    def hits(self, request: Request) -> bool:
        """Counts one request and says whether the fault hits it."""
        if self.count == 0 or not request.path.startswith(self.path) or self.method not in ("", request.method):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


class Faults:
    """The switches of one stand-in, in the order in which they were added.

    >>> faults = Faults(Fault("too_many", count=1))
    >>> faults.take("too_many", Request("GET", "/")) is None, faults.take("too_many", Request("GET", "/")) is None
    (False, True)
    """

    def __init__(self, *switches: Fault) -> None:
        self._switches = list(switches)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Adds a switch to those that are there."""
        with self._lock:
            self._switches.append(fault)

    def clear(self) -> None:
        """Takes all switches away."""
        with self._lock:
            self._switches.clear()

    def take(self, kind: Kind, request: Request) -> Fault | None:
        """The first fault of this kind that hits the request, counted down by one; `None` where there is none."""
        with self._lock:
            return next((fault for fault in self._switches if fault.kind == kind and fault.hits(request)), None)


def with_faults(answer: Answer, faults: Faults) -> Answer:
    """The same stand-in with the faults around it.

    >>> broken = with_faults(lambda request: json_response(200, {}), Faults(Fault("bad_gateway")))
    >>> broken(Request("GET", "/")).status
    502
    """

    def answer_or_fail(request: Request) -> Response:
        response = _refusal(faults, request) or answer(request)
        if faults.take("fail_after", request):
            response = _internal_error(request)
        if faults.take("reset", request):
            response = replace(response, broken="reset")
        if faults.take("time_out", request):
            response = replace(response, broken="time_out")
        latency = faults.take("latency", request)
        return replace(response, delay=response.delay + latency.seconds) if latency else response

    return answer_or_fail


def _refusal(faults: Faults, request: Request) -> Response | None:
    if faults.take("bad_gateway", request):
        return text_response(502, error_page("502 Bad Gateway"), "text/html")
    if faults.take("too_many", request):
        return text_response(429, "Retry later\n")
    if faults.take("lock", request):
        return locked_response(request)
    if faults.take("fail_before", request):
        return _internal_error(request)
    return None


def locked_response(request: Request) -> Response:
    """Primero's answer while its configuration is being changed (primero-api §9; vectors config_lock)."""
    error = {
        "status": 503,
        "resource": request.path,
        "message": "Service Unavailable",
        "detail": "Retry-After: 60",
    }
    return json_response(503, {"errors": [error]}, {"Retry-After": "60"})


def _internal_error(request: Request) -> Response:
    error = {"status": 500, "resource": request.path, "message": "Something broke inside the sandbox"}
    return json_response(500, {"errors": [error]})
