"""`runner rehearse`: the project's own jobs and tables in the real service, with synthetic children for every row.

The far sides are stand-ins on this machine, as the snapshot tells of the real ones; the children and the verdict are
theirs (`python -m adaptors.trial`). The project's own credentials and data are neither read nor touched.
"""

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner import jobscript, project, report
from runner.commands.demo.process import ended_in_order
from runner.commands.demo.rehearsing import Rehearsing
from runner.commands.demo.service import Service
from runner.commands.demo.standins import stand_ins
from runner.errors import UnreadableFile, WrongUse
from runner.project import Project

_NEEDS_A_LOOK = 4
_SNAPSHOT = "snapshot.json"


def run(arguments: Namespace) -> int:
    """Rehearse, and tell per job how its children ended and which rows of its tables were reached.

    0 when all is as the tables say and every row was reached, else 4. Raises RunnerError where a process doesn't start,
    or something doesn't come in time.
    """
    file = Path(arguments.project or "project.yaml")
    snapshot = Path(arguments.snapshot or file.parent / _SNAPSHOT)
    if not snapshot.is_file():
        raise UnreadableFile(f"there is no snapshot {snapshot}", fix="runner snapshot makes it.")
    with ended_in_order(), _folder(arguments.keep) as folder:
        verdict = _rehearsed(Path(folder), project.load(file), file, snapshot)
    report.print_either(arguments.json, verdict, lines(verdict))
    return _NEEDS_A_LOOK if any(job["findings"] for job in verdict["jobs"]) else 0


def _folder(keep: str | None) -> AbstractContextManager[str]:
    if keep is None:
        return TemporaryDirectory(prefix="runner-rehearse-")
    if Path(keep).exists():
        raise WrongUse(f"{keep} is there already", fix="Name a new folder.")
    Path(keep).mkdir(mode=0o700)
    return nullcontext(keep)


def _rehearsed(folder: Path, loaded: Project, file: Path, snapshot: Path) -> dict[str, Any]:
    """The whole rehearsal in a folder; gives its JSON document."""
    (folder / "bridge").mkdir()
    for name, job in loaded.jobs.items():
        jobscript.load(job.script, name)  # what is wrong in it is told best by the runner
    (folder / "jobs.json").write_text(json.dumps(_jobs(loaded), indent=2), "utf-8")
    module = ("adaptors.trial", "--snapshot", str(snapshot.resolve()), "--jobs", str(folder / "jobs.json"))
    with stand_ins(folder, folder / "bridge" / "credentials", module) as far_sides:
        steps = far_sides.steps()
        service = Service(file, folder / "bridge", played={step["job"] for step in steps})
        key = service.new_key()
        service.read_from_the_beginning()
        with service.running() as running:
            far_sides.post_to(f"{running.told['url']}/inbox", key, service.credentials / "ca.pem")
            items = Rehearsing(far_sides, service).play(steps)
        return far_sides.verdict(items)


def _jobs(loaded: Project) -> dict[str, Any]:
    """Each job's script, and the filter of the messages that start it."""
    return {
        name: {
            "script": str(job.script.resolve()),
            "message": next((each.value for each in job.triggers if each.kind == "message"), {}),
        }
        for name, job in loaded.jobs.items()
    }


def lines(verdict: dict[str, Any]) -> Iterator[str]:
    """The verdict for people.

    >>> list(lines({"jobs": [], "left_out": ["tidy"]}))
    ['Not rehearsed, since they send nothing by a mapping: tidy.', 'All is as the tables say; every row was reached.']
    """
    for job in verdict["jobs"]:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in job["outcomes"].items())
        yield f"{job['exchange']}  {job['job']}: {job['children']} children: {outcomes}"
        for table in job["tables"]:
            yield from _table_lines(table)
        for finding in job["findings"]:
            yield f"    {finding['level'].upper()} {finding['what']}: {finding['found']}"
            yield f"      fix: {finding['fix']}"
        yield ""
    if verdict["left_out"]:
        yield f"Not rehearsed, since they send nothing by a mapping: {', '.join(verdict['left_out'])}."
    wrong = sum(len(job["findings"]) for job in verdict["jobs"])
    yield f"{wrong} to mend." if wrong else "All is as the tables say; every row was reached."


def _table_lines(table: dict[str, Any]) -> Iterator[str]:
    """How many rows were reached; of the others, which weren't, and why. A constant has one row, without a key."""
    ended = [(row["key"], f"{row['status']} ({row['why']})" if row["why"] else row["status"]) for row in table["rows"]]
    if [key for key, _ in ended] == [""]:
        yield f"    {table['table']}: {ended[0][1]}"
        return
    others: dict[str, list[str]] = {}
    for key, how in ended:
        others.setdefault(how, []).append(key or "what no key holds")
    yield f"    {table['table']}: {len(others.pop('reached', ()))} of {len(ended)} rows reached"
    for how, keys in others.items():
        yield f"      {how}: {', '.join(keys)}"
