"""How long a command takes to start, against `python -c pass`."""

import sys
from functools import partial

from tests.bench.far_side import listening
from tests.bench.flow import JOB, SINCE, credentials
from tests.bench.measure import Figure, in_turn, ratio, run, runner, seconds

TRANSFORM = '''"""Only transforms."""

from adaptors.common import data_value, map_values

operations = [map_values({"name": data_value("name_first"), "status": "open"})]
'''


def figures(folder, rounds=15):
    """Help, a job that only transforms, and a dry run of 2a over an empty caseload."""
    (folder / "transform.py").write_text(TRANSFORM)
    (folder / "state.json").write_text('{"data": {"name_first": "Nyaruot"}}')
    transform = ["run", folder / "transform.py", "-s", folder / "state.json", "--data", folder / "data"]
    with listening(0) as url:
        dry = ["run", JOB, "--dry-run", "--since", SINCE, "--memory", "--credentials", credentials(folder, url)]
        sides = {"help": ["--help"], "transform": transform, "dry": dry}
        commands = {name: partial(runner, *words) for name, words in sides.items()}
        commands["bare"] = partial(run, sys.executable, "-c", "pass")
        in_turn(1, **commands)  # so that all have their bytecode
        found = in_turn(rounds, **commands)
    wall = {name: [cost.wall for cost in costs] for name, costs in found.items()}

    def figure(name, what, target):
        bare = f"`python -c pass`: {seconds(wall['bare'])}"
        return Figure(what, seconds(wall[name]), bare, ratio(wall[name], wall["bare"]), target)

    yield figure("help", "start: `runner --help`", "—")
    yield figure("transform", "start: `runner run transform.py`, which only transforms", "≤ 8 ×")
    yield figure("dry", "start: `runner run primero_to_progres --dry-run`", "≤ 25 ×")
