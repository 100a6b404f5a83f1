"""Invented children: so many, from a seed, always the same ones.

Given names are common ones of the region; every family name means "sample", "trial" or the like, so that nobody takes
one of these for a person. Values are those that Primero holds in Gambella (exchanges.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

# The youngest was born on this day; birth dates don't move with the calendar, so that a seed gives the same for ever.
_NEWEST_BIRTH = date(2024, 6, 30)
_AGES = 16 * 365


@dataclass(frozen=True)
class Person:
    """A child. `number` counts from 1; `language` holds options of Primero; a name that is missing is empty text."""

    number: int
    origin: str
    name_first: str
    name_middle: str
    name_last: str
    name_nickname: str
    date_of_birth: date
    sex: str
    language: list[str]
    unhcr_individual_no: str
    unhcr_id_no: str
    telephone_current: str
    address_current: str

    def age_on(self, day: date) -> int:
        """Completed years on a day."""
        born = self.date_of_birth
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True)
class _Origin:
    name: str
    languages: list[str]
    girls: list[str]
    boys: list[str]
    families: list[str]


# Names are looked for among ids: none is of the letters a to f alone, nor ends as an outcome begins ("da", "withheld").
_ORIGINS = (
    _Origin(
        "Ethiopian",
        ["language5", "_amharic", "_oromo"],
        ["Hirut", "Bontu", "Selam", "Tsehay", "Lalise", "Meqdes", "ሰላም", "ብርቱካን"],
        ["Shiferaw", "Tolosa", "Tesfaye", "Gemechu", "Yonas", "Fikru", "ዳዊት", "አበበ"],
        ["Muketa", "Misale", "Namuna", "Sampleya", "ሙከራ", "ምሳሌ"],
    ),
    _Origin(
        "Nuer",
        ["language2"],
        ["Nyakuoth", "Nyaruach", "Nyamal", "Nyabol"],
        ["Gatluak", "Tut", "Chuol", "Both"],
        ["Demowar", "Trialtut", "Samplegat"],
    ),
    _Origin(
        "Anyuak",
        ["language1"],
        ["Ariet", "Achala", "Abang", "Akello"],
        ["Omot", "Ojulu", "Okello", "Obang"],
        ["Mockomot", "Testjulu", "Demobang"],
    ),
    _Origin(
        "Dinka",
        ["language3"],
        ["Achol", "Adut", "Nyandeng", "Abuk"],
        ["Deng", "Garang", "Majok", "Bol"],
        ["Sampledeng", "Mockmajok", "Trialbol"],
    ),
    _Origin(
        "Sudanese",
        ["_arabic"],
        ["مريم", "فاطمة", "آمنة", "زينب"],
        ["آدم", "إبراهيم", "يوسف", "عثمان"],
        ["تجربة", "مثال", "عينة", "نموذج"],
    ),
)
_CAMPS = ("Demo Camp", "Sample Camp", "Trial Settlement")
_OTHER_LANGUAGES = ("_english", "language6", "murle_fce1c91")
_RARE_SEXES = ("other_b25f252", "unknown_4b34795")


def people(number: int, seed: int) -> Iterator[Person]:
    """The first `number` people of a seed; a larger number begins with the same ones.

    >>> [child.unhcr_individual_no for child in people(2, seed=7)]
    ['GAM-07000001', 'GAM-07000002']
    """
    return islice(_everybody(seed), number)


def _everybody(seed: int) -> Iterator[Person]:
    chance = random.Random(f"people {seed}")
    number = 0
    while True:
        number += 1
        yield _person(number, seed, chance)


def _person(number: int, seed: int, chance: random.Random) -> Person:
    origin = _ORIGINS[(number - 1) % len(_ORIGINS)]
    sex = chance.choice(("female", "male")) if chance.random() < 0.96 else chance.choice(_RARE_SEXES)
    given = origin.girls if sex == "female" else origin.boys
    return Person(
        number=number,
        origin=origin.name,
        name_first=chance.choice(given),
        name_middle=chance.choice(origin.boys) if chance.random() < 0.6 else "",
        name_last=chance.choice(origin.families),
        name_nickname=chance.choice(given) if chance.random() < 0.2 else "",
        date_of_birth=_NEWEST_BIRTH - timedelta(days=chance.randrange(_AGES)),
        sex=sex,
        language=_languages(origin, chance),
        unhcr_individual_no=f"GAM-{seed % 100:02d}{number:06d}",
        unhcr_id_no=f"GAM-26-{(number + 2) // 3:08d}",
        telephone_current=f"+251 000 {chance.randrange(1000):03d} {chance.randrange(1000):03d}",
        address_current=f"{chance.choice(_CAMPS)} Zone {chance.choice('ABCD')} Block {chance.randrange(1, 40)}",
    )


def _languages(origin: _Origin, chance: random.Random) -> list[str]:
    further = [chance.choice(_OTHER_LANGUAGES)] if chance.random() < 0.2 else []
    return [chance.choice(origin.languages), *further]
