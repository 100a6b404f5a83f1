"""Run one command with what it says dropped, and say what it cost as JSON: `python spawn.py COMMAND …`."""

import json
import os
import sys
import time


def cost(command):
    """Seconds on the wall, seconds of CPU, peak memory in bytes, exit code."""
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": wall, "cpu": cpu, "peak": usage.ru_maxrss * 1024, "code": os.waitstatus_to_exitcode(status)}


if __name__ == "__main__":
    print(json.dumps(cost(sys.argv[1:])))  # noqa: T201
