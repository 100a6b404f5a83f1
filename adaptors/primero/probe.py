"""What can only be asked of the live Primero: do filters filter, are pages granted, what time is it.

Nothing is changed. Whoever is looked for has no such number: `preflight-` and 32 random digits (primero-api §7, the
control test).
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from adaptors.findings import Finding, note, ok, unless, wrong
from adaptors.primero.connection import Primero, primero_of
from adaptors.primero.filters import IDENTIFIERS
from adaptors.primero.mapped import READING, Use
from adaptors.primero.pages import LARGEST_PAGE
from adaptors.promises import State
from adaptors.runtime import runtime_of

SKEW = timedelta(minutes=1)


def probe(state: State, uses: Iterable[Use]) -> Iterator[Finding]:
    """Findings on the live server. Raises what Primero's operations raise."""
    primero, runtime = primero_of(state), runtime_of(state)
    yield ok("reachable", f"Primero {'.'.join(map(str, primero.version))}")
    yield _clock(primero, runtime.now())
    yield from _filters(primero, _filtered(uses), f"preflight-{runtime.random.getrandbits(106):032d}")
    yield from _pages(primero)


def _clock(primero: Primero, now: Any) -> Finding:
    told = primero.send("GET", "/system_settings").headers.get("date")
    if not told:
        return note("clock", "the server doesn't tell the time (only a proxy in front of it does)")
    apart = abs(parsedate_to_datetime(told) - now)
    if apart > SKEW:
        found = f"{int(apart.total_seconds())} seconds apart from ours"
        return wrong("clock", found, "Set both clocks by a time server.")
    return ok("clock", "agrees with ours")


def _filtered(uses: Iterable[Use]) -> list[str]:
    """The identifiers by which jobs look for a child; what finds several would make a second case."""
    looked = {use["field"] for use in uses if use["step"] in (*READING, "upsert_case")}
    return sorted(looked & IDENTIFIERS) + sorted(looked & {"referred_users"})


def _filters(primero: Primero, fields: list[str], nobody: str) -> Iterator[Finding]:
    every = _total(primero, {})
    if not every:
        yield note("filters", "our account sees no case, so there is nothing to filter yet", "Check again later.")
        return
    faults = []
    for field in fields:
        name = f"{field}[0]" if field == "referred_users" else field
        plain, either = _total(primero, {name: nobody}), _total(primero, {f"or[{field}]": nobody})
        if plain or either:
            found = f"a number that nobody has finds {max(plain, either)} of {every} cases: Primero drops the filter"
            faults.append(wrong(f"filter {field}", found, "Let no job run; ask the host which version this is."))
    yield from unless(faults, "filters", f"{', '.join(fields)}: nobody is found for what nobody has")


def _total(primero: Primero, query: dict[str, str]) -> int:
    return primero.read_page("/cases", {**query, "fields": "case_id", "per": "1", "page": "1"})[1]


def _pages(primero: Primero) -> Iterator[Finding]:
    """A page far behind the last one: only what it grants is looked at."""
    per = primero.read_page("/cases", {"fields": "case_id", "per": str(LARGEST_PAGE), "page": "100000"})[2]
    if per < LARGEST_PAGE:
        yield note("pages", f"{per} cases at a time, not {LARGEST_PAGE}; reading takes more requests")
    else:
        yield ok("pages", f"{per} cases at a time")
