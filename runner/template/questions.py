"""What a template asks of each country, and which answers are right.

questions:
  desk_user:
    asks: the user at the desk
    form: word                                  # one of FORMS
    example: desk_1
    written: {north_to_south.py: [DESK_USER]}   # by file of the new folder: constants, tables, keys with dots
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from runner import yamlfile
from runner.errors import InvalidProject, WrongUse
from runner.yamlfile import Document

FILE = "questions.yaml"

Answer = str | dict[str, str]

_TEXT = re.compile(r"\S(.{0,98}\S)?")
_KEYS = {"asks", "form", "example", "written"}


@dataclass(frozen=True)
class Question:
    """One thing that differs: `written` tells by file under which names the answer stands there."""

    name: str
    asks: str
    form: str
    example: Answer
    written: dict[str, list[str]]

    @property
    def takes_lines(self) -> bool:
        """Whether its answer is a table, which takes a line for each entry."""
        return self.form in _TABLES

    def answer(self, given: Any) -> Answer:
        """What was given, when it is right. Raises WrongUse with the form that is wanted; it tells no value.

        >>> Question("desk", "the user at the desk", "word", "desk_1", {}).answer("desk_2")
        'desk_2'
        """
        known: Answer = {key: _text(value) for key, value in given.items()} if isinstance(given, dict) else _text(given)
        is_right, wanted = FORMS[self.form]
        if not is_right(known):
            raise WrongUse(f"{self.name}: this is not {wanted}", fix=f"Say {self.asks}, such as: {shown(self.example)}")
        return known


def read(folder: Path) -> list[Question]:
    """The questions of a template, in order. Raises UnreadableFile, InvalidYaml, or InvalidProject with the line.

    >>> [question.name for question in read(Path("jobs"))]  # doctest: +SKIP
    ['desk_user']
    """
    document = yamlfile.read(folder / FILE)
    table = document.value
    entries = table.get("questions") if isinstance(table, dict) and len(table) == 1 else None
    if not isinstance(entries, dict) or not entries:
        raise _wrong(document, (), "it holds a table questions, and nothing else")
    return [_question(document, name, entry) for name, entry in entries.items()]


def shown(answer: Answer) -> str:
    """An answer as it is written in one line.

    >>> shown({"north": "desk_1", "south": "desk_2"})
    '{north: desk_1, south: desk_2}'
    """
    if isinstance(answer, str):
        return answer
    return f"{{{', '.join(f'{key}: {value}' for key, value in answer.items())}}}"


def _question(document: Document, name: str, entry: Any) -> Question:
    where = ("questions", name)
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise _wrong(document, where, f"a question has {', '.join(sorted(_KEYS))}")
    if entry["form"] not in FORMS:
        raise _wrong(document, (*where, "form"), f"forms are {', '.join(FORMS)}")
    written = entry["written"]
    if not isinstance(written, dict) or not all(isinstance(names, list) and names for names in written.values()):
        raise _wrong(document, (*where, "written"), "files, and for each a list of names")
    return Question(name=name, **entry)


def _wrong(document: Document, where: tuple[str, ...], message: str) -> InvalidProject:
    return InvalidProject(f"{document.place(where)}: {message}", fix="See the head of runner/template/questions.py.")


def _text(value: Any) -> str:
    """A whole number is taken as it was written; what YAML takes for anything else is no text."""
    is_written_so = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_written_so else ""


def _is_text(answer: Answer) -> bool:
    return isinstance(answer, str) and answer.isprintable() and _TEXT.fullmatch(answer) is not None


def _matches(pattern: str) -> Callable[[Answer], bool]:
    form = re.compile(pattern)
    return lambda answer: _is_text(answer) and form.fullmatch(str(answer)) is not None


def _is_zone(answer: Answer) -> bool:
    try:
        return _is_text(answer) and bool(ZoneInfo(str(answer)))
    except (OSError, ValueError, KeyError):
        return False


def _is_table(answer: Answer) -> bool:
    return isinstance(answer, dict) and all(map(_is_text, (*answer, *answer.values())))


# Whether an answer is right, and what it should be.
FORMS: dict[str, tuple[Callable[[Answer], bool], str]] = {
    "text": (_is_text, "one line of at most 100 signs (in quotes, if it looks like a number)"),
    "word": (_matches(r"[^\s\"'\\]+"), "one word, without blanks and quotes"),
    "address": (_matches(r"https://[^\s/@?#]+(/[^\s?#]*)?"), "an address that begins with https://"),
    "email": (_matches(r"[^\s@]+@[^\s@]+\.[^\s@]+"), "an e-mail address"),
    "zone": (_is_zone, "the name of a time zone"),
    "table": (lambda answer: _is_table(answer) and bool(answer), "a table of texts with one entry or more"),
    "table_or_none": (_is_table, "a table of texts; {} is an empty one"),
}
_TABLES = ("table", "table_or_none")
