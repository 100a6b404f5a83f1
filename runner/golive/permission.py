"""Whether production may run: what was checked, signed and overridden, as the audit log tells it.

With the profile `production` no job starts unless the agencies' checklist (checklist.py) was passed, or an
administrator has overridden it with a reason, for the very configuration that is to run: the hash over project file,
job scripts and program. When one of them changes, the checklist is gone through again; what people have signed stays
signed as long as that which they signed is the same. Other profiles aren't held up.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from runner.errors import Invalid, WrongUse
from runner.logs import reasons
from runner.places import Places
from runner.provenance import Provenance
from runner.store import AuditLine, Store

FIX = "Look what is missing: runner golive --profile production"

_NAME = re.compile(r"[^\W\d_][^\W\d_ .,'’()-]*(?:[ .,'’()-]+[^\W\d_]+)*\.?")
_LONGEST_NAME = 80  # characters


@dataclass(frozen=True)
class Signature:
    """That a person confirmed a row on a day; `about` is the hash of what they confirmed."""

    row: str
    name: str
    day: date
    about: str


def is_held(store: Store, places: Places, made_of: Provenance) -> bool:
    """Whether jobs must not start here: in production, as long as the checklist wasn't passed for what would run.

    Of several checks the last one counts; an override counts until the configuration changes.
    """
    if not places.production:
        return False
    mine = [line for line in _entries(store, "golive_checked") if _is_of(line, made_of)]
    passed = bool(mine) and mine[-1].about.get("code") == "passed"
    return not passed and override(store, made_of) is None


def refuse_held(store: Store | None, places: Places, made_of: Provenance) -> None:
    """Raises Invalid where jobs must not start; without a store nobody can know."""
    if places.production and (store is None or is_held(store, places, made_of)):
        raise Invalid("the go-live checklist wasn't passed for this configuration, so that no job may run", fix=FIX)


def override(store: Store, made_of: Provenance) -> AuditLine | None:
    """The last entry by which the checklist was overridden for this configuration."""
    return next((line for line in reversed(_entries(store, "golive_overridden")) if _is_of(line, made_of)), None)


def rehearsal(store: Store, made_of: Provenance) -> AuditLine | None:
    """The last entry of a rehearsal of this configuration, however it ended."""
    return next((line for line in reversed(_entries(store, "golive_rehearsed")) if _is_of(line, made_of)), None)


def systems_check(store: Store, made_of: Provenance) -> AuditLine | None:
    """The last entry of a check of the live systems for this configuration, however it ended."""
    return next((line for line in reversed(_entries(store, "systems_checked")) if _is_of(line, made_of)), None)


def record_check(store: Store, results: Mapping[str, str], made_of: Provenance, *, passed: bool, now: datetime) -> None:
    """Write the result of each row into the audit log."""
    code = "passed" if passed else "open"
    told = {"commit": made_of.version, "configuration": made_of.configuration, "code": code}
    store.record("golive_checked", now=now, **told, **results)


def sign(store: Store, row: str, name: str, *, day: date, about: str, now: datetime) -> None:
    """Write down that a person confirmed a row. Raises WrongUse for what can't be a name, or a day to come."""
    if not _NAME.fullmatch(name) or not 2 <= len(name) <= _LONGEST_NAME:
        raise WrongUse("this can't be a name", fix="Give the name of the officer who signs, in letters.")
    if day > now.astimezone(UTC).date():
        raise WrongUse("the day is still to come", fix="Give the day on which it was confirmed.")
    store.record("golive_signed", now=now, row=row, name=name, day=datetime.combine(day, time(), UTC), hash=about)


def override_with(store: Store, reason: str, made_of: Provenance, *, now: datetime) -> None:
    """Let jobs of this configuration start all the same. Raises WrongUse for a reason that isn't plain words."""
    reasons.refuse_unkept(reason)
    store.record("golive_overridden", now=now, configuration=made_of.configuration, reason=reason)


def signatures(store: Store) -> list[Signature]:
    """All that were given, the oldest first."""
    given = [line.about for line in _entries(store, "golive_signed")]
    return [Signature(each["row"], each["name"], _day(each["day"]), each["hash"]) for each in given]


def digest(*about: str) -> str:
    """The hash of what a person confirms: when it changes, it has to be confirmed again.

    >>> digest("bridge")[:12]
    '17f29b073143'
    """
    return hashlib.sha256("\n".join(about).encode()).hexdigest()


def _entries(store: Store, event: str) -> list[AuditLine]:
    return store.audit_log(event=event)


def _is_of(line: AuditLine, made_of: Provenance) -> bool:
    return made_of.configuration is not None and line.about.get("configuration") == made_of.configuration


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
