"""What the inbox answers: an id or a code, and never a word of what was posted (H46)."""

from typing import Any

from starlette.responses import JSONResponse

# Every code that can be answered, with its HTTP status; docs/inbox-openapi.yaml lists the same.
REFUSALS = {
    "query_not_allowed": 400,
    "not_utf8": 400,
    "not_json": 400,
    "not_an_object": 400,
    "not_a_number": 400,
    "duplicate_key": 400,
    "too_deep": 400,
    "too_many_keys": 400,
    "unauthorised": 401,
    "method_not_allowed": 405,
    "too_slow": 408,
    "too_large": 413,
    "too_many_parts": 413,
    "wrong_content_type": 415,
    "wrong_encoding": 415,
    "too_often": 429,
    "internal": 500,
    "unavailable": 503,
}
_HEADERS = {
    "unauthorised": {"WWW-Authenticate": "Bearer"},
    "method_not_allowed": {"Allow": "POST"},
    "unavailable": {"Retry-After": "30"},
}


class Refusal(Exception):
    """The message isn't taken; `code` is one of REFUSALS, `retry_after` seconds where waiting helps.

    >>> Refusal("too_large").code
    'too_large'
    """

    def __init__(self, code: str, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


def accepted(message_id: str, matched: int) -> JSONResponse:
    """202: the message is kept, and `matched` units of work were made of it."""
    return _answer(202, {"id": message_id, "matched": matched})


def refused(refusal: Refusal) -> JSONResponse:
    """The status of the refusal's code, and that code.

    >>> refused(Refusal("too_often", retry_after=5)).headers["retry-after"]
    '5'
    """
    answer = _answer(REFUSALS[refusal.code], {"code": refusal.code})
    answer.headers.update(_HEADERS.get(refusal.code, {}))
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    # What is left of the body isn't read, so that the connection can't be used again.
    answer.headers["Connection"] = "close"
    return answer


def health(well: bool) -> JSONResponse:
    """`{"status": "ok"}`, or 503 `{"status": "unavailable"}`."""
    return _answer(200, {"status": "ok"}) if well else _answer(503, {"status": "unavailable"})


def _answer(status: int, body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})
