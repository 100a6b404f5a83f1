"""`runner check`: the project, its credentials and the live systems: what was found, and the fix."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from runner import credentials, jobscript, project, report
from runner.check import findings, keys, own, snapshots
from runner.check.findings import NOTE, OK, WRONG, Finding
from runner.check.systems import System, systems
from runner.errors import RunnerError, is_made_to_be_shown
from runner.places import Places
from runner.provenance import provenance

_NEEDS_A_LOOK = 4


def run(arguments: Namespace) -> int:
    """Look, and print one table: 0 when nothing is wrong, else 4. Notes alone are no fault.

    Raises what a project or a job script that can't be loaded raises.
    """
    places = Places.of(arguments)
    snapshot = snapshots.path_of(places.project, arguments.snapshot) if arguments.offline else None
    rows = look(places, snapshot)
    if snapshot is None:
        _record(places, sum(row.level == WRONG for row in rows))
    report.print_either(arguments.json, findings.document(rows), findings.lines(rows))
    return exit_code(rows)


def look(places: Places, snapshot: Path | None = None) -> list[Finding]:
    """What is found: in the live systems, or in a snapshot of them."""
    found = project.load(places.project)
    jobs = [(job, jobscript.load(job.script, job.name)) for job in found.jobs.values()]
    rows = [*own.of_project(found, [script for _, script in jobs])]
    if snapshot is None:
        asked = [row for system in systems(jobs) for row in _live(system, places.credentials)]
        return [
            *rows,
            *_key_command(places),
            *_certificates(found, places.credentials, {row.found for row in asked}),
            *asked,
        ]
    known = snapshots.read(snapshot)
    return rows + [row for system in systems(jobs) for row in _offline(system, known)]


def exit_code(rows: list[Finding]) -> int:
    """0, or 4 when one of them is wrong."""
    return _NEEDS_A_LOOK if any(row.level == WRONG for row in rows) else 0


def _record(places: Places, wrong: int) -> None:
    """Write down how the check ended: the go-live checklist asks for it (K8)."""
    made_of = provenance(project.load(places.project))
    with places.store() as store:
        told = {"configuration": made_of.configuration, "code": "failed" if wrong else "passed"}
        store.record("systems_checked", now=datetime.now(UTC), count=wrong, **told)


def _offline(system: System, known: dict[str, object]) -> Iterator[Finding]:
    if system.file in known or system.name in known:
        yield from system.check(known.get(system.file, known.get(system.name)))
    else:
        yield Finding(NOTE, system.where, "snapshot", "holds nothing of it, so nothing was looked at")


def _live(system: System, folder: Path) -> Iterator[Finding]:
    try:
        credential = credentials.load(folder, system.file)
    except RunnerError as error:
        yield Finding(WRONG, system.where, "credential", str(error), str(error.fix or ""))
        return
    yield Finding(OK, system.where, "credential", f"{system.file}.yaml can be read")
    probed = list(system.probe(credential))
    yield from probed
    try:
        known = system.snapshot(credential)
    except Exception as error:
        if not is_made_to_be_shown(error):
            raise
        if not any(row.level == WRONG and row.what == "asking it" for row in probed):
            yield Finding(WRONG, system.where, "asking it", str(error), str(getattr(error, "fix", None) or ""))
        return
    yield from system.check(known)


def _key_command(places: Places) -> Iterator[Finding]:
    """What the program does that holds the keys, where the project file names one."""
    if command := places.key_command():
        yield from keys.of_command(command)


def _certificates(found: project.Project, folder: Path, told: set[str]) -> Iterator[Finding]:
    """What needs a look at ours, but for what is `told` already: a credential that can't be read."""
    from runner.tls import certificates  # here, since what it needs takes a while to load

    seen = certificates.look(found, folder, datetime.now(UTC))
    for each in seen:
        if each.message not in told:
            yield Finding(WRONG, "certificates", each.where, each.message, each.fix)
    if not seen:
        yield Finding(OK, "certificates", "ours", "each fits its key and its use, and lasts")
