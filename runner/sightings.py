"""What secrets, and what data of people, look like in a text: told by kind and place, never by value.

This finds what is written the usual way. It can't find a password that looks like a word, a name without a birth date
near it, what is encoded or compressed, or what an image shows.
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

KINDS = {
    "private_key": "a private key",
    "token": "a token",
    "password": "a password or key that is written out",
    "address_with_password": "an address with a password in it",
    "address_with_token": "an address with a token in it",
    "email": "an e-mail address that may be a person's",
    "phone": "a phone number",
    "person": "a name beside a date of birth",
}
SECRETS = tuple(KINDS)[:5]

# Every repetition has a bound, so that no text takes longer than its length.
_NAMED = (
    r"(?:password|passwd|passphrase|secret|token|authorization|(?:api|access|subscription|secret|"
    r"account|secondary|primary)[_-]?key|apikey)(?:[_-]\w{1,60})?"
)
_LITERAL = r"(?!\$\{|file:|[*<…{])[^\s\"'#,]{6,500}"
_SCHEME = r"\b[A-Za-z][\w+.-]{0,20}://"
_FORMS = {
    "private_key": r"-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----(?:\s|\\[nr]){0,4}[A-Za-z0-9+/]{40}",
    "token": (
        r"\beyJ[\w-]{10,500}\.eyJ[\w-]{10,2000}\.[\w-]{10}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bgithub_pat_\w{30}|"
        r"\bglpat-[\w-]{20}|\bxox[abprs]-[\w-]{10}|hooks\.slack\.com/services/\w|\bAIza[\w-]{35}|"
        r"\bAccountKey=[A-Za-z0-9+/]{40}|(?i:\bbearer [a-z0-9._~+/-]{24})|(?i:key)\W{1,4}[0-9a-fA-F]{32}\b"
    ),
    "address_with_password": _SCHEME + r"[^/\s:@\"'<>{}]{0,100}:(?!\$\{)[^/\s@\"'<>{}*…]{1,200}@",
    "address_with_token": (
        _SCHEME + r"[^\s\"'<>?]{1,500}\?(?:[^\s\"'<>]{0,500}&)?"
        r"(?i:[\w-]{0,30}(?:token|secret|password|key|sig|signature|code))=(?!\$\{)[^&\s\"'<>{}…*]{8}"
    ),
    "email": (
        r"(?i:(?<![\w.+-])[\w.+-]{1,64}@(?!(?:[\w-]{1,63}\.){0,9}"
        r"(?:example\.(?:org|com|net)|example|test|invalid|localhost)\b)(?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,20}\b)"
    ),
    "phone": r"(?<![\w.+:-])\+[1-9](?:[ ().-]?\d){8,13}(?!\w|[.:]\d)",
}
_EVERYWHERE = {kind: re.compile(form) for kind, form in _FORMS.items()}
_QUOTED = re.compile(rf"(?i:{_NAMED})[\"']?\s{{0,9}}[:=]\s{{0,9}}[rbf]?([\"']){_LITERAL}\1")
_BARE = re.compile(
    rf"(?im:^[ \t-]{{0,80}}(?:export )?[\"']?(?:[\w.-]{{0,60}}[_.-])?{_NAMED}[\"']?[ \t]{{0,9}}[:=][ \t]{{0,9}}"
    rf"[\"']?{_LITERAL}[\"']?,?[ \t]{{0,80}}(?:[#;].{{0,500}})?$)"
)

_NAME = r"(?:(?:first|given|last|family|sur|middle|full)[_ .-]?name|name[_ .-](?:first|given|last|family|middle|full))"
_BIRTH = r"(?:date[_ .-]?of[_ .-]?birth|birth[_ .-]?da(?:te|y)|\bdob\b)"
_A_NAME = re.compile(rf"(?i){_NAME}\w{{0,60}}[\"']?\s{{0,9}}[:=]\s{{0,9}}[\"']?[^\W\d_]{{2,}}")
_A_BIRTH = re.compile(rf"(?i){_BIRTH}\w{{0,60}}[\"']?\s{{0,9}}[:=]\s{{0,9}}[\"']?\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}")
_NEAR = 2_000  # characters between a name and a date of birth that belong together
_HEADINGS = re.compile(
    rf"(?i)(?=.{{0,5000}}{_NAME})(?=.{{0,5000}}{_BIRTH})[^\n,;\t]{{0,500}}[,;\t][^\n]{{0,5000}}\n[^\n]{{0,500}}\w[^\n]{{0,500}}[,;\t]"
)


@dataclass(frozen=True)
class Sighting:
    """That something stands in a text: its kind, and where it begins, counted from 1."""

    kind: str
    line: int
    column: int


def secrets(text: str, *, bare: bool = False) -> Iterator[Sighting]:
    """The secrets in a text. With `bare`, as in YAML, a password needs no quotes to be one.

    >>> list(secrets('url = "https://bridge:open-sesame@north.example.org"'))
    [Sighting(kind='address_with_password', line=1, column=8)]
    """
    found = {
        (kind, match.start()) for kind in SECRETS if kind in _EVERYWHERE for match in _EVERYWHERE[kind].finditer(text)
    }
    found |= {("password", match.start()) for match in (_BARE if bare else _QUOTED).finditer(text)}
    return _placed(text, found)


def people(text: str, forms: Mapping[str, re.Pattern[str]]) -> Iterator[Sighting]:
    """Data of people in a text; `forms` are those of numbers that a project knows, by kind.

    >>> [sighting.kind for sighting in people('given_name: Nyaruot\\nbirth_date: 2014-02-28\\n', {})]
    ['person']
    """
    known = {kind: _EVERYWHERE[kind] for kind in ("email", "phone")} | dict(forms)
    found = {(kind, match.start()) for kind, form in known.items() for match in form.finditer(text)}
    names = [match.start() for match in _A_NAME.finditer(text)]
    births = [match.start() for match in _A_BIRTH.finditer(text)]
    found |= {("person", birth) for birth in births if bisect(names, birth + _NEAR) > bisect(names, birth - _NEAR)}
    if table := _HEADINGS.match(text):
        found.add(("person", table.start()))
    return _placed(text, found)


def secret_in(value: str) -> str | None:
    """What kind of secret a value has in it, whatever its name; None where it has none.

    >>> secret_in("https://north.example.org/hook?token=0123456789"), secret_in("every day")
    ('address_with_token', None)
    """
    return next((kind for kind in SECRETS if kind in _EVERYWHERE and _EVERYWHERE[kind].search(value)), None)


def _placed(text: str, found: Iterable[tuple[str, int]]) -> Iterator[Sighting]:
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    for kind, start in sorted(found, key=lambda each: (each[1], each[0])):
        line = bisect(lines, start)
        yield Sighting(kind, line, start - lines[line - 1] + 1)
