"""What a check has found: rows of a table, for people and for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what to do. Notes may well be meant so; what is wrong must be mended.

    >>> Finding("wrong", "south", "host", "can't be found", "Correct the address.").level
    'wrong'
    """

    level: str
    where: str
    what: str
    found: str
    fix: str = ""


def document(findings: Iterable[Finding]) -> dict[str, Any]:
    """The same for a program: `{"findings": […], "wrong": how many}`."""
    rows = [asdict(finding) for finding in findings]
    return {"findings": rows, "wrong": sum(row["level"] == WRONG for row in rows)}


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding under the heading of where it is, and the fix below it; at the end how many are wrong.

    >>> list(lines([Finding("ok", "south", "host", "found")]))
    ['south', '  ok     host: found', 'nothing is wrong']
    """
    before, wrong = "", 0
    for finding in findings:
        if finding.where != before:
            before = finding.where
            yield before
        yield f"  {finding.level.ljust(5)}  {finding.what}: {finding.found}"
        if finding.fix:
            yield f"         → {finding.fix}"
        wrong += finding.level == WRONG
    yield f"{wrong} wrong" if wrong else "nothing is wrong"
