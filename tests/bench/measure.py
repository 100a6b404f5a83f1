"""Measuring: two sides in turn, and what a process cost."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent.parent
# Bytecode is kept between two starts, as it is wherever nobody switched that off.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT)
}


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, on both sides, their ratio, and what the ratio ought to be."""

    what: str
    ours: str
    other: str
    ratio: str
    target: str = "—"


@dataclass(frozen=True)
class Cost:
    """What a process cost until its end: seconds on the wall, seconds of CPU, and its peak memory in bytes."""

    wall: float
    cpu: float
    peak: int
    code: int


def in_turn(rounds, **sides):
    """Call every side once a round, in turn; what each returned, in order, by its name."""
    found = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(side())
    return found


def ratio(ours, other):
    """How often the other side fits into ours, round by round: `7.1 × (6.9–7.4)`, the median and the middle half."""
    each = sorted(one / another for one, another in zip(ours, other, strict=True))
    low, middle, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
    return f"{middle:.2f} × ({low:.2f}–{high:.2f})" if len(each) > 1 else f"{middle:.2f} ×"


def seconds(values):
    """The median of times, as people read them: `12.3 ms`."""
    middle = statistics.median(values)
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if middle >= size:
            return f"{middle / size:.3g} {unit}"
    return f"{middle / 1e-9:.3g} ns"


def folder(*, in_memory):
    """A folder of its own, on the disk or in memory, which is gone after the block; gives its path."""
    memory = Path("/dev/shm")
    return TemporaryDirectory(prefix="bench-", dir=memory if in_memory and memory.is_dir() else None)


def megabytes(size):
    """A size in bytes as people read it: `61.4 MB`, of a million bytes each."""
    return f"{size / 1e6:.1f} MB"


def timed(work):
    """How long a call took, in seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def run(*command, folder=ROOT):
    """Run a command to its end, with what it says dropped; its Cost.

    It is started by a small process (spawn.py): Linux counts to a command's peak what the one held that started it.
    """
    spawn = [sys.executable, "-S", "-E", ROOT / "tests" / "bench" / "spawn.py", *command]
    told = subprocess.run(spawn, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    return Cost(**json.loads(told.stdout))


def runner(*words, folder=ROOT, allowed=(0,)):
    """Run the runner's command line; its Cost. Raises RuntimeError when it ends with another code."""
    cost = run(sys.executable, "-m", "runner", *map(str, words), folder=folder)
    if cost.code not in allowed:
        raise RuntimeError(f"runner {words[0]} ended with {cost.code}")
    return cost
