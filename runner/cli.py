"""The command line: what is asked for, by whom it is done, and how errors are shown.

Each command is imported when it is asked for, so that `runner --help` costs nothing.
"""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module

from runner import memory, report  # the report here, so that it can't fail when an error is shown
from runner.commands import arguments as service
from runner.errors import RunnerError, Stopped
from runner.logs import faults

# Which module of the commands does one that isn't called like it; its function `run` gives the exit code.
_MODULES = {"inbox": "messages", "retry": "release", "discard": "release"}

_EXIT_CODES = """exit codes:
  0  every item done, unchanged or withheld      1  the job failed
  2  wrong use, or a file can't be read          3  project, job script or credential invalid
  4  finished, but something needs a look        5  timed out or interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for and give the exit code.

    >>> main(["--version"])  # doctest: +SKIP
    0
    """
    if arguments is None:  # the process is ours
        _keep_quiet()
    options = parser()
    parsed = options.parse_args(arguments)
    try:
        if parsed.version:
            return _version()
        if not parsed.command:
            options.print_help(sys.stderr)
            return 2
        return _do(parsed)
    except RunnerError as error:
        return _shown(error)
    except KeyboardInterrupt:
        return _shown(Stopped("interrupted"))
    except BrokenPipeError:
        # The reader has gone, and Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _shown(_unforeseen(error))


def _keep_quiet() -> None:
    """Nobody reads the memory, and no error that nothing catches is printed with its text (R-ER9)."""
    memory.keep_private()
    faults.watch(lambda error: _shown(_unforeseen(error)))


def _do(parsed: Namespace) -> int:
    module = import_module(f"runner.commands.{_MODULES.get(parsed.command, parsed.command)}")
    code: int = module.run(parsed)
    return code


def _unforeseen(error: BaseException) -> RunnerError:
    fix = "Report this line, with the command and without any data."
    return RunnerError(f"the runner itself went wrong: {faults.told(error)}", fix=fix)


def _shown(error: RunnerError) -> int:
    report.print_error(error)
    return error.exit_code


def _version() -> int:
    from importlib.metadata import version

    print(f"runner {version('primero-progres-bridge')}")  # noqa: T201
    return 0


