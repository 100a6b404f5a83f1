"""`runner list`: the jobs of the project, what starts them, what they do, and which fields they carry."""

import textwrap
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from runner import dataflow, jobscript, project, report
from runner.places import Places


def run(arguments: Namespace) -> int:
    """Print the list; 0, since a warning is no fault."""
    found = project.load(Places.of(arguments).project)
    if arguments.fields:
        return _fields(found, arguments.json)
    rows = [_row(job) for job in found.jobs.values()]
    if arguments.json:
        report.print_document({"jobs": rows, "warnings": list(found.warnings)})
    else:
        report.print_lines([*_table(rows), *(f"warning: {warning}" for warning in found.warnings)])
    return 0


def _fields(found: project.Project, as_json: bool) -> int:
    """Print what each job takes from every system and what may leave for it."""
    jobs = [(job.name, dataflow.flows(jobscript.load(job.script, job.name))) for job in found.jobs.values()]
    document = {"jobs": [{"job": name, "flows": flows} for name, flows in jobs]}
    report.print_either(as_json, document, (line for name, flows in jobs for line in (name, *_flow_lines(flows))))
    return 0


def _flow_lines(flows: list[dataflow.Flow]) -> Iterator[str]:
    for flow in flows:
        yield f"  {flow['direction']} {flow['system']}, by {flow['operation']}"
        if flow["direction"] == "to":
            yield from _sent_lines(flow["fields"])
        else:
            names = ", ".join(field["field"] for field in flow["fields"])
            yield from textwrap.wrap(names, 116, initial_indent="    ", subsequent_indent="    ")


def _sent_lines(fields: list[dict[str, Any]]) -> Iterator[str]:
    width = max(len(field["field"]) for field in fields)
    for field in fields:
        made_of = ", ".join(field["reads"]) or "constant"
        words = {"no": made_of, "yes": f"{made_of} (free text)", "left out": "free text, left out"}
        yield f"    {field['field'].ljust(width)}  ← {words[field['free_text']]}"


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
