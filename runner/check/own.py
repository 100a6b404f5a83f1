"""What the project file and the job scripts say by themselves: when jobs run, what is off, what contradicts itself."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from runner.check.findings import NOTE, OK, WRONG, Finding
from runner.jobscript import JobScript
from runner.mapping import tables
from runner.project import Job, Project
from runner.triggers import Trigger

PROJECT = "project"
_AGREED_DAYS = 7
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def of_project(project: Project, scripts: Iterable[JobScript]) -> Iterator[Finding]:
    """Findings on a project that could be loaded, and on its scripts."""
    yield Finding(OK, PROJECT, project.name, f"{len(project.jobs)} jobs, each with a script that loads")
    for job in project.jobs.values():
        yield from _of_job(job)
    for warning in project.warnings:
        yield Finding(WRONG, PROJECT, "triggers", warning, "Correct or remove one of them in the project file.")
    yield from _kept(project)
    yield from _told_apart(scripts)


def in_words(trigger: Trigger) -> str:
    """A schedule as people say it; the expression itself where that would take more than a sentence.

    >>> in_words(Trigger("night", "cron", "30 1 * * *", timezone="Africa/Juba"))
    'every day at 01:30, Africa/Juba'
    """
    fields = trigger.value.split()
    zone = f", {trigger.timezone}"
    match fields:
        case ["*", "*", "*", "*", "*"]:
            return f"every minute{zone}"
        case [minute, "*", "*", "*", "*"] if step := re.fullmatch(r"\*/(\d+)", minute):
            return f"every {step[1]} minutes{zone}"
        case [minute, "*", "*", "*", "*"] if minute.isdigit():
            return f"every hour at minute {int(minute)}{zone}"
        case [minute, hour, "*", "*", "*"] if minute.isdigit() and hour.isdigit():
            return f"every day at {int(hour):02}:{int(minute):02}{zone}"
        case [minute, hour, "*", "*", day] if minute.isdigit() and hour.isdigit() and day.isdigit():
            return f"every {_DAYS[int(day) % 7]} at {int(hour):02}:{int(minute):02}{zone}"
    return f"{trigger.value}{zone}"


def _of_job(job: Job) -> Iterator[Finding]:
    if not job.enabled:
        yield Finding(NOTE, PROJECT, job.name, "disabled: nothing starts it", "Set enabled: true when it is wanted.")
    for trigger in job.triggers:
        if trigger.kind == "cron":
            yield Finding(OK, PROJECT, job.name, f"runs {in_words(trigger)}")
    if not job.triggers:
        yield Finding(NOTE, PROJECT, job.name, "has no trigger: it is run by hand only")


def _kept(project: Project) -> Iterator[Finding]:
    """What is kept longer than the agencies have agreed (R-ER7)."""
    days = project.settings["retention"].get("payload_days", _AGREED_DAYS)
    if days > _AGREED_DAYS:
        found = f"what nobody settles is kept {days} days; {_AGREED_DAYS} are agreed"
        yield Finding(NOTE, PROJECT, "retention", found, "Both agencies must have agreed to it: runner golive check.")


def _told_apart(scripts: Iterable[JobScript]) -> Iterator[Finding]:
    """Lists and constants that several scripts repeat under one name must say the same in all of them."""
    met: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for script in scripts:
        text = tables.source(script.path)
        lists = {
            table.name: ", ".join(table.entries)
            for table in tables.tables(text).values()
            if all(value is None for value in table.entries.values())
        }
        for name, value in {**tables.constants(text), **lists}.items():
            met[name][value].append(script.name)
    for name, values in met.items():
        if len(values) > 1:
            jobs = " and ".join(", ".join(names) for names in values.values())
            yield Finding(WRONG, PROJECT, name, f"differs between {jobs}", "Write the same in all of them.")
