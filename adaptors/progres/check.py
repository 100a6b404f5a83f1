"""proGres' check: do the names lead somewhere, and who answers there? The engine loads it by its name.

The gateway knows no call that changes nothing, so nothing is sent to it: the connection is opened and closed again.
Our own certificates are looked at by the engine (`runner cert`).
"""

import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from adaptors.client import reveal
from adaptors.egress import opened
from adaptors.errors import JobError, Unreachable
from adaptors.findings import Finding, note, ok, wrong
from adaptors.promises import State
from adaptors.runtime import runtime_of
from adaptors.tls import certificate_slots, tls_context

FEW_DAYS = 30
_ADDRESSES = ("referral_url", "decision_url")


def snapshot(state: State, uses: Iterable[Any]) -> None:
    """None: the gateway tells nothing of itself."""


def labels(known: None) -> dict[str, dict[str, str]]:
    """None that it would tell."""
    return {}


def check(uses: Iterable[Any], lists: Iterable[Any], known: None) -> Iterator[Finding]:
    """Nothing can be said without asking."""
    return iter(())


def probe(state: State, uses: Iterable[Any]) -> Iterator[Finding]:
    """Findings on names, TLS and what else can be told without sending anything.

    >>> list(probe({"configuration": {"progres": {}}}, []))[0]["found"]
    'missing'
    """
    credential, now = state["configuration"]["progres"], runtime_of(state).now()
    for key in _ADDRESSES:
        if not credential.get(key):
            yield wrong(key, "missing", "See credentials.example/progres.yaml.")
    origins = dict.fromkeys(_origin(str(reveal(credential[key]))) for key in _ADDRESSES if credential.get(key))
    for origin in origins:
        for name, slot in zip(("certificate", "next_certificate"), certificate_slots(credential), strict=False):
            yield from _connection(origin, name, slot, now)
    yield from _header(credential)
    yield note("subscription key", "not tried: the gateway has no call that changes nothing")


def _origin(url: str) -> tuple[str, str, int]:
    address = httpx.URL(url)
    return address.scheme, address.host, address.port or (443 if address.scheme == "https" else 80)


def _connection(
    origin: tuple[str, str, int], name: str, credential: dict[str, Any], now: datetime
) -> Iterator[Finding]:
    """Whether a connection is opened with this one of our certificates (R-RT3)."""
    scheme, host, port = origin
    what = f"connection to {host} with our {name}"
    try:
        context = tls_context(credential, reveal) if scheme == "https" else None
        certificate = opened(host, port, context, addresses=str(reveal(credential.get("addresses") or "")))
    except (Unreachable, JobError) as error:
        yield wrong(what, str(error), str(error.fix or "Ask UNHCR."))
        return
    if not certificate:
        yield note(what, "opened, without TLS: a stand-in on this machine")
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - now).days
    if days < FEW_DAYS:
        yield note(what, f"opened; its certificate ends in {days} days", "Remind UNHCR.")
    else:
        yield ok(what, f"opened; its certificate is good for {days} days")


def _header(credential: dict[str, Any]) -> Iterator[Finding]:
    if credential.get("thumbprint_header"):
        yield ok("thumbprint header", str(credential["thumbprint_header"]))
    else:
        yield note("thumbprint header", "none is named", "Where UNHCR asks for one, name it: thumbprint_header.")
