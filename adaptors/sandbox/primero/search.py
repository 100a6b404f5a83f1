"""The `query` of a list call: a part of an identifier, a name by its sound, or a phone number (primero-api §2.6)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from adaptors.sandbox.primero.config import Document
from adaptors.sandbox.primero.filters import Test
from adaptors.sandbox.primero.instance import Call

_NAMES = ("name", "name_nickname", "name_other")
_PHONES = ("telephone_current", "telephone_last")


def search_test(call: Call, id_fields: Iterable[str]) -> Test | None:
    """The test that `query` sets up, None without a query. Names are found only with `phonetic`."""
    query = (call.text("query") or "").strip()
    if not query:
        return None
    if call.text("phonetic") == "true":
        return _sounds_like(query)
    if call.text("phone_number") == "true":
        wanted = _digits(query)
        return lambda key, data: any(_digits(str(data.get(name) or "")) == wanted for name in _PHONES)
    part = query.casefold()
    return lambda key, data: any(part in str(data.get(name) or "").casefold() for name in id_fields)


def _sounds_like(query: str) -> Test:
    wanted = _sounds(query)

    def test(key: str, data: Document) -> bool:
        return any(not wanted.isdisjoint(_sounds(str(data.get(name) or ""))) for name in _NAMES)

    return test


def _sounds(text: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return {_sound(word) for word in re.findall(r"\w+", plain)}


def _sound(word: str) -> str:
    return word[0] + re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouyhw]", "", word[1:]))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
