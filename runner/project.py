"""The project file: which jobs there are, what starts each, and which credentials it gets."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from runner import schema, sightings, yamlfile
from runner.credentials import is_secret
from runner.errors import InvalidProject, UnreadableFile, first_of
from runner.triggers import Trigger, can_both_match, unreadable_time
from runner.yamlfile import Document, Where

_FROM_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")
# Each is read where it is used.
_TABLES = ("retry", "retention", "inbox", "keys", "log", "audit", "alerts", "metrics", "console")
_REFERENCE = re.compile(r"\$\{\w+\}|file:.+")


@dataclass(frozen=True)
class Job:
    """One job as the project file names it; `credentials` goes from the name that the job uses to that of the file."""

    name: str
    script: Path
    triggers: tuple[Trigger, ...] = ()
    credentials: dict[str, str] = field(default_factory=dict)
    enabled: bool = True
    timeout: float | None = None
    workers: int = 1

    @property
    def is_scheduled(self) -> bool:
        """Whether it has a trigger `cron`, and so reads on from its cursor."""
        return any(trigger.kind == "cron" for trigger in self.triggers)

    @property
    def delivers_to(self) -> str | None:
        """The system whose waiting answers this job delivers, where it has a trigger `outbox`."""
        return next((trigger.value for trigger in self.triggers if trigger.kind == "outbox"), None)


@dataclass(frozen=True)
class Project:
    """A project file that was found right; `warnings` are sentences about what is probably not meant."""

    path: Path
    name: str
    jobs: dict[str, Job]
    purpose: str | None = None
    agreement: str | None = None
    store: str | None = None
    signed: str | None = None
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def credentials(self) -> frozenset[str]:
        """The names of all credentials that are used: by jobs, and to tell people."""
        told = self.settings.get("alerts", {}).get("recipients", {}).values()
        by_jobs = (file for job in self.jobs.values() for file in job.credentials.values())
        return frozenset([*by_jobs, *(each.get("mail") or each["webhook"] for each in told)])

    @property
    def folder(self) -> Path:
        """Where paths in the project file begin."""
        return self.path.parent


def load(path: Path) -> Project:
    """Read and check a project file. Raises InvalidProject with the place of everything that is wrong.

    >>> load(Path("project.yaml")).jobs  # doctest: +SKIP
    {'north_to_south': Job(name='north_to_south', …)}
    """
    if not path.is_file():
        raise UnreadableFile(f"there is no project file {path}", fix="Go to the project's folder, or give --project.")
    document = yamlfile.read(path)
    _refuse(document, _misshapen(document))
    table = document.value
    triggers = {name: Trigger.read(name, entry) for name, entry in table.get("triggers", {}).items()}
    _refuse(document, [*_secrets(table), *_wrong_jobs(table, path.parent), *_wrong_triggers(table, triggers)])
    jobs = {name: _job(name, entry, path.parent, triggers) for name, entry in table["jobs"].items()}
    return Project(
        path=path,
        name=table["name"],
        jobs=jobs,
        purpose=table.get("purpose"),
        agreement=table.get("agreement"),
        store=table.get("store"),
        signed=table.get("signed"),
        settings={name: table.get(name, {}) for name in _TABLES},
        warnings=tuple(f"{document.place(where)}: {message}" for where, message in _doubtful(jobs, triggers)),
    )


def store_at(path: Path) -> str | None:
    """The address of the database that a project file names by `store`; None where it names none.

    Raises InvalidProject, also where it names a part of the environment that isn't there.

    >>> store_at(Path("project.yaml"))  # doctest: +SKIP
    'postgresql://bridge@db.example/bridge'
    """
    address = load(path).store
    if address and (found := _FROM_ENVIRONMENT.fullmatch(address)):
        address = os.environ.get(found[1])
        if not address:
            fix = f"Set it: export {found[1]}=postgresql://…"
            raise InvalidProject(f"{path.name}: the environment has no {found[1]}", fix=fix)
    return address


Problem = tuple[Where, str, str]


def _refuse(document: Document, problems: Sequence[Problem]) -> None:
    if problems:
        raise first_of(
            [InvalidProject(f"{document.place(where)}: {message}", fix=fix) for where, message, fix in problems]
        )


def _misshapen(document: Document) -> list[Problem]:
    shape = schema.project_schema()
    return [] if schema.fits(document.value, shape) else list(schema.complaints(document.value, shape))


def _job(name: str, entry: dict[str, Any], folder: Path, triggers: dict[str, Trigger]) -> Job:
    credentials = entry.get("credentials", [])
    return Job(
        name=name,
        script=folder / entry["script"],
        triggers=tuple(triggers[trigger] for trigger in _triggers_of(entry)),
        credentials=credentials if isinstance(credentials, dict) else {each: each for each in credentials},
        enabled=entry.get("enabled", True),
        timeout=entry.get("timeout"),
        workers=entry.get("workers", 1),
    )


def _triggers_of(entry: dict[str, Any]) -> list[str]:
    named = entry.get("trigger", [])
    return [named] if isinstance(named, str) else named


def _secrets(value: Any, where: Where = ()) -> Iterator[Problem]:
    """Literal secrets, which have no place in a file under version control."""
    fix = "Write it into the credential's file, or take it from there: ${NAME} or file:PATH."
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _secrets(inner, (*where, key))
    elif isinstance(value, str) and (kind := sightings.secret_in(value)):
        yield where, f"{sightings.KINDS[kind]} stands here", fix
    elif where and isinstance(where[-1], str) and is_secret(where[-1]) and not _REFERENCE.fullmatch(str(value)):
        yield where, f"{where[-1]} holds a secret", fix


def _wrong_jobs(table: dict[str, Any], folder: Path) -> Iterator[Problem]:
    triggers = table.get("triggers", {})
    for name, entry in table["jobs"].items():
        if not (folder / entry["script"]).is_file():
            yield ("jobs", name, "script"), f"there is no script {entry['script']}", "Paths begin at the project file."
        for trigger in _triggers_of(entry):
            if trigger not in triggers:
                fix = f"Known triggers: {', '.join(triggers) or 'none'}."
                yield ("jobs", name, "trigger"), f"there is no trigger {trigger}", fix


def _wrong_triggers(table: dict[str, Any], triggers: dict[str, Trigger]) -> Iterator[Problem]:
    for name, trigger in triggers.items():
        where = ("triggers", name, trigger.kind)
        if trigger.kind in ("success", "failure") and trigger.value not in table["jobs"]:
            yield where, f"there is no job {trigger.value}", f"Known jobs: {', '.join(table['jobs'])}."
        if trigger.kind == "cron" and (wrong := unreadable_time(trigger)):
            key, fix = wrong
            yield ("triggers", name, key), f"{key} can't be read", fix


def _doubtful(jobs: dict[str, Job], triggers: dict[str, Trigger]) -> Iterator[tuple[Where, str]]:
    used = [trigger for job in jobs.values() for trigger in job.triggers]
    for name, trigger in triggers.items():
        if trigger not in used:
            yield ("triggers", name), f"no job uses the trigger {name}"
    for one, other in combinations([trigger for trigger in triggers.values() if trigger in used], 2):
        if can_both_match(one, other):
            yield ("triggers", other.name), f"a message can match both {one.name} and {other.name}"
