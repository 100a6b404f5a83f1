"""What a command says: text for people, one JSON document for programs. Names, ids and codes, never a value."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.errors import RunnerError, UnreadableFile
from runner.outcome import Run

_QUIET = ("done", "unchanged")


def run_document(run: Run) -> dict[str, Any]:
    """The JSON document of a run: engine.md, "Command line"; in a dry run also what would be sent."""
    document: dict[str, Any] = {"job": run.job, "outcome": run.outcome}
    document |= {"items": list(run.items), "operations": list(run.operations)}
    if "dry_run" in run.state:
        document["dry_run"] = run.state["dry_run"]
    return document


def run_lines(run: Run) -> Iterator[str]:
    """A run in words: how many items had each outcome, and a line for each that has something to say."""
    yield f"{run.job}: {run.outcome.replace('_', ' ')}" + ("" if run.items else ", no items")
    for outcome, count in run.counts.items():
        yield f"{count:>7} {outcome}"
    for item, record in zip(run.items, run.state.get("outcomes", ()), strict=True):
        if item["outcome"] not in _QUIET or item["message"] or item.get("differs"):
            yield _item_line(item, record.get("operation"), len(run.items))
    for sending in run.state.get("dry_run", ()):
        fields = ", ".join(sending["fields"])
        yield f"would send to {sending['system']}: {sending['action']}{f' ({fields})' if fields else ''}"


def print_document(document: Any) -> None:
    """Print one JSON document."""
    _answer(json.dumps(document, ensure_ascii=False, indent=2, default=shown))


def print_either(as_json: bool, document: Any, lines: Iterable[str]) -> None:
    """Print the document for a program, or the lines for people."""
    if as_json:
        print_document(document)
    else:
        print_lines(lines)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table under its headings.

    >>> list(table(("job", "last_run"), [["sort", None]]))
    ['job   last run', 'sort  -']
    """
    cells = [[heading.replace("_", " ") for heading in headings], *([shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def shown(value: Any) -> str:
    """A value as people read it: ids, codes, counts and times.

    >>> shown({"case_id": "c-1"}), shown(True), shown(0), shown(None)
    ('case_id=c-1', 'yes', '0', '-')
    """
    if isinstance(value, Mapping):
        return " ".join(f"{name}={each}" for name, each in value.items()) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return "-" if value is None else str(value)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines; what a terminal would take for a command is made harmless."""
    for line in lines:
        _answer(_harmless(line))


def print_note(text: str) -> None:
    """Tell something beside the result, on standard error."""
    _tell(text)


def print_error(error: RunnerError) -> None:
    """`ERROR …` and `fix: …` on standard error, for the error and those that were found with it."""
    for each in (error, *error.others):
        _tell(_harmless(f"ERROR {each}"))
        if each.fix:
            _tell(_harmless(f"  fix: {each.fix}"))


def _item_line(item: dict[str, Any], operation: str | None, total: int) -> str:
    ids = " ".join(f"{name}={value}" for name, value in (item["ids"] or {}).items())
    why = f"{operation}: {item['message']}" if operation and item["message"] else item["message"]
    words = [f"item {item['index'] + 1} of {total}: {item['outcome']}", item["code"], ids, why]
    if item.get("differs"):
        words.append(f"differs: {', '.join(item['differs'])}")
    if item["fix"]:
        words.append(f"fix: {item['fix']}")
    return " · ".join(str(word) for word in words if word)


def _harmless(line: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def _answer(text: str) -> None:
    """A line of the result. Raises UnreadableFile where it can't be written: whoever asked must know."""
    try:
        _say(text, sys.stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up(sys.stdout)
        fix = "Has the disk room where it goes? What the command did stays done."
        raise UnreadableFile(f"the output can't be written: {error.strerror}", fix=fix) from None


def _tell(text: str) -> None:
    """A line beside the result, which is lost where it can't be written: the exit code must not depend on it."""
    try:
        _say(text, sys.stderr)
    except BrokenPipeError:
        raise
    except OSError:
        _give_up(sys.stderr)


def _say(text: str, stream: Any) -> None:
    # A name that the terminal's encoding lacks must not end a run that has already sent.
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _give_up(stream: Any) -> None:
    """What the stream still holds goes nowhere; else Python tries once more at its end, and ends with 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
