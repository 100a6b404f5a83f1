"""Requests that nobody would write, drawn by chance, and what the inbox may answer to them."""

import json

from runner.inbox.answers import REFUSALS

CANARY = "Qx7Canary"
METHODS = ["POST"] * 20 + ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"]
PATHS = ["/inbox"] * 20 + [
    "/",
    "/inbox/",
    "//inbox",
    "/healthz",
    "/readyz",
    "/inbox?a=1",
    "/%2e%2e",
    "/%00",
    "/inbox%2f",
    f"/{CANARY}",
]
FORMS = ["application/json"] * 20 + [
    "",
    "text/html",
    "application/json; charset=utf-16",
    "application/json;;",
    "\xff",
    CANARY,
]
SCRAPS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\ud83d", b"null", b"NaN", b"-", b"1e9999", b"1" * 5000,
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b" ", b"\n", b'"type"', CANARY.encode(), b"[" * 3000,
]  # fmt: skip


def value(draw, depth=0):
    """Any JSON value."""
    kind = draw.randrange(9 if depth < 5 else 7)
    if kind == 7:
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind == 8:
        return {text(draw): value(draw, depth + 1) for _ in range(draw.randrange(4))}
    return [None, True, draw.randint(-(2**70), 2**70), draw.uniform(-1e9, 1e9), text(draw), "parts", CANARY][kind]


def text(draw):
    """Any text that is one."""
    signs = [chr(draw.choice([draw.randrange(128), draw.randrange(0xD800), 0x1F476])) for _ in range(draw.randrange(6))]
    return draw.choice(["type", "parts", "child.id", "", CANARY, "".join(signs)])


def body(draw):
    """A message, or one that was broken, or scraps."""
    kind = draw.choice(["parts", "whole", "off", value(draw)])
    message = {"type": kind, "parts": value(draw), text(draw): value(draw)}
    if draw.random() < 0.5:
        message["parts"] = [{"child.id": value(draw), text(draw): value(draw)} for _ in range(draw.randrange(5))]
    written = json.dumps(message, ensure_ascii=draw.random() < 0.5).encode("utf-8")
    match draw.randrange(4):
        case 0:
            place = draw.randrange(len(written))
            return written[:place] + draw.choice(SCRAPS) + written[place + draw.randrange(3) :]
        case 1:
            return b"".join(draw.choices(SCRAPS, k=draw.randrange(8)))
        case _:
            return written


def headers(draw):
    """Headers, of which a few are strange."""
    given = {"content-type": draw.choice(FORMS).encode("latin-1")}
    if draw.random() < 0.1:
        name = draw.choice(
            ["authorization", "content-encoding", "x-forwarded-for", "expect", "cookie", "host", "accept"]
        )
        given[name] = draw.choice(
            ["", "Basic", "Basic w6k=", "gzip", "identity", "\xe9", CANARY, "Bearer", ","]
        ).encode("latin-1")
    if draw.random() < 0.05:
        given["content-length"] = draw.choice(["-1", "x", "nan", "1e400", "9" * 5000, " 3", "\xb2"]).encode("latin-1")
    return given


def is_ours(status, document):
    """Whether an answer is one that docs/inbox-openapi.yaml knows."""
    match document:
        case {"code": code, **others}:
            return not others and REFUSALS.get(code) == status
        case {"id": str(), "matched": int(), **others}:
            return not others and 202 == status
        case {"status": "ok", **others}:
            return not others and 200 == status
    return False
