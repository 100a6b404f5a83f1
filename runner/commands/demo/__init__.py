"""`runner demo`: the project's jobs in the real service, between stand-ins that really listen; all people are invented.

The stand-ins and the story they tell are the adaptors' (`python -m adaptors.sandbox`), in a process of their own, and
the service is one too. Whatever is told here was asked of them, or of the runner's commands. `--keep` and `--resume`
are another play: a day to practise on.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner import report
from runner.commands.demo import practice, telling
from runner.commands.demo.evidence import Evidence, control, look
from runner.commands.demo.play import Play
from runner.commands.demo.played import Played
from runner.commands.demo.process import ended_in_order
from runner.commands.demo.service import Service
from runner.commands.demo.standins import stand_ins
from runner.commands.demo.telling import Say

_PROJECT = Path("project.yaml")


def run(arguments: Namespace) -> int:
    """Play the story, tell what happened and who holds what now, and look for the children in whatever was written.

    0 when all came as the story foretells and no child was found, else 1. Raises RunnerError where a process doesn't
    start, or something doesn't come in time. With `--keep` or `--resume` see `practice`.
    """
    if arguments.keep:
        return practice.keep(Path(arguments.keep), _PROJECT, as_json=arguments.json)
    if arguments.resume:
        return practice.resume(Path(arguments.resume), as_json=arguments.json)
    with ended_in_order(), TemporaryDirectory(prefix="runner-demo-") as folder:
        document = _played(Path(folder), telling.nothing if arguments.json else report.print_lines)
    if arguments.json:
        report.print_document(document)
    return 1 if document["unforetold"] else 0


def _played(folder: Path, say: Say) -> dict[str, Any]:
    """The whole demo in a folder; gives its JSON document."""
    (folder / "bridge").mkdir()
    service = Service(_PROJECT, folder / "bridge")
    with stand_ins(folder, service.credentials) as far_sides:
        key = service.new_key()
        service.read_from_the_beginning()
        with service.running() as running:
            far_sides.post_to(f"{running.told['url']}/inbox", key, service.credentials / "ca.pem")
            say(telling.beginning(running.told["url"]))
            play = Play(far_sides, service, say)
            steps = [play.take(step) for step in far_sides.steps()]
            play.settle()
            needs_a_look = service.command("status")["needs_a_look"]
            exit_code = running.stop()
        table, children = far_sides.table(), far_sides.children()
        compared = control(folder / "far-sides", far_sides.holdings(), children)
    searches = [*play.searches, look("after the end", service.folders, children)]
    wrong = list(unforetold(steps, needs_a_look, exit_code, searches, compared))
    say(telling.ending(table, needs_a_look, searches[-1], compared, wrong))
    return {
        "unforetold": wrong,
        "steps": [step.document for step in steps],
        "table": table,
        "needs_a_look": needs_a_look,
        "searches": [search.document for search in searches],
        "control": compared.document,
    }


def unforetold(
    steps: Sequence[Played],
    needs_a_look: Sequence[str],
    exit_code: int,
    searches: Sequence[Evidence],
    compared: Evidence,
) -> Iterator[str]:
    """Whatever is other than the story foretells, a sentence each.

    >>> nobody = look("now", [], {})
    >>> list(unforetold([], ["sort: 1 dead, 0 parked"], -9, [nobody], nobody))
    ['sort: 1 dead, 0 parked', 'the service ended with -9']
    """
    yield from (f"{step.step['job']}: {step.outcomes}" for step in steps if not step.as_foretold)
    parked = sum(step.step["expected"].get("parked", 0) for step in steps)
    yield from (reason for reason in needs_a_look if f": {parked} parked records (" not in reason)
    if exit_code:
        yield f"the service ended with {exit_code}"
    yield from (f"{search.found} bytes of children were found {search.when}" for search in searches if search.found)
    if not compared.all_found:
        yield "the search misses what is there"
