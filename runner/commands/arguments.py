"""What may be said after `runner status`, `inbox`, `runs`, `parked`, `retry`, `discard` and `cursor`."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

MODULES = {
    "status": "status", "inbox": "messages", "runs": "runs", "parked": "parked", "retry": "release",
    "discard": "release", "cursor": "cursor",
}  # fmt: skip

_STATUSES = ("pending", "parked", "dead", "quarantined", "refused", "succeeded", "expired", "discarded")


def add(commands: Any, add_places: Callable[[ArgumentParser], None]) -> None:
    """Add these commands to the parsers of a command line; `add_places` adds what all commands have."""

    def parser(of: Any, name: str, help: str) -> ArgumentParser:
        added: ArgumentParser = of.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.",
                                              allow_abbrev=False)  # fmt: skip
        add_places(added)
        return added

    def actions(name: str, help: str) -> Any:
        group = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False)
        return group.add_subparsers(dest="action", metavar="ACTION", required=True)

    parser(commands, "status", "show what waits, what is due, and what needs a look (then exit with 4)")
    inbox = actions("inbox", "the messages that were posted, without what is in them")
    listed = parser(inbox, "list", "show the last messages")
    listed.add_argument("--status", choices=_STATUSES, help="only those with this status")
    _add_limit(listed)
    shown = parser(inbox, "show", "show what became of one message")
    shown.add_argument("id", metavar="ID", help="of a message, or of one of its units of work")
    runs = actions("runs", "what was run")
    listed = parser(runs, "list", "show the last runs")
    listed.add_argument("--job", metavar="JOB", help="only those of this job")
    _add_limit(listed)
    parser(runs, "show", "show one run with its items").add_argument("id", metavar="ID", help="of the run")
    parser(commands, "parked", "show what a person must settle (then exit with 4)")
    _add_release(parser(commands, "retry", "try again what is parked or dead"))
    discard = parser(commands, "discard", "erase what is parked or dead, or what no job waits for")
    discard.add_argument("id", metavar="ID", help="of a unit of work, a message, or a parked record")
    discard.add_argument("--reason", metavar="TEXT", required=True, help="why, in words without data")
    cursors = actions("cursor", "how far the scheduled jobs have read")
    parser(cursors, "show", "show the cursor of each scheduled job")
    moved = parser(cursors, "set", "let a job read from another time on")
    moved.add_argument("job", metavar="JOB", help="the job's name")
    moved.add_argument("time", metavar="TIME", help="such as 2026-03-01T00:00:00Z")


def _add_limit(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", metavar="NUMBER", type=int, default=50, help="how many (50)")


def _add_release(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="of a unit of work or a parked record")
    parser.add_argument("--all", action="store_true", help="all that have the code")
    parser.add_argument("--code", metavar="CODE", help="with --all: why they are parked or dead")
