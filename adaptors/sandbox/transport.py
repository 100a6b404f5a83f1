"""Carries httpx requests to stand-ins without sockets, faults included."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import httpx

from adaptors.sandbox.wire import Answer, Request, Response


class SandboxTransport(httpx.BaseTransport):
    """A transport that knows some hosts only; any other can't be connected to.

    `answers` maps host names to stand-ins. A delay is slept with `sleep` (seconds), unless the caller's read time-out
    is shorter: then it times out at once. Raises httpx.ConnectError, httpx.ReadError (reset) and httpx.ReadTimeout.

    >>> from adaptors.sandbox.wire import empty_response
    >>> transport = SandboxTransport({"primero.sandbox.test": lambda request: empty_response(204)})
    >>> httpx.Client(transport=transport).get("https://primero.sandbox.test/health/api").status_code
    204
    """

    def __init__(self, answers: Mapping[str, Answer], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._answers = answers
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one request of httpx."""
        answer = self._answers.get(request.url.host)
        if answer is None:
            raise httpx.ConnectError(f"the sandbox has no host {request.url.host}", request=request)
        response = answer(_as_request(request))
        self._wait(request, response)
        if response.broken == "reset":
            raise httpx.ReadError("connection reset by the sandbox", request=request)
        body = b"" if request.method == "HEAD" else response.body
        return httpx.Response(response.status, headers=response.headers, content=body, request=request)

    def _wait(self, request: httpx.Request, response: Response) -> None:
        patience = request.extensions.get("timeout", {}).get("read")
        if response.broken == "time_out" or (patience is not None and response.delay > patience):
            raise httpx.ReadTimeout("the sandbox gave no answer in time", request=request)
        if response.delay:
            self._sleep(response.delay)


def _as_request(request: httpx.Request) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, path, query, headers, request.read())
