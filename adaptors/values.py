"""What mappings are made of beside plain paths: look-ups, dates, ages, plain text.

Each of these works on a promise, in a mapping, and on a value at hand, in a function; only `age` needs the run's clock
and is always a promise.
"""

import datetime
import html
import re
import sys
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from adaptors.errors import InvalidData, JobError, MappingError
from adaptors.promises import Promise, State, about, promised, reads_of, resolve, rules_of
from adaptors.rules import Rule
from adaptors.runtime import runtime_of

_CLOSED: Any = object()
_SHOWABLE = re.compile(r"[A-Za-z0-9 _.\-/]{1,40}")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)


def lookup(table: dict[str, Any], value: Any, *, default: Any = _CLOSED, code: str = "unknown_code") -> Any:
    """What `table` holds for `value`; a list element by element; absent, null and empty stay absent.

    Letter case is ignored, since Primero's options come in both, and numbers are compared as text, since proGres
    sends them as either. The table is closed unless a `default` is written: a missing key raises MappingError, with
    `code` as its code, naming table, key and job file. The key is shown only when it is short and plain.

    >>> lookup({"125080000": "female"}, 125080000)
    'female'
    >>> lookup({"language1": "Anyuak"}, ["language1", "language99"], default="Other")
    ['Anyuak', 'Other']
    """
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise JobError("lookup() needs a table with text keys first", fix='Write lookup({"key": "value"}, …).')
    name = _name_of(table)
    folded: dict[str, Any] = {}
    for key, found in table.items():
        # Two keys that differ in letter case only stand for themselves.
        folded[key.casefold()] = _CLOSED if key.casefold() in folded else found

    def one(key: Any, default: Any) -> Any:
        if key is None or key == "":
            return None
        if isinstance(key, list):
            return [one(element, default) for element in key if element not in (None, "")]
        text = code_text(key)
        found = table[text] if text in table else folded.get(text.casefold(), _CLOSED)
        if found is not _CLOSED:
            return found
        if default is not _CLOSED:
            return default
        shown = f'"{text}"' if _SHOWABLE.fullmatch(text) else f"of {len(text)} characters"
        raise MappingError(
            f"{name} has no key {shown}",
            code=code,
            fix=f"If it is agreed, add the key to {name}; else the sender must use another.",
        )

    return promised("lookup", one, value, default, rule=_rule(name, default))


def date(value: Any, *, time: bool = False) -> Any:
    """A real calendar date as `YYYY-MM-DD`; with `time`, a moment in UTC, midnight for a bare date.

    Only ISO dates are read, nothing is guessed: else InvalidData.

    >>> date("2012-02-29T21:00:00Z"), date("2012-02-29", time=True)
    ('2012-02-29', '2012-02-29T00:00:00Z')
    """

    def one(text: Any) -> str | None:
        if text is None or text == "":
            return None
        day, clock, zone = _date_parts(text)
        if not time:
            return day
        return _moment(day, clock, zone).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"

    return promised("date", one, value, rule=Rule("date and time, in UTC" if time else "date"))


def age(value: Any) -> Promise:
    """Completed years today of somebody born on the date at `value`. A date in the future is InvalidData.

    >>> 9 < resolve(age("2012-02-29"), {}) < 120
    True
    """

    def years(state: State) -> int | None:
        try:
            return _completed_years(date(resolve(value, state)), runtime_of(state).now().date())
        except InvalidData as error:
            raise about(error, [value]) from None

    return Promise("age(…)", reads_of([value]), years, rules=(*rules_of([value]), Rule("completed years today")))


def text(value: Any) -> Any:
    """Plain text: markup removed, blanks at the ends stripped, nothing left is None. Objects and lists are refused.

    >>> text("<p>Lives with <b>aunt</b> &amp; uncle</p><p>Nasir</p>")
    'Lives with aunt & uncle\\nNasir'
    >>> text("weight < 20 kg")
    'weight < 20 kg'
    """

    def one(value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, (dict, list, bool)):
            raise InvalidData("an object, a list or a tick where text belongs", fix="Ask the sender to correct it.")
        return _plain(code_text(value)) or None

    return promised("text", one, value, rule=Rule("plain text"))


