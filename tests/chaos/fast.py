"""`runner` in a world whose hours are seconds: `python -m tests.chaos.fast BEGIN SECONDS SPEED serve …`.

The service believes that it was BEGIN (ISO) at that moment (seconds since 1970), and that time has gone SPEED times as
fast since. So the project's own schedule and pauses are tried out in seconds, and a day with its keys ends in them too.
"""

import sys
import time
from datetime import datetime, timedelta

from runner import cli
from runner.commands import serve
from runner.work import crew


def main(begin, moment, speed, *words):
    """One command of the runner under that clock; its exit code."""
    begun, since, factor = datetime.fromisoformat(begin), float(moment), float(speed)
    # The one place from which the service takes its time.
    serve._now = lambda: begun + timedelta(seconds=(time.time() - since) * factor)
    crew._LONGEST /= factor
    return cli.main(words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
