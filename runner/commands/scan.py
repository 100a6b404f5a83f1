"""`runner scan`: secrets and data of people in the project's folder, and in its history."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from runner import report
from runner.errors import WrongUse
from runner.scan import FILE_KINDS, RULES, Finding, scan
from runner.sightings import KINDS

_FOUND_SOMETHING = 4


def run(arguments: Namespace) -> int:
    """Print where something was found, and of what kind, never what; 0 when nothing was, else 4."""
    folder = Path(arguments.path or Path(arguments.project or "project.yaml").parent)
    if not folder.is_dir():
        raise WrongUse(f"{folder} is no folder", fix="Name the folder to look into.")
    found = scan(folder, history=arguments.history)
    document = {"findings": [vars(finding) for finding in found]}
    report.print_either(arguments.json, document, _lines(found))
    return _FOUND_SOMETHING if found else 0


def _lines(found: list[Finding]) -> Iterator[str]:
    named = {**KINDS, **FILE_KINDS}
    yield from (
        f"{finding.place}: {finding.kind} ({named.get(finding.kind, 'a number of a person')})" for finding in found
    )
    if not found:
        yield "nothing was found"
        return
    counts = Counter(finding.kind for finding in found)
    yield f"{len(found)} found: {', '.join(f'{count} {kind}' for kind, count in counts.items())}"
    yield f"  fix: take it out, of the history too, and replace what is a secret; what is invented goes into {RULES}."
