"""`runner audit show|verify|checkpoint`: who did what, whether the log is as it was written, and its signed end."""

import csv
import io
import json
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner import report
from runner.commands.times import moment
from runner.places import Places
from runner.store import AuditLine, Store
from runner.work import checkpoints

_FOUND_SOMETHING = 4
_COLUMNS = ("number", "time", "event", "who", "about")


def run(arguments: Namespace) -> int:
    """Show the log, 0; verify it, 0 or 4 when it isn't as it was written; or sign its end, 0."""
    now = datetime.now(UTC)
    with Places.of(arguments).store() as store:
        match arguments.action:
            case "verify":
                return _verify(store, arguments)
            case "checkpoint":
                return _checkpoint(store, arguments, now)
            case _:
                return _show(store, arguments, now)


def _show(store: Store, arguments: Namespace, now: datetime) -> int:
    since = datetime.fromisoformat(moment(arguments.since, "--since")) if arguments.since else None
    entries = store.audit_log(since=since, event=arguments.event)
    rows = [[getattr(entry, name) for name in _COLUMNS] for entry in entries]
    if arguments.csv:
        store.record("log_exported", now=now, count=len(entries))
        report.print_lines(_csv_lines(entries))
    else:
        report.print_either(arguments.json, {"entries": [asdict(entry) for entry in entries]},
                            report.table(_COLUMNS, rows))  # fmt: skip
    return 0


def _csv_lines(entries: list[AuditLine]) -> list[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_COLUMNS, "hash"))
    writer.writerows((e.number, e.time, e.event, e.who, json.dumps(e.about, sort_keys=True), e.hash) for e in entries)
    return text.getvalue().splitlines()


def _verify(store: Store, arguments: Namespace) -> int:
    found = store.audit_faults()
    for path in arguments.checkpoint or ():
        found += [f"{path}: {fault}" for fault in checkpoints.faults(store, checkpoints.read(Path(path)))]
    number, head = store.audit_end()
    document: dict[str, Any] = {"entries": number, "hash": head, "faults": found}
    document["public_key"] = checkpoints.public_key(store)
    lines = [f"! {fault}" for fault in found] or [f"{number} entries, all as they were written; the last is {head}"]
    report.print_either(arguments.json, document, lines)
    return _FOUND_SOMETHING if found else 0


def _checkpoint(store: Store, arguments: Namespace, now: datetime) -> int:
    made = checkpoints.make(store, now=now)
    if arguments.target is None:
        report.print_document(made)
        return 0
    path = checkpoints.write(made, Path(arguments.target))
    report.print_either(arguments.json, {**made, "file": str(path)}, [f"written to {path}; keep it elsewhere"])
    return 0
