"""What the demo tells a person who has never seen it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from runner.commands.demo.evidence import Evidence
from runner.commands.demo.played import Played
from runner.outcome import NEEDS_A_LOOK

Say = Callable[[Iterable[str]], None]


def nothing(_: Iterable[str]) -> None:
    """Say nothing, since the document tells all."""


def beginning(url: str) -> Iterator[str]:
    """What has been set up."""
    yield "Stand-ins of Primero and of DTP, UNHCR's gateway, listen on this machine, with twenty invented children."
    yield f"The service runs the project's own jobs (runner serve), with an inbox at {url}/inbox."
    yield ""


def step(step: dict[str, Any]) -> Iterator[str]:
    """What happens now."""
    yield f"{step['exchange']}  {step['says']}"


def schedule(due: str) -> Iterator[str]:
    """Why nothing seems to happen."""
    yield f"    The schedule fires every minute here, not every hour: next at {due}."


def posted(receipt: dict[str, Any]) -> Iterator[str]:
    """What the inbox answered."""
    yield f"    DTP posts it to the inbox over HTTPS, and is answered 202: {receipt['matched']} to do."


def held_back(pending: int, evidence: Evidence) -> Iterator[str]:
    """What was found while messages waited."""
    yield f"    Primero opens no case for a moment, so that {pending} of these waits, sealed."
    yield f"    {_searched(evidence)}"


def played(played: Played) -> Iterator[str]:
    """What became of a step."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in played.outcomes.items())
    by = "the schedule" if played.by_schedule else "the message"
    yield f"    {played.step['job']}, started by {by} at {played.runs[-1]['started']}: {counts or 'nothing'}"
    for item in played.items:
        if item["outcome"] in ("withheld", *NEEDS_A_LOOK):
            yield f"    {item['outcome']}: {item['message']}"
    if not played.as_foretold:
        yield f"    This was not foretold: {played.step['expected']}"
    yield ""


def ending(
    table: Sequence[dict[str, str]],
    needs_a_look: Sequence[str],
    evidence: Evidence,
    control: Evidence,
    unforetold: Sequence[str],
) -> Iterator[str]:
    """Who holds what, what is left of the children, and where to go from here."""
    yield from _table(table)
    yield ""
    yield f"Left for a person, says runner status: {'; '.join(needs_a_look) or 'nothing'}."
    yield "The service was stopped. In all that it wrote (data, log, temporary files):"
    yield _searched(evidence)
    yield from (f"  {place}" for place in evidence.document["places"])
    yield f"The same search in what the stand-ins hold: {control.texts_found} of {control.search.texts} texts found."
    yield from (f"This was not foretold: {each}" for each in unforetold)
    yield from _NEXT


def _searched(evidence: Evidence) -> str:
    search = evidence.search
    where, what = (
        f"{search.files} files, {search.size:,} bytes",
        f"{search.texts} texts of {evidence.children} children",
    )
    return f"Searched {where}, for {what} in every encoding: found {search.found} bytes."


def _table(table: Sequence[dict[str, str]]) -> Iterator[str]:
    """One row per referral, under its headings."""
    headings = list(table[0])
    rows = [dict(zip(headings, headings, strict=True)), *table]
    widths = {heading: max(len(row[heading]) for row in rows) for heading in headings}
    for row in rows:
        yield "  ".join(row[heading].ljust(widths[heading]) for heading in headings).rstrip()


_NEXT = (
    "",
    "Where to look next:",
    "  jobs/                  what an implementer edits; docs/writing-jobs.md shows how",
    "  runner list            the jobs, and what starts each",
    "  runner run --help      run one of them yourself",
    "  docs/from-openfn.md    for those who know OpenFn",
)
