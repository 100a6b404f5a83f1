"""The record of processing: what the project file and the jobs' mappings say of it, for the agencies to complete."""

from collections.abc import Iterator
from typing import Any

from runner import dataflow, jobscript
from runner.project import Project
from runner.work.ages import Ages

_PAYLOAD_DAYS = 7
_MISSING = "to be written into the project file"
_MEASURES = (
    "payloads are encrypted before they are written, each under a key of its own, whose wrapping key lives for a day",
    "what has succeeded is deleted at once, with a receipt in an audit log that shows every change",
    "no field leaves, or is asked for, but those above; connections only to the hosts of the credentials, with TLS",
    "the log holds declared events of ids, codes, counts and times; errors are told without data",
    "the inbox opens with keys only, which are kept as salted hashes",
    "files that others can read are refused; the service runs unprivileged, with one directory that it can write",
)


def record(project: Project) -> dict[str, Any]:
    """The record as a document: purpose, agreement, flows of data, retention in days, and measures.

    A flow is `{"job", "direction", "system", "fields", "free_text"}`, the last two lists of names; what several
    operations of a job carry the same way is one flow. Raises InvalidJob.
    """
    ages, table = Ages.of(project), project.settings["retention"]
    return {
        "name": project.name,
        "purpose": project.purpose,
        "agreement": project.agreement,
        "flows": list(_flows(project)),
        "retention_days": {
            "payloads that succeeded": 0,
            "payloads that wait for a person": table.get("payload_days", _PAYLOAD_DAYS),
            "runs, receipts, items: ids, codes, counts and times": ages.runs.days,
            "settled messages: ids and times": ages.messages.days,
            "files of the log": ages.logs.days,
            "ledger: ids of what was sent": None,
            "audit log": None,
        },
        "measures": list(_MEASURES),
    }


def sheet(project: Project) -> Iterator[str]:
    """The record as lines of Markdown.

    >>> from pathlib import Path
    >>> next(sheet(Project(Path("project.yaml"), "north", {}, settings={"retention": {}})))
    '# Record of processing: north'
    """
    found = record(project)
    recipients = sorted({flow["system"] for flow in found["flows"] if flow["direction"] == "to"})
    yield from (f"# Record of processing: {project.name}", "", "| | |", "|---|---|")
    yield f"| purpose | {found['purpose'] or _MISSING} |"
    yield f"| agreement | {found['agreement'] or _MISSING} |"
    yield f"| recipients | {', '.join(recipients) or 'none'} |"
    yield "| controllers, contacts, legal basis, transfers to other countries | to be filled in by the agencies |"
    yield from ("", "## Categories of data", "")
    yield from ("What is asked of a system or taken from a message, and what may leave to a system; nothing else can.",)
    for flow in found["flows"]:
        yield from ("", f"### {flow['job']}: {flow['direction']} {flow['system']}", "")
        yield ", ".join(f"`{name}`" for name in flow["fields"])
        if flow["free_text"]:
            yield from ("", f"Free text: {', '.join(f'`{name}`' for name in flow['free_text'])}")
    yield from ("", "## How long it is kept", "", "| what | days |", "|---|---|")
    yield from (f"| {what} | {_shown(days)} |" for what, days in found["retention_days"].items())
    yield from ("", "## Measures", "")
    yield from (f"- {measure}" for measure in found["measures"])


def _flows(project: Project) -> Iterator[dict[str, Any]]:
    for job in project.jobs.values():
        fields: dict[tuple[str, str], dict[str, str]] = {}
        for flow in dataflow.flows(jobscript.load(job.script, job.name)):
            known = fields.setdefault((flow["direction"], flow["system"]), {})
            known.update({each["field"]: each["free_text"] for each in flow["fields"]})
        for (direction, system), marked in fields.items():
            free_text = sorted(name for name, mark in marked.items() if mark == "yes")
            told = {"job": job.name, "direction": direction, "system": system}
            yield {**told, "fields": sorted(marked), "free_text": free_text}


def _shown(days: float | None) -> str:
    return "for good" if days is None else "deleted at once" if days == 0 else f"{days:g}"