def join(separator: str, *values: Any) -> Any:
    """The values that are not empty, in order, with the separator between; None when all are empty.

    >>> join(" ", "Gambella", None, "", "Itang")
    'Gambella Itang'
    """

    def one(*parts: Any) -> str | None:
        flat = [inside for part in parts for inside in (part if isinstance(part, list) else [part])]
        return separator.join(kept for kept in (text(inside) for inside in flat) if kept) or None

    return promised("join", one, *values, rule=Rule(f'those that are not empty, with "{separator}" between'))


def code_text(value: Any) -> str:
    """A code as text: option sets arrive as texts and, now and then, as numbers.

    >>> code_text(125080001)
    '125080001'
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name_of(table: dict[str, Any]) -> str:
    """The name under which the calling job knows its table, and the job's file."""
    frame = sys._getframe(2)
    name = next((name for name, held in frame.f_globals.items() if held is table), "a table")
    file = frame.f_globals.get("__file__")
    return f"{name} in {Path(file).name}" if file else name


def _rule(table: str, default: Any) -> Rule:
    """What a look-up does, in words; a default that is a promise is as good as no look-up."""
    name = table.partition(" in ")[0]
    if default is _CLOSED:
        return Rule(f"by the table {name}; what isn't in it is refused", names=(name,), refuses=True)
    if isinstance(default, Promise):
        return Rule(f"by the table {name}; what isn't in it stays as it is", names=(name,))
    return Rule(f"by the table {name}", names=(name,), default=default)


def _completed_years(birth: str | None, today: datetime.date) -> int | None:
    if birth is None:
        return None
    born = datetime.date.fromisoformat(birth)
    if born > today:
        raise InvalidData("the date lies in the future", fix="Ask the sender to correct it.")
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _date_parts(text: Any) -> tuple[str, str | None, str | None]:
    match = _DATE.fullmatch(text.strip()) if isinstance(text, str) else None
    try:
        if match is None:
            raise ValueError
        day, clock, zone = match.groups()
        _moment(day, clock, zone)
    except (ValueError, OverflowError):
        raise InvalidData("not a real date of the form YYYY-MM-DD", fix="Ask the sender to correct it.") from None
    return day, clock, zone


def _moment(day: str, clock: str | None, zone: str | None) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or '+00:00'}")
    return moment.astimezone(datetime.UTC)


_LINES = "address article blockquote br dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul"
_WORDS = "a abbr b bdi bdo big body center cite code del em font head html i img ins kbd label mark meta o:p q s small"
_WORDS += " span strike strong sub sup tbody td tfoot th thead time title tt u var wbr link"
_BLANKS = dict.fromkeys(_LINES.split(), "\n") | {"td": " "}
_TAG = re.compile(rf"</?({'|'.join((_LINES + ' ' + _WORDS).split())})(?=[\s/>])[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HIDDEN = (("<!--", "-->"), ("<style", "</style>"), ("<script", "</script>"))
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)  # str.lower() makes some texts longer


def _plain(value: str) -> str:
    """Text without markup, in time that grows with its length only (html.parser's is quadratic on hostile input)."""
    value = _CONTROLS.sub("", value.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n"))
    if "<" in value:
        bare = value
        for start, end in _HIDDEN:
            bare = _without(bare, start, end)
        bare = _TAG.sub(lambda tag: _BLANKS.get(tag[1].lower(), ""), bare)
        if bare != value:
            bare = re.sub(r"[ \t\xa0]+", " ", bare)
            value = re.sub(r" ?\n[ \n]*", "\n", bare)
    return _ENTITY.sub(lambda entity: _CONTROLS.sub("", html.unescape(entity[0])), value).strip()


def _without(value: str, start: str, end: str) -> str:
    """`value` without what stands between `start` and `end`; what never ends is left as it is."""
    low, kept, place = value.translate(_LOWER), [], 0
    while (begin := low.find(start, place)) >= 0 and (stop := low.find(end, begin)) >= 0:
        kept.append(value[place:begin])
        place = stop + len(end)
    return "".join(kept) + value[place:]
