"""Languages of the console: catalogues of messages (.po), and which of them a browser gets.

Ours lie in `languages/`; a country's own folder adds languages, and its messages stand before ours. What a catalogue
lacks, or has marked as fuzzy, is shown in English.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.messages.pofile import PoFileError, read_po

from runner.errors import InvalidProject

OURS = Path(__file__).parent / "languages"
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")

_FIX = "Make it from messages.pot (docs/console.md, Languages)."
_ISOLATED = "\u2068\\g<0>\u2069"  # first strong isolate: what is put in doesn't turn the words around it
_LONGEST = 200  # characters of what a browser says that it reads
_WISH = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


@dataclass(frozen=True)
class Language:
    """One language: its `code` as browsers write it, its own `name`, and its messages by their English text.

    >>> french = Language("fr", {"Overview": "Vue d'ensemble"})
    >>> french.text("Overview"), french.text("unheard of"), french.name, french.direction
    ("Vue d'ensemble", 'unheard of', 'français', 'ltr')
    """

    code: str
    messages: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """As those call it who speak it."""
        return self._locale.get_display_name() or self.code

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML has it."""
        return self._locale.text_direction

    def text(self, message: str) -> str:
        """A message in this language, or as it is."""
        return self.messages.get(message, message)

    def moment(self, time: datetime) -> str:
        """A time in UTC, to the minute, as it is written in this language; in English as in the log.

        >>> Language("fr").moment(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
        '1 mars 2026 12:00 UTC'
        """
        time = time.astimezone(UTC)
        if self.code == "en":
            return f"{time:%Y-%m-%d %H:%M} UTC"
        return f"{format_datetime(time, 'd MMMM y HH:mm', locale=self._locale)} UTC"

    @property
    def _locale(self) -> Locale:
        return Locale.parse(self.code, sep="-")


ENGLISH = Language("en")


def languages(folder: Path | None = None) -> Mapping[str, Language]:
    """English, ours, and those of a country's folder, by code.

    Raises InvalidProject for a folder or catalogue that can't be read, or that isn't fit for the pages.
    """
    found = {"en": ENGLISH}
    for place in (OURS, folder) if folder else (OURS,):
        if not place.is_dir():
            raise InvalidProject("console: languages is no folder", fix="Name the folder of your .po files.")
        for path in sorted(place.glob("*.po")):
            code = _code(path)
            before = found.get(code, ENGLISH).messages
            found[code] = Language(code, {**before, **_messages(path, code)})
    return found


def chosen(known: Mapping[str, Language], cookie: str, accepted: str) -> Language:
    """The language that somebody chose, else the one that their browser asks for first, else English.

    >>> chosen({"en": ENGLISH, "fr": Language("fr")}, "", "de;q=0.9, fr-CH;q=0.8, en;q=0.2").code
    'fr'
    """
    if cookie in known:
        return known[cookie]
    by_code = {code.lower(): language for code, language in known.items()}
    for wish in _wishes(accepted):
        for code in (wish, wish.partition("-")[0]):
            if code in by_code:
                return by_code[code]
    return ENGLISH


def _wishes(accepted: str) -> Sequence[str]:
    """The codes of an Accept-Language, the dearest first; what isn't one is left out."""
    if len(accepted) > _LONGEST:
        return ()
    given = [match for part in accepted.split(",") if (match := _WISH.fullmatch(part))]
    weighed = [(float(match[2] or 1), match[1].lower()) for match in given]
    return [code for weight, code in sorted(weighed, key=lambda each: -each[0]) if weight > 0]


def _code(path: Path) -> str:
    try:
        Locale.parse(path.stem, sep="_" if "_" in path.stem else "-")
    except (ValueError, UnknownLocaleError):
        fix = "Name the file by a language's code, such as sw.po or pt_BR.po."
        raise InvalidProject(f"console: languages, {path.name} is named after no language", fix=fix) from None
    return path.stem.replace("_", "-")


def _messages(path: Path, code: str) -> Mapping[str, str]:
    """The messages of a catalogue that are translated."""
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except (PoFileError, ValueError, OSError):
        raise InvalidProject(f"console: languages, {path.name} can't be read", fix=_FIX) from None
    right_to_left = Language(code).direction == "rtl"
    found = {}
    for number, message in enumerate(catalogue):
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string and not message.fuzzy:
            if message.id and not is_fit(message.id, message.string):
                where = (
                    f"console: languages, {path.name}: message {number} has other places to fill in than its English"
                )
                raise InvalidProject(where, fix="Keep %(name)s and {name} as they are, and write no lone %.")
            found[message.id] = PLACE.sub(_ISOLATED, message.string) if right_to_left else message.string
    found.pop("", None)  # the catalogue's head
    return found


def is_fit(message: str, translation: str) -> bool:
    """Whether a translation has the same places to fill in, and nothing that would be taken for one more.

    >>> is_fit("Run %(id)s", "Exécution %(id)s"), is_fit("Run %(id)s", "Exécution"), is_fit("Run", "100 %")
    (True, False, False)
    """
    rest = PLACE.sub("", translation).replace("%%", "")
    return sorted(PLACE.findall(message)) == sorted(PLACE.findall(translation)) and not set(rest) & set("%{}")
