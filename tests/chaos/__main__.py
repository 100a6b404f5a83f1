"""`python -m tests.chaos --seeds 100`: seed after seed, two at a time; a seed that fails tells its plan and story."""

import argparse
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from traceback import format_exc

from tests.chaos.database import Database
from tests.chaos.plan import draw, draw_over_database
from tests.chaos.processes import memory_folder
from tests.chaos.story import Story
from tests.chaos.world import World

AT_ONCE = 2


def main(arguments=None):
    """Play the seeds; 0 when all is well, 1 when anything is not."""
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__.partition(": ")[2])
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--seed", type=int, help="this one alone, with its story")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="where the store is (sqlite)")
    options = parser.parse_args(arguments)
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.seeds)
    begun, failed = time.monotonic(), []
    with ProcessPoolExecutor(AT_ONCE) as pool:
        for seed, wrong, told in pool.map(partial(play, store=options.store), seeds):
            if wrong:
                failed.append(seed)
            if wrong or options.seed is not None:
                _say(*told)
            _say(f"seed {seed}: {'VIOLATED' if wrong else 'all is well'}", *(f"VIOLATED: {each}" for each in wrong))
    _say(
        f"{len(seeds)} seeds, {len(failed)} failed{': ' * bool(failed)}{failed or ''}; {time.monotonic() - begun:.0f} s"
    )
    return 1 if failed else 0


def play(seed, *, store="sqlite"):
    """One seed in a folder of its own; `(seed, violations, plan and story)`."""
    folder = memory_folder(f"chaos-{seed}-")
    plan, story = draw(seed) if store == "sqlite" else draw_over_database(seed), Story()
    try:
        with nullcontext() if store == "sqlite" else Database() as database:
            wrong = World(plan, folder, story, database).play()
    except Exception:
        wrong = [f"the proof itself went wrong: {format_exc()}"]
    finally:
        shutil.rmtree(folder)
    return seed, wrong, [*plan.lines(), "", *story.lines(), ""]


def _say(*lines):
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
