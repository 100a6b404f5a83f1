"""The `alerts` table of the project file: who is told of what, when, and by which way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from runner.alerts.registry import SEVERITIES, Severity
from runner.errors import InvalidProject
from runner.project import Project
from runner.triggers import Trigger

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_NEVER = "never"
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Quiet:
    """From when until when nothing is told at once, unless it is as grave as `unless`; it may go past midnight."""

    begins: time
    ends: time
    unless: Severity | None = None

    def covers(self, clock: time) -> bool:
        """Whether it is quiet at this time of day.

        >>> Quiet(time(20), time(6)).covers(time(23)), Quiet(time(20), time(6)).covers(time(6))
        (True, False)
        """
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


@dataclass(frozen=True)
class Digest:
    """When all that needs a look is told again, as a trigger `cron`, and from which severity on."""

    trigger: Trigger
    least: Severity


@dataclass(frozen=True)
class Recipient:
    """Somebody who is told, by `way` (mail or webhook) with a credential. `jobs` are those that they want to hear of,
    all when there is none; `at_once` the least severity that is told at once, None where nothing is."""

    name: str
    way: str
    credential: str
    jobs: frozenset[str] = frozenset()
    at_once: Severity | None = None
    digest: Digest | None = None
    quiet: Quiet | None = None
    zone: ZoneInfo = _UTC

    def is_quiet(self, now: datetime) -> bool:
        """Whether nothing is told at once now, other than what is grave enough."""
        return self.quiet is not None and self.quiet.covers(now.astimezone(self.zone).time())


@dataclass(frozen=True)
class Settings:
    """The whole table. `pages` is an address for people, which each alert names, and `console` that of the console,
    from the table `console`, without an end slash; each alert names a page of it."""

    recipients: tuple[Recipient, ...] = ()
    pages: str = ""
    console: str = ""


def of(project: Project) -> Settings:
    """The settings of a project. Raises InvalidProject for what can't be meant.

    >>> from pathlib import Path
    >>> table = {"recipients": {"office": {"mail": "mail", "at_once": "error"}}}
    >>> of(Project(Path("project.yaml"), "x", {}, settings={"alerts": table})).recipients[0].at_once
    'error'
    """
    table = project.settings.get("alerts", {})
    zone = _zone(table.get("timezone", "UTC"))
    named = table.get("recipients", {})
    recipients = tuple(_recipient(name, entry, zone, project) for name, entry in named.items())
    console = project.settings.get("console", {}).get("url", "")
    return Settings(recipients, table.get("pages", ""), console.rstrip("/"))


def _recipient(name: str, entry: Mapping[str, Any], zone: ZoneInfo, project: Project) -> Recipient:
    where = f"alerts: {name}"
    way = "mail" if "mail" in entry else "webhook"
    if unknown := sorted(set(entry.get("jobs", ())) - project.jobs.keys()):
        raise InvalidProject(f"{where} names jobs that there aren't", fix=f"Take out {', '.join(unknown)}.")
    at_once = entry.get("at_once", _NEVER)
    if at_once == _NEVER and "digest" not in entry:
        raise InvalidProject(f"{where} is never told anything", fix="Give at_once, digest, or both.")
    return Recipient(
        name=name,
        way=way,
        credential=entry[way],
        jobs=frozenset(entry.get("jobs", ())),
        at_once=None if at_once == _NEVER else at_once,
        digest=_digest(entry["digest"], zone) if "digest" in entry else None,
        quiet=_quiet(entry["quiet"]) if "quiet" in entry else None,
        zone=zone,
    )


def _digest(entry: Mapping[str, Any], zone: ZoneInfo) -> Digest:
    at = time.fromisoformat(entry["at"])
    day = _DAYS.index(entry["on"]) if "on" in entry else "*"
    cron = Trigger("digest", "cron", f"{at.minute} {at.hour} * * {day}", timezone=zone.key)
    return Digest(cron, entry.get("least", SEVERITIES[0]))


def _quiet(entry: Mapping[str, Any]) -> Quiet:
    return Quiet(time.fromisoformat(entry["from"]), time.fromisoformat(entry["until"]), entry.get("unless"))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        fix = "Write it like Africa/Addis_Ababa."
        raise InvalidProject("alerts: timezone is none that is known", fix=fix) from None
