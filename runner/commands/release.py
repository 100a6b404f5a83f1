"""`runner retry` and `runner discard`: what a person decided about something that is parked or dead."""

from argparse import Namespace
from datetime import UTC, datetime

from runner import report
from runner.errors import WrongUse
from runner.places import Places
from runner.store import Store

_FIX = "runner parked and runner inbox list show what there is."


def run(arguments: Namespace) -> int:
    """Retry or discard, and say how many there were. Raises WrongUse when there is no such thing."""
    now = datetime.now(UTC)
    with Store.open(Places.of(arguments).data) as store:
        if arguments.command == "retry":
            count = _retry(store, arguments, now)
            done = f"{count} will be tried again"
        else:
            count = int(store.discard(arguments.id, reason=arguments.reason, now=now))
            done = "erased"
    if not count and not getattr(arguments, "all", False):
        raise WrongUse(f"nothing that waits for a person is called {arguments.id}", fix=_FIX)
    report.print_either(arguments.json, {"count": count}, [done])
    return 0


def _retry(store: Store, arguments: Namespace, now: datetime) -> int:
    if arguments.all != bool(arguments.code) or arguments.all == bool(arguments.id):
        raise WrongUse("retry takes either an ID, or --all and --code", fix="Such as: runner retry --all --code CODE")
    return store.retry(arguments.id, code=arguments.code, now=now)
