"""What the service costs while nothing happens: memory, and CPU over a minute."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from runner import keys
from runner.store import Store
from tests.bench.flow import credentials
from tests.bench.measure import ENVIRONMENT, ROOT, Figure, megabytes

SECONDS = 60
SETTLED = 5  # seconds until the start is over


def figures(folder):
    """The real project's service, against a bare Starlette application that is as idle."""
    shutil.copy(ROOT / "project.yaml", folder)
    shutil.copytree(ROOT / "jobs", folder / "jobs")
    with open(folder / "project.yaml", "a") as file:
        file.write("inbox: {port: 0}\n")
    credentials(folder, "http://127.0.0.1:9").rename(folder / "credentials")
    with Store.open(folder / "data") as store:
        keys.create(store, "bench", now=datetime.now(UTC))
    service = [sys.executable, "-m", "runner", "serve", "--json"]
    bare = [sys.executable, "-m", "tests.bench.bare", str(folder / "bare.sqlite")]
    with serving(service, folder) as ours, serving(bare, folder) as other:
        time.sleep(SETTLED)
        before = _cpu(ours), _cpu(other)
        time.sleep(SECONDS)
        spent = _cpu(ours) - before[0], _cpu(other) - before[1]
        memory = _memory(ours), _memory(other)
    share = [100 * each / SECONDS for each in spent]
    bare = "bare Starlette on uvicorn: "
    yield Figure(
        "idle service: memory", megabytes(memory[0]), bare + megabytes(memory[1]),
        f"{memory[0] / memory[1]:.2f} ×", "≤ 80 MB",
    )  # fmt: skip
    yield Figure(
        f"idle service: CPU over {SECONDS} s", f"{share[0]:.2f} %", f"{bare}{share[1]:.2f} %",
        f"{share[0] / share[1]:.2f} ×", "≤ 0.2 %",
    )  # fmt: skip


@contextmanager
def serving(command, folder):
    """A server in a process of its own, which says its port or address first; gives its number."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder, env=ENVIRONMENT
    ) as process:
        try:
            json.loads(process.stdout.readline())
            yield process.pid
        finally:
            process.kill()


def _cpu(pid):
    """Seconds of CPU that all threads of a process have had, to the nanosecond."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in stats) / 1e9


def _memory(pid):
    """Bytes of a process that lie in memory."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