def parser() -> ArgumentParser:
    """Everything that may be said on the command line."""
    options = ArgumentParser(
        "runner", description="Runs jobs that carry records between systems.", epilog=_EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    options.add_argument("--version", action="store_true", help="show the version")
    commands = options.add_subparsers(dest="command", metavar="COMMAND")
    listing = commands.add_parser("list", help="show the jobs of the project", allow_abbrev=False)
    _add_places(listing)
    listing.add_argument(
        "--fields", action="store_true", help="show the fields that each job takes from a system and sends to it"
    )
    demo = commands.add_parser(
        "demo", help="play all exchanges through the service, between stand-ins", allow_abbrev=False
    )
    demo.add_argument("--json", action="store_true", help="print one JSON document")
    left = demo.add_mutually_exclusive_group()
    left.add_argument(
        "--keep", metavar="FOLDER", help="leave a service with a day of activity in a new or empty folder"
    )
    left.add_argument("--resume", metavar="FOLDER", help="run such a service with its console, until Ctrl-C")
    rehearsal = commands.add_parser(
        "rehearse", help="let the project's own jobs deal with synthetic children, for every row of their tables "
        "(exit with 4 where something is other than the tables say)", allow_abbrev=False,
    )  # fmt: skip
    rehearsal.add_argument("--json", action="store_true", help="print one JSON document")
    rehearsal.add_argument("--project", metavar="FILE", help="the project file (project.yaml)")
    rehearsal.add_argument("--snapshot", metavar="FILE", help="the far side's forms and look-ups (snapshot.json)")
    rehearsal.add_argument("--keep", metavar="DIR", help="a new folder, in which all that was written is left")
    _add_run(commands.add_parser("run", help="run one job, once, now", epilog=_EXIT_CODES, allow_abbrev=False,
                                 formatter_class=RawDescriptionHelpFormatter))  # fmt: skip
    _add_reconcile(commands.add_parser("reconcile", help="show what was lost, or must be told to the other agency "
                                       "(then exit with 4)", allow_abbrev=False))  # fmt: skip
    serve = commands.add_parser("serve", help="take messages in and run jobs, until it is stopped", allow_abbrev=False)
    _add_places(serve)
    part = serve.add_mutually_exclusive_group()
    part.add_argument("--inbox", action="store_true", help="only take messages in; the store must be in PostgreSQL")
    part.add_argument("--worker", action="store_true", help="only run jobs; the store must be in PostgreSQL")
    serve.add_argument("--console", action="store_true", help="show administrators what it does, in their browsers")
    serve.add_argument("--log-format", choices=("json", "text"), help="how events are written to standard error (text)")
    _add_keys(commands.add_parser("keys", help="the keys that open the inbox", allow_abbrev=False))
    service.add(commands, _add_places)
    return options


def _add_places(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--project", metavar="FILE", help="the project file (project.yaml)")
    parser.add_argument("--credentials", metavar="DIR", help="where the credentials are (credentials/)")
    parser.add_argument("--data", metavar="DIR", help="where the ledger and the cursors are (data/)")
    parser.add_argument("--profile", metavar="NAME", help="use credentials/NAME/ and data/NAME/")


def _add_run(parser: ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="a job's name, or the path of a script")
    _add_places(parser)
    add = parser.add_argument
    add("-s", "--state", metavar="FILE", help='a state file: {"data": …, "configuration": …}')
    add("-o", "--output", metavar="FILE", help="where to write the final state, without configuration")
    add("--message", metavar="FILE", help="a message, which becomes data")
    add(
        "--dry-run", action="store_true", help="read, but send nothing; show the names of the fields that would be sent"
    )
    add("--only", metavar="OPERATION", help="run this operation only, by number or name")
    add("--start", metavar="OPERATION", help="begin with this operation")
    add("--end", metavar="OPERATION", help="end with this operation")
    add("--since", metavar="TIME", help="read what changed since then, such as 2026-03-01T00:00:00Z")
    add("--move-cursor", action="store_true", help="remember how far was read, when nothing failed")
    add("--memory", action="store_true", help="use no data directory: nothing is remembered")
    add("--show-prints", action="store_true", help="show what the job prints; with stand-ins on this machine only")
    add("--timeout", metavar="SECONDS", type=_seconds, help="end the run after so many seconds")


def _add_reconcile(parser: ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", nargs="?", default="reconcile", help="the job that compares (reconcile)")
    _add_places(parser)
    then = parser.add_mutually_exclusive_group()
    then.add_argument(
        "--repair",
        action="store_true",
        help="let the jobs send what is missing, unless nobody can vouch that it wasn't",
    )
    then.add_argument("--told", metavar="ID", help="the other agency was told of this finding: don't list it again")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="end the comparing after so many seconds")
    # Else it is a run of that job like any other.
    parser.set_defaults(
        **dict.fromkeys(("state", "output", "message", "only", "start", "end", "since")),
        **dict.fromkeys(("dry_run", "move_cursor", "memory", "show_prints"), False),
    )


def _add_keys(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key and show it, this once", allow_abbrev=False)
    create.add_argument("label", metavar="LABEL", help="whose key it is, as reports name it")
    create.add_argument(
        "--valid", metavar="TIME", type=_duration, help="how long, such as 365d; until revoked if not given"
    )
    rotate = actions.add_parser(
        "rotate", help="make another key of a label; the old one ends later", allow_abbrev=False
    )
    rotate.add_argument("label", metavar="LABEL", help="whose key it is")
    rotate.add_argument(
        "--overlap", metavar="TIME", type=_duration, default="72h", help="how long the old one still opens (72h)"
    )
    revoke = actions.add_parser("revoke", help="withdraw a key at once", allow_abbrev=False)
    revoke.add_argument("key", metavar="KEY", help="its id, or its label where only one has it")
    for action in (
        create,
        rotate,
        revoke,
        actions.add_parser("list", help="show the keys, not what opens", allow_abbrev=False),
    ):
        _add_places(action)


def _duration(text: str) -> timedelta:
    unit, amount = {"m": "minutes", "h": "hours", "d": "days"}.get(text[-1:]), float(text[:-1])
    if unit is None or not 0 < amount < 10_000:
        raise ValueError
    return timedelta(**{unit: amount})


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 10_000_000:
        raise ValueError
    return seconds
