"""The second factor: six digits that change every thirty seconds (RFC 6238, SHA-1, as all authenticators make them)."""

import base64
import hashlib
import hmac
import struct
from datetime import datetime
from urllib.parse import quote

_SECONDS = 30
_DIGITS = 6
_APART = 1  # steps by which the clock of a telephone may be wrong


def step_of(now: datetime) -> int:
    """Which code counts at this time, as a number."""
    return int(now.timestamp()) // _SECONDS


def code(secret: bytes, step: int) -> str:
    """The code of a step; the first test vector of RFC 6238, in six digits:

    >>> code(b"12345678901234567890", 1)
    '287082'
    """
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFF_FFFF) % 10**_DIGITS:0{_DIGITS}}"


def matching(secret: bytes, given: str, now: datetime) -> int | None:
    """The step whose code was given, or None. Whoever has one must see to it that it counts once.

    >>> matching(b"12345678901234567890", "287082", datetime.fromisoformat("1970-01-01T00:01:05Z"))
    1
    """
    found = None
    for step in range(step_of(now) - _APART, step_of(now) + _APART + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode()):
            found = step
    return found


def address(secret: bytes, name: str) -> str:
    """What is entered into an authenticator, or shown to it as a picture.

    >>> address(b"12345678901234567890", "amal")
    'otpauth://totp/runner:amal?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=runner'
    """
    return f"otpauth://totp/runner:{quote(name)}?secret={base64.b32encode(secret).decode()}&issuer=runner"
