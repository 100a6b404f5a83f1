"""Credentials: how to reach one system, one YAML file each, with secrets that print as asterisks.

A value may be `${NAME}`, taken from the environment, or `file:PATH`, taken from a file (relative to the credential).
The keys `ca_file`, `certificate`, `private_key` and `pkcs12` are paths of files and become absolute; so are the last
three with `next_` before them, which are the second slot of a client certificate. A secret is any other value whose
key has one of the words password, passphrase, secret, token or authorization in it, or ends in key (`subscription_key`,
`apiKey`). Files of a credential are refused when group or others can read them, and a `ca_file` when they can write it.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from runner import yamlfile
from runner.errors import InvalidCredential
from runner.yamlfile import Where

Credential = dict[str, Any]

SLOT_KEYS = ("certificate", "private_key", "pkcs12")
NEXT = "next_"
PATH_KEYS = ("ca_file", *SLOT_KEYS, *(NEXT + key for key in SLOT_KEYS))
_SECRET_WORDS = {"password", "passwd", "passphrase", "secret", "token", "authorization"}
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_FROM_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


class Secret:
    """A text that nothing prints; `reveal()` gives it to the one who sends it.

    >>> f"{Secret('open sesame')}", [Secret("open sesame")]
    ('**********', [Secret('**********')])
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        return "**********"

    def __repr__(self) -> str:
        return f"Secret('{self}')"

    def __format__(self, _form: str) -> str:
        return str(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither copied nor stored")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: Any) -> "Secret":
        return self


def is_secret(key: str) -> bool:
    """Whether the value under this key is a secret, by the words in its name.

    >>> [is_secret(key) for key in ("subscription_key", "apiKey", "pkcs12_password", "private_key", "user")]
    [True, True, True, False, False]
    """
    words = [word.lower() for word in _WORD.findall(key)]
    return key not in PATH_KEYS and bool(words) and (words[-1] == "key" or not _SECRET_WORDS.isdisjoint(words))


def leads_nowhere(credential: Mapping[str, Any]) -> bool:
    """Whether a credential has addresses, and all of them are this machine's: that of a stand-in.

    >>> leads_nowhere({"url": "http://127.0.0.1:4711"}), leads_nowhere({"url": "https://north.example.org"})
    (True, False)
    """
    addresses = [value for key, value in credential.items() if value and (key == "url" or key.endswith("_url"))]
    return bool(addresses) and all(_LOOPBACK.fullmatch(urlsplit(str(each)).hostname or "") for each in addresses)


def load(folder: Path, name: str) -> Credential:
    """Read `name.yaml` from a directory of credentials; its secrets come as Secret.

    Raises InvalidCredential when it is missing, wrong, or readable by others.

    >>> load(Path("credentials"), "north")["password"]  # doctest: +SKIP
    Secret('**********')
    """
    path = folder / f"{name}.yaml"
    if not path.exists():
        raise InvalidCredential(
            f"there is no credential {name} in {folder}",
            fix=f"Copy credentials.example/{name}.yaml to {path}, fill it in, and: chmod 600 {path}",
        )
    _refuse_if_others_read(path, path.name)
    document = yamlfile.read(path)
    return resolve(document.value, path.parent, document.place)


def resolve(values: Any, folder: Path, place: Callable[[Where], str] = lambda where: "configuration") -> Credential:
    """Make a credential of what was written down: references looked up, paths absolute, secrets concealed.

    `place(where)` tells where an entry stands. Raises InvalidCredential.

    >>> resolve({"url": "https://north.example.org", "password": "x"}, Path("."))["password"]
    Secret('**********')
    """
    if not isinstance(values, Mapping):
        raise InvalidCredential(f"{place(())}: a credential is a list of key: value", fix="See credentials.example/.")
    return {key: _resolved(key, value, folder, place((key,))) for key, value in values.items()}


def _resolved(key: str, value: Any, folder: Path, where: str) -> Any:
    if isinstance(value, (Mapping, list)):
        raise InvalidCredential(f"{where}: {key} must be one plain value", fix="See credentials.example/.")
    if key in PATH_KEYS:
        return _path(key, value, folder, where)
    if isinstance(value, str):
        value = _referenced(key, value, folder, where)
        _refuse_bad_url(key, value, where)
    if not is_secret(key) or value is None:
        return value
    if not isinstance(value, str):
        raise InvalidCredential(f"{where}: {key} looks like a number", fix="Put it in quotes, so that it stays a text.")
    return Secret(value)


def _referenced(key: str, value: str, folder: Path, where: str) -> str:
    if found := _FROM_ENVIRONMENT.fullmatch(value):
        if found[1] not in os.environ:
            raise InvalidCredential(f"{where}: the environment has no {found[1]}", fix=f"Set it: export {found[1]}=…")
        return os.environ[found[1]]
    if not value.startswith("file:"):
        return value
    path = folder / value.removeprefix("file:")
    _refuse_if_missing(path, f"{where}: {key}")
    _refuse_if_others_read(path, f"{where}: the file of {key}")
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InvalidCredential(f"{where}: the file of {key} can't be read", fix="It must be a text file.") from None


def _path(key: str, value: Any, folder: Path, where: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value.startswith("-----BEGIN"):
        raise InvalidCredential(f"{where}: {key} must be the path of a file", fix="Keep it in a file of mode 0600.")
    if _FROM_ENVIRONMENT.fullmatch(value):
        value = _referenced(key, value, folder, where)
    path = (folder / value.removeprefix("file:")).absolute()
    _refuse_if_missing(path, f"{where}: {key}")
    if key == "ca_file":
        _refuse_if_others_write(path, f"{where}: the file of {key}")
    else:
        _refuse_if_others_read(path, f"{where}: the file of {key}")
    return str(path)


def _refuse_if_missing(path: Path, what: str) -> None:
    if not path.is_file():
        raise InvalidCredential(f"{what} names a file that isn't there", fix="Paths start at the credential's folder.")


def _refuse_if_others_read(path: Path, what: str) -> None:
    if path.stat().st_mode & 0o077:
        raise InvalidCredential(f"{what} can be read by other users of this machine", fix=f"chmod 600 {path}")


def _refuse_if_others_write(path: Path, what: str) -> None:
    # Who can write it decides whom we believe.
    if path.stat().st_mode & 0o022:
        raise InvalidCredential(f"{what} can be changed by other users of this machine", fix=f"chmod go-w {path}")


def _refuse_bad_url(key: str, value: str, where: str) -> None:
    if not re.match(r"https?:", value, re.IGNORECASE):
        return
    try:
        parts = urlsplit(value)
        scheme, host, user = parts.scheme, parts.hostname or "", parts.username
    except ValueError:
        raise InvalidCredential(f"{where}: {key} is no address", fix="Write https://host/path.") from None
    if user is not None:
        raise InvalidCredential(f"{where}: {key} has a user in it", fix="Give user and password as keys of their own.")
    if scheme == "http" and not _LOOPBACK.fullmatch(host):
        raise InvalidCredential(
            f"{where}: {key} is plain http, which is for this machine only (127.0.0.1, localhost)",
            fix="Write https://…; for a private certificate authority, give its file as ca_file.",
        )
