"""Looking for a text in files, in every form in which it might have been left there (R-ER1)."""

import base64
import gzip
import json
import re
import zlib
from urllib.parse import quote

GZIP = re.compile(rb"\x1f\x8b\x08")


def forms(canary):
    """The byte strings by which a text would betray itself, with the names of the forms."""
    for spelling, text in {"": canary, "upper ": canary.upper(), "lower ": canary.lower()}.items():
        raw = text.encode()
        yield f"{spelling}utf-8", raw
        yield f"{spelling}utf-16-le", text.encode("utf-16-le")
        yield f"{spelling}utf-16-be", text.encode("utf-16-be")
        yield f"{spelling}hex", raw.hex().encode()
        yield f"{spelling}upper hex", raw.hex().upper().encode()
        yield f"{spelling}url", quote(text, safe="").encode()
        yield f"{spelling}json", json.dumps(text)[1:-1].encode()
        for shift in range(3):
            # The first and last characters depend on the neighbours.
            encoded = base64.b64encode(b"\0" * shift + raw)
            inner = encoded[4 if shift else 0 : -4]
            yield f"{spelling}base64 {shift}", inner
            yield f"{spelling}base64url {shift}", inner.replace(b"+", b"-").replace(b"/", b"_")


def unpacked(content):
    """The content, and whatever in it is gzip."""
    yield content
    for found in GZIP.finditer(content):
        try:
            yield zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content[found.start() :])
        except zlib.error:
            continue


def traces(folder, *canaries):
    """`(file, form)` for each trace of a canary in the files below a folder."""
    wanted = [form for canary in canaries for form in forms(canary)]
    return [
        (str(path.relative_to(folder)), name)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for content in unpacked(path.read_bytes())
        for name, form in wanted
        if form in content
    ]


def compressed(text):
    """The text as gzip."""
    return gzip.compress(text.encode())
