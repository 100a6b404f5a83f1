"""Whether a request is looked at: by whom, under which name, from which page, and how much of it."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from runner.errors import InvalidProject
from runner.inbox.origin import is_allowed
from runner.inbox.settings import Settings

_SIZE = 16_384
_FIELDS = 20
_SECONDS = 10
_OURSELVES = ("localhost", "127.0.0.1", "[::1]")
_FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """The request isn't looked at; `status` is what is answered."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def is_encrypted(settings: Settings) -> bool:
    """Whether browsers come by TLS, which we end, or a proxy does."""
    return bool(settings.certificate or settings.behind_proxy)


def hosts(settings: Settings) -> tuple[str, ...]:
    """The names by which browsers may ask. Raises InvalidProject where nobody can know them.

    >>> hosts(Settings("console"))
    ('localhost', '127.0.0.1', '[::1]')
    """
    if not settings.hosts and is_encrypted(settings):
        raise InvalidProject("console: hosts is missing", fix="Write the names by which browsers ask for it.")
    return settings.hosts or _OURSELVES


def check_sender(request: Request, settings: Settings, names: tuple[str, ...]) -> None:
    """Raise Refused for a sender who isn't let in, or a name that isn't ours: a page elsewhere may have made its own
    name lead here."""
    peer = request.client.host if request.client else None
    if not is_allowed(peer, ",".join(request.headers.getlist("x-forwarded-for")), settings):
        raise Refused(403)
    given = request.headers.getlist("host")
    if len(given) != 1 or _without_port(given[0]) not in names:
        raise Refused(421)


def check_origin(request: Request, settings: Settings) -> None:
    """Raise Refused for a form that wasn't sent by a page of ours; a browser tells that in one header at least."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    ours = f"{'https' if is_encrypted(settings) else 'http'}://{request.headers['host']}"
    if (origin is None and site is None) or origin not in (None, ours) or site not in (None, "same-origin"):
        raise Refused(403)


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form, each given once. Raises Refused for anything else, and for one that is too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused(415)
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _SIZE:
                    raise Refused(413)
    except TimeoutError:
        raise Refused(408) from None
    return fields_of(bytes(body))


def fields_of(text: bytes) -> Mapping[str, str]:
    """The fields of a form or an address. Raises Refused when one is given twice, or there are too many.

    >>> fields_of(b"id=a%20b&empty=")
    {'id': 'a b', 'empty': ''}
    """
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise Refused(400) from None
    if len(dict(pairs)) != len(pairs) or any("\0" in value for _, value in pairs):
        raise Refused(400)
    return dict(pairs)


def _without_port(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return name if port.isdecimal() and name else host.lower()
