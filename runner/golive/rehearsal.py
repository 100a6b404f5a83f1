"""The rehearsal: the project's own jobs, by this installation's own program, written into the audit log (K1, K9).

It goes through the real service between stand-ins, with invented children, in a folder of its own that is gone
afterwards; all that the service wrote is searched for them. Nothing is sent to a real system.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.provenance import Provenance
from runner.store import Store

_LONGEST = 1200.0  # seconds


@dataclass(frozen=True)
class Rehearsal:
    """What came of it: how many texts were looked for in how many files, how many bytes were found, and what was other
    than foretold, a sentence each."""

    texts: int
    files: int
    found: int
    unforetold: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all came as foretold, something was looked for, and nothing was found."""
        return not self.unforetold and not self.found and min(self.texts, self.files) > 0


def rehearse(store: Store, project: Path, made_of: Provenance, *, now: datetime) -> Rehearsal:
    """Rehearse what a project file names and record how it ended. Raises RunnerError where it can't be played."""
    done = result_of(play(project))
    store.record(
        "golive_rehearsed", now=now, configuration=made_of.configuration, code="passed" if done.passed else "failed",
        texts=done.texts, files=done.files, found=done.found,
    )  # fmt: skip
    return done


def result_of(told: dict[str, Any]) -> Rehearsal:
    """What the document of a rehearsal says of its searches.

    >>> search = {"texts": 69, "files": 6, "bytes_found": 0}
    >>> result_of({"unforetold": [], "searches": [search, search]})
    Rehearsal(texts=69, files=12, found=0, unforetold=())
    """
    searches = told["searches"]
    return Rehearsal(
        texts=max((search["texts"] for search in searches), default=0),
        files=sum(search["files"] for search in searches),
        found=sum(search["bytes_found"] for search in searches),
        unforetold=tuple(told["unforetold"]),
    )


def play(project: Path) -> dict[str, Any]:
    """`runner rehearse --json` of this project file, in a process of its own; its document. Raises RunnerError."""
    command = [sys.executable, "-m", "runner", "rehearse", "--project", project.name, "--json"]
    try:
        done = subprocess.run(
            command, cwd=project.parent, capture_output=True, text=True, timeout=_LONGEST, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise RunnerError("the rehearsal hangs", fix="Look whether this machine is very busy.") from None
    except ValueError:
        raise RunnerError("the rehearsal can't be played here", fix="Try it by itself: runner rehearse") from None
    return told
