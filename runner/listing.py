"""`runner list`: the jobs of the project, what starts them, and what they do."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from runner import jobscript, project, report
from runner.places import Places


def run(arguments: Namespace) -> int:
    """Print the list; 0, since a warning is no fault."""
    found = project.load(Places.of(arguments).project)
    rows = [_row(job) for job in found.jobs.values()]
    if arguments.json:
        report.print_document({"jobs": rows, "warnings": list(found.warnings)})
    else:
        report.print_lines([*_table(rows), *(f"warning: {warning}" for warning in found.warnings)])
    return 0


def _row(job: project.Job) -> dict[str, Any]:
    return {
        "job": job.name,
        "trigger": "; ".join(str(trigger) for trigger in job.triggers) or "by hand",
        "enabled": job.enabled,
        "summary": jobscript.summary(job.script),
    }


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    cells = [("job", "starts with", "enabled", "what it does")]
    cells += [(row["job"], row["trigger"], "yes" if row["enabled"] else "no", row["summary"]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    for line in cells:
        yield "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
