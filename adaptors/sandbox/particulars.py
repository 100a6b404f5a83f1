"""What a record tells of a child: the texts that must be found nowhere in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_MARKUP = re.compile(r"<[^>]*>|&\w+;")

SHORTEST = 5  # letters; shorter names are words of other languages, or found by chance

# In Primero's cases, and in the interventions that UNHCR sends.
_CASE = (
    *("name_first", "name_middle", "name_last", "name_nickname", "date_of_birth"),
    *("unhcr_individual_no", "unhcr_id_no", "telephone_current", "address_current"),
)
_INTERVENTION = (
    *("individuals.progres_givenname", "individuals.progres_familyname", "individuals.progres_dateofbirth"),
    *("individuals.progres_id", "individuals.progres_registrationgroupid", "progres_interventiondescription"),
)


def particulars(record: Mapping[str, Any]) -> list[str]:
    """Names, numbers, date of birth, where the child lives and what is written of it, each once.

    >>> particulars({"name_first": "Nyamal", "name_last": "Tut", "date_of_birth": "2014-05-17T00:00:00Z", "age": 12})
    ['Nyamal', '2014-05-17']
    """
    texts = (text for field in (*_CASE, *_INTERVENTION) for text in _texts(field, record.get(field)))
    return list(dict.fromkeys(text for text in texts if len(text) >= SHORTEST))


def _texts(field: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = value.get("Name")
    if isinstance(value, str):
        day_only = value[:10] if "date" in field else value
        # Of HTML the longest piece without markup, which is the same in what becomes of it.
        yield max(_MARKUP.split(day_only), key=len).strip()
