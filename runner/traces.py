"""Looking for texts in files, in every form in which one might have been left there (R-ER1).

A text is looked for as it is, in capitals and in small letters, and each of these in UTF-8 and UTF-16, in hex, base64
(at its three alignments, in both alphabets), URL-encoded and escaped as in JSON. What is gzip is looked into.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SHORTEST = 5  # letters; anything shorter is found by chance

_GZIP = re.compile(rb"\x1f\x8b\x08")


@dataclass(frozen=True)
class Trace:
    """A text that was found: in which file, the how-manieth of the texts it is, in which form, and how often.

    `size` is in bytes, of all times together. The text itself is not told, since it is what nobody may see.
    """

    file: Path
    number: int
    form: str
    size: int


@dataclass(frozen=True)
class Search:
    """What was looked through, so many `files` of so many bytes (`size`), for so many `texts`, and what was found."""

    files: int
    size: int
    texts: int
    traces: tuple[Trace, ...]

    @property
    def found(self) -> int:
        """How many bytes of the texts were found."""
        return sum(trace.size for trace in self.traces)


def search(folders: Iterable[Path], texts: Iterable[str]) -> Search:
    """Look for the texts in all files below the folders; a file that is gone meanwhile isn't one.

    Raises ValueError for a text that is too short.

    >>> search([Path("jobs")], ["Nobody is called so"]).found
    0
    """
    wanted = list(dict.fromkeys(texts))
    if any(len(text) < SHORTEST for text in wanted):
        raise ValueError(f"a text has fewer than {SHORTEST} letters")
    known = [(number, name, form) for number, text in enumerate(wanted) for name, form in forms(text).items()]
    files, size, traces = 0, 0, []
    for path in _files(folders):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        files, size = files + 1, size + len(content)
        for layer in _layers(content):
            traces += [
                Trace(path, number, name, times * len(form))
                for number, name, form in known
                if (times := layer.count(form))
            ]
    return Search(files, size, len(wanted), tuple(traces))


def forms(text: str) -> dict[str, bytes]:
    """The different byte strings by which a text would betray itself, by the name of the form.

    >>> forms("Näme7")["URL-encoded"], forms("Näme7")["hex"]
    (b'N%C3%A4me7', b'4ec3a46d6537')
    """
    found: dict[bytes, str] = {}
    for spelling, spelled in (("", text), (", capitals", text.upper()), (", small letters", text.lower())):
        for name, form in _encoded(spelled):
            found.setdefault(form, name + spelling)
    return {name: form for form, name in found.items()}


def _encoded(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode("utf-8")
    yield "UTF-8", raw
    yield "JSON-escaped", json.dumps(text)[1:-1].encode()
    yield "UTF-16, little end first", text.encode("utf-16-le")
    yield "UTF-16, big end first", text.encode("utf-16-be")
    yield "hex", raw.hex().encode()
    yield "hex in capitals", raw.hex().upper().encode()
    yield "URL-encoded", quote(text, safe="").encode()
    yield "URL-encoded, as in a form", quote(text, safe=" ").replace(" ", "+").encode()
    for before in range(3):
        sure = _base64(raw, before)
        yield f"base64 after {before}", sure
        yield f"base64 for URLs after {before}", sure.replace(b"+", b"-").replace(b"/", b"_")


def _base64(raw: bytes, before: int) -> bytes:
    """The letters that are the same whatever stands around, when so many bytes stand before, modulo three."""
    first, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
    return base64.b64encode(bytes(before) + raw)[first:end]


def _layers(content: bytes) -> Iterator[bytes]:
    """The content, and whatever in it is gzip."""
    yield content
    for found in _GZIP.finditer(content):
        try:
            yield zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content[found.start() :])
        except zlib.error:
            continue


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    return (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
