"""The command line: what is asked for, by whom it is done, and how errors are shown.

Each command is imported when it is asked for, so that `runner --help` costs nothing.
"""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb

from runner.errors import RunnerError, Stopped

_EXIT_CODES = """exit codes:
  0  every item done, unchanged or withheld      1  the job failed
  2  wrong use, or a file can't be read          3  project, job script or credential invalid
  4  finished, but something needs a look        5  timed out or interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for and give the exit code.

    >>> main(["--version"])  # doctest: +SKIP
    0
    """
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
        place = extract_tb(error.__traceback__)[-1]
        wrong = RunnerError(
            f"the runner itself went wrong: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}",
            fix="Report this line, with the command and without any data.",
        )
        return _shown(wrong)


def _do(parsed: Namespace) -> int:
    match parsed.command:
        case "list":
            from runner import listing

            return listing.run(parsed)
        case "run":
            from runner import run

            return run.run(parsed)
        case _:
            from runner import demo

            return demo.main(parsed)


def _shown(error: RunnerError) -> int:
    from runner import report

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
    demo = commands.add_parser("demo", help="run all exchanges against stand-ins", allow_abbrev=False)
    demo.add_argument("--json", action="store_true", help="print one JSON document")
    _add_run(commands.add_parser("run", help="run one job, once, now", epilog=_EXIT_CODES, allow_abbrev=False,
                                 formatter_class=RawDescriptionHelpFormatter))  # fmt: skip
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
    add("--timeout", metavar="SECONDS", type=_seconds, help="end the run after so many seconds")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 10_000_000:
        raise ValueError
    return seconds
