"""`runner snapshot`: write down what the live systems tell of themselves, to be kept under version control."""

from argparse import Namespace
from typing import Any

from runner import credentials, jobscript, project, report
from runner.check import snapshots
from runner.check.systems import systems
from runner.errors import RunnerError, UnreadableFile, is_made_to_be_shown
from runner.places import Places


def run(arguments: Namespace) -> int:
    """Ask each system, and write the file; 0. Nothing is written unless all of them have answered."""
    places = Places.of(arguments)
    found = project.load(places.project)
    jobs = [(job, jobscript.load(job.script, job.name)) for job in found.jobs.values()]
    known: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    for system in systems(jobs):
        told = _asked(system, credentials.load(places.credentials, system.file))
        if told is not None:
            known[system.file] = told
            labels[system.name] = system.labels(told)
    target = snapshots.path_of(places.project, arguments.output)
    _write(target, snapshots.written(known, labels))
    fields = sum(map(len, labels.values()))
    document = {"file": str(target), "systems": sorted(known), "fields": fields}
    report.print_either(arguments.json, document, [f"{target}: {', '.join(sorted(known))}, {fields} fields"])
    return 0


def _asked(system: Any, credential: Any) -> Any:
    try:
        return system.snapshot(credential)
    except Exception as error:
        if not is_made_to_be_shown(error):
            raise
        raise RunnerError(f"{system.where}: {error}", fix=str(getattr(error, "fix", None) or "Try it again.")) from None


def _write(target: Any, text: str) -> None:
    try:
        target.write_text(text, "utf-8")
    except OSError as error:
        raise UnreadableFile(f"{target} can't be written: {error.strerror}", fix="Check the folder.") from None
