"""`runner cursor show|set`: how far the scheduled jobs have read."""

from argparse import Namespace
from typing import Any

from runner import project, report
from runner.commands.times import moment
from runner.errors import WrongUse
from runner.places import Places


def run(arguments: Namespace) -> int:
    """Show the cursors, or set one; 0. Raises WrongUse for a job that isn't scheduled, or a time that is none."""
    places = Places.of(arguments)
    jobs = [job for job in project.load(places.project).jobs.values() if job.is_scheduled]
    with places.store() as store:
        if arguments.action == "set":
            if arguments.job not in [job.name for job in jobs]:
                known = ", ".join(job.name for job in jobs) or "none"
                raise WrongUse(f"there is no scheduled job {arguments.job}", fix=f"There are: {known}.")
            store.move_cursor(arguments.job, moment(arguments.time, "the time"))
        rows: list[dict[str, Any]] = [{"job": job.name, "cursor": store.cursor(job.name)} for job in jobs]
    lines = report.table(("job", "cursor"), ([row["job"], row["cursor"] or "none yet"] for row in rows))
    report.print_either(arguments.json, {"cursors": rows}, lines)
    return 0
