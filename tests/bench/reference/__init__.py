"""The same work in OpenFn's own runtime for Node.js: the start of a job that only transforms, and 10,000 items.

Its command line, @openfn/cli, couldn't be had where this was written, so that its runtime is started by `run.mjs`, as
the command line starts it once it has read and compiled a job. The packages are installed into a temporary folder;
without node, npm or the registry there is a line that says so, and no figure.
"""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path

from tests.bench import items
from tests.bench.measure import ENVIRONMENT, Figure, in_turn, ratio, run, runner, seconds
from tests.bench.start import TRANSFORM

HERE = Path(__file__).parent
LONGEST_INSTALL = 180  # seconds
FLAGS = ("--experimental-vm-modules", "--no-warnings")


def figures(folder, rounds=7):
    """Ours against the reference's, in the same run."""
    for name in ("package.json", "run.mjs", "transform.js", "referrals.js"):
        shutil.copy(HERE / name, folder)
    node = shutil.which("node")
    if not (node and _installed(folder)):
        yield Figure("OpenFn's runtime for Node.js", "—", "not measured: it can't be installed here", "—")
        return
    yield _start(folder, [node, *FLAGS, "run.mjs"], rounds)
    yield _items(folder, [node, *FLAGS, "run.mjs"], rounds)


def _installed(folder):
    npm = shutil.which("npm")
    words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    try:
        return npm is not None and 0 == subprocess.run([npm, *words], cwd=folder, timeout=LONGEST_INSTALL).returncode
    except subprocess.TimeoutExpired:
        return False


def _start(folder, command, rounds):
    (folder / "transform.py").write_text(TRANSFORM)
    (folder / "state.json").write_text('{"data": {"name_first": "Nyaruot"}}')

    def reference():
        cost = run(*command, "transform.js", "state.json", folder=folder)
        if cost.code:
            raise RuntimeError(f"the reference ended with {cost.code}")
        return cost.wall

    words = ["run", folder / "transform.py", "-s", folder / "state.json", "--memory"]
    found = in_turn(rounds, ours=lambda: runner(*words).wall, other=reference)
    other = f"the same job in OpenFn's runtime: {seconds(found['other'])}"
    return Figure("beside Node.js: a job that only transforms", seconds(found["ours"]), other, ratio(*found.values()))


def _items(folder, command, rounds):
    records = items.records()
    (folder / "records.json").write_text(json.dumps({"records": records, "contact": items.CONTACT}))
    words = ["referrals.js", "records.json", str(items.ITEMS)]

    def reference():
        done = subprocess.run([*command, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, check=True)
        return float(done.stdout)

    ours = partial(items.through_each, records, items.mapping())
    found = in_turn(rounds, ours=ours, other=reference)
    other = f"OpenFn's `each` and the mapping in JavaScript: {seconds(found['other'])}"
    what = f"beside Node.js: {items.ITEMS:,} items through `each` with the mapping of 2a"
    return Figure(what, seconds(found["ours"]), other, ratio(*found.values()))
