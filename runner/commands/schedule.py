"""`runner schedule list|on|off`: when the scheduled jobs begin, and whether they do."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.places import Places
from runner.project import Job
from runner.store import SwitchedOff
from runner.work.switching import switch

_COLUMNS = ("job", "on", "begins", "off_since", "reason")


def run(arguments: Namespace) -> int:
    """Show the schedules, or switch one and show them; 0. Raises WrongUse as `switch` does."""
    places = Places.of(arguments)
    jobs = list(project.load(places.project).jobs.values())
    with places.store() as store:
        if arguments.action != "list":
            on, now = arguments.action == "on", datetime.now(UTC)
            switch(store, jobs, arguments.job, on=on, reason=arguments.reason, now=now)
        rows = list(_rows(jobs, store.switched_off()))
    lines = report.table(_COLUMNS, (list(row.values()) for row in rows))
    report.print_either(arguments.json, {"schedules": rows}, lines)
    return 0


def _rows(jobs: list[Job], off: Mapping[str, SwitchedOff]) -> Iterator[dict[str, Any]]:
    for job in (job for job in jobs if job.is_scheduled):
        found = off.get(job.name)
        begins = "; ".join(str(trigger) for trigger in job.triggers if trigger.kind == "cron")
        told = {"off_since": found and found.since, "reason": found and found.reason}
        yield {"job": job.name, "on": job.enabled and found is None, "begins": begins, **told}
