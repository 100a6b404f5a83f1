"""`python -m tests.simulation`: runs seeds on all cores, and tells what was found; exit code 1 when something was."""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from tests.servers import new_database, running_server
from tests.simulation.judge import judge
from tests.simulation.sabotage import BUGS, planted
from tests.simulation.scenario import draw
from tests.simulation.world import World

MEMORY = Path("/dev/shm")


def run(seed, sabotage=None, server=None):
    """Live through one seed; what was found, and its story. With the address of a server, its store is there.

    >>> found = run(1)
    >>> found["violations"]
    []
    """
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
        planted(sabotage),
        new_database(server, f"seed_{seed}") as at,
    ):
        world = World(draw(seed), Path(folder), at)
        try:
            evidence = world.live()
            violations = judge(evidence)
        except Exception:
            violations = [f"the simulation itself broke: {traceback.format_exc()}"]
        finally:
            world.close()
    events = world.witness.events
    counts = Counter(world.fate.counts)
    counts += Counter(
        messages=len({message for message, *_ in world.witness.taken}),
        cases=len(world.sandbox.primero.cases),
        referrals=len(world.sandbox.primero.referrals),
        decisions=sum(event["what"] == "decided" for event in events),
        posts=sum(event["what"] == "dtp" for event in events),
    )
    return {"seed": seed, "violations": violations, "story": world.story, "counts": counts}


def _short(seed, sabotage, server):
    found = run(seed, sabotage, server)
    del found["story"]
    return found


def _say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser("python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (%(default)s)")
    parser.add_argument("--seed", type=int, help="this one alone, with its story step by step")
    parser.add_argument("--sabotage", choices=BUGS, help="plant this bug, to see that it is found")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="where (%(default)s)")
    options = parser.parse_args(arguments)
    with running_server() if options.store == "postgres" else nullcontext() as server:
        if options.seed is None:
            seeds = range(options.first, options.first + options.seeds)
            return _many(seeds, options.processes, options.sabotage, server)
        found = run(options.seed, options.sabotage, server)
        _say("\n".join(found["story"]))
        _say("\n".join(found["violations"]) or "nothing is wrong")
        return 1 if found["violations"] else 0


def _many(seeds, processes, sabotage, server):
    begun, total, wrong = time.monotonic(), Counter(), 0
    with ProcessPoolExecutor(processes) as pool:
        for number, found in enumerate(
            pool.map(partial(_short, sabotage=sabotage, server=server), seeds, chunksize=4), start=1
        ):
            total += found["counts"]
            wrong += bool(found["violations"])
            for sentence in found["violations"]:
                _say(f"seed {found['seed']}: {sentence}")
            if number % 500 == 0:
                _say(f"{number} seeds, {wrong} with something wrong, {time.monotonic() - begun:.0f} s")
    for name, count in sorted(total.items()):
        _say(f"{count:9,}  {name}")
    _say(f"{len(seeds)} seeds, {wrong} with something wrong, {time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
