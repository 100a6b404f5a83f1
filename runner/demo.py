"""`runner demo`: the project's jobs against stand-ins that really listen, with invented people only.

The stand-ins and the story they tell are the adaptors' (`python -m adaptors.sandbox`), in a process of their own. Each
step of the story names a job; what is to happen before it, and the table at the end, are asked of the stand-ins.
"""

import json
import ssl
import subprocess
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from runner import report
from runner.errors import RunnerError
from runner.outcome import NEEDS_A_LOOK, Run
from runner.run import perform

_STAND_INS = (sys.executable, "-m", "adaptors.sandbox", "--cases", "20", "--seed", "7")
_BEFORE_ALL = "2000-01-01T00:00:00Z"


def run(arguments: Namespace) -> int:
    """Play the story, print what happened and who holds what now; 0 when all came as the story foretells."""
    with TemporaryDirectory(prefix="runner-demo-") as folder, _stand_ins(Path(folder)) as ask:
        steps = ask("GET", "/sandbox/story")
        runs = []
        for step in steps:
            runs.append(_play(step, ask("POST", f"/sandbox/story/{step['name']}"), Path(folder)))
            if not arguments.json:
                report.print_lines(_step_lines(step, runs[-1]))
        table = ask("GET", "/sandbox/story/table")
    if arguments.json:
        documents = [report.run_document(result) for result in runs]
        report.print_document({"runs": documents, "table": table})
    else:
        report.print_lines(_table_lines(table))
        report.print_lines(_NEXT)
    return 0 if all(map(_as_foretold, steps, runs)) else 1


@contextmanager
def _stand_ins(folder: Path) -> Iterator[Any]:
    """Start the stand-ins; gives a function that asks them. They end with the block."""
    command = [*_STAND_INS, "--write", str(folder / "credentials")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RunnerError("the stand-ins did not start", fix="Run make setup, then: python -m adaptors.sandbox")
            urls = json.loads(line)
            context = ssl.create_default_context(cafile=str(folder / "credentials" / "ca.pem"))

            def ask(method: str, path: str) -> Any:
                request = Request(urls["primero"] + path, method=method)
                with urlopen(request, context=context, timeout=30) as answer:
                    return json.load(answer)

            yield ask
        finally:
            process.terminate()


def _play(step: dict[str, Any], given: dict[str, Any], folder: Path) -> Run:
    message = folder / f"{step['name']}.json"
    if given.get("message"):
        message.write_text(json.dumps(given["message"]), "utf-8")
    return perform(
        Namespace(
            job=step["job"],
            project=None,
            profile=None,
            credentials=str(folder / "credentials"),
            data=str(folder / "data"),
            message=str(message) if given.get("message") else None,
            since=None if given.get("message") else _BEFORE_ALL,
            move_cursor=not given.get("message"),
            **dict.fromkeys(("state", "output", "only", "start", "end", "timeout"), None),
            **dict.fromkeys(("dry_run", "memory", "json"), False),
        )
    )


def _as_foretold(step: dict[str, Any], result: Run) -> bool:
    return not result.error and step["expected"] == Counter(item["outcome"] for item in result.items)


def _step_lines(step: dict[str, Any], result: Run) -> Iterator[str]:
    counts = Counter(item["outcome"] for item in result.items)
    yield f"{step['exchange']}  {step['says']}"
    yield f"    {step['job']}: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}"
    for item in result.items:
        if item["outcome"] in ("withheld", *NEEDS_A_LOOK):
            yield f"    {item['outcome']}: {item['message']}"
    if not _as_foretold(step, result):
        yield f"    This was not foretold: {step['expected']}"
    yield ""


def _table_lines(table: Sequence[dict[str, str]]) -> Iterator[str]:
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
