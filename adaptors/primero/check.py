"""Primero's check: is what the jobs take for granted true of this country's Primero? The engine loads it by its name.

    snapshot(state, uses)   what this Primero knows of itself; asks, changes nothing
    labels(known)           what it calls its fields, for the specification that people sign
    check(uses, lists, known)  findings on what the jobs use, with no network
    probe(state, uses)      findings that only the live server can give; asks, changes nothing

`uses` are the fields that jobs use (mapped.py), `lists` the lists in their scripts, `known` is a snapshot
(snapshot.py). Findings are those of `adaptors.findings`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from adaptors.findings import Finding, note, ok, unless, wrong
from adaptors.primero import rights
from adaptors.primero.mapped import Use, of_fields, of_lists
from adaptors.primero.pages import Record
from adaptors.primero.probe import probe
from adaptors.primero.snapshot import labels, user_names
from adaptors.primero.snapshot import snapshot as ask
from adaptors.promises import State

__all__ = ["check", "labels", "probe", "snapshot"]

KNOWN_VERSIONS = ((2, 6), (2, 15))  # from, and up to but without


def snapshot(state: State, uses: Iterable[Use]) -> Record:
    """What this Primero knows of itself, as far as these jobs depend on it."""
    return ask(state, user_names(uses))


def check(uses: Iterable[Use], lists: Iterable[dict[str, Any]], known: Record) -> Iterator[Finding]:
    """Findings on all that jobs take for granted, against a snapshot.

    >>> known = {"version": "2.14.5", "forms": [], "lookups": [], "role": None, "users": {}}
    >>> next(check([], [], known))["found"]
    '2.14.5'
    """
    uses = list(uses)
    yield _version(str(known.get("version") or ""))
    yield from rights.of_role((use["step"] for use in uses), known.get("role"))
    yield from of_fields(uses, known)
    yield from of_lists(lists, uses, known)
    yield from unless(_users(uses, known.get("users") or {}), "users", "those that jobs name are there and enabled")


def _version(told: str) -> Finding:
    numbers = tuple(int(part) for part in told.split(".")[:2] if part.isdigit())
    if numbers and not KNOWN_VERSIONS[0] <= numbers < KNOWN_VERSIONS[1]:
        return note("version", f"{told} was not tried yet", "Rehearse before going live, and watch the first days.")
    return ok("version", told) if numbers else note("version", "the server doesn't tell which it is")


def _users(uses: Iterable[Use], users: Record) -> Iterator[Finding]:
    for use, name in _named(uses):
        told, what = users.get(name), f"{use['job']}: user {name}"
        receives = use["field"] != "owned_by"
        if told is None:
            found = "there is no such user, or our role may not see it"
            yield wrong(what, found, "Correct the name (case counts), or create the user; our role needs user: read.")
        elif not told["enabled"]:
            yield wrong(what, "disabled", "Enable the user in Primero, or name another.")
        elif receives and not told["receives_referrals"]:
            yield wrong(what, "can't receive referrals", "Give the user's role receive_referral in Primero.")


def _named(uses: Iterable[Use]) -> Iterator[tuple[Use, str]]:
    met = set()
    for use in uses:
        for name in sorted(user_names([use])):
            if (use["job"], name) not in met:
                met.add((use["job"], name))
                yield use, name
