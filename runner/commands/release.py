"""`runner retry` and `runner discard`: what a person decided about something that is parked, dead or quarantined."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime

from runner import project, report
from runner.errors import WrongUse
from runner.inbox import settings
from runner.inbox.intake import Intake
from runner.places import Places
from runner.store import Store

QUARANTINED = "quarantined"  # the status, which `--code` takes as well

_FIX = "runner parked and runner inbox list show what there is."
_NEEDS_A_LOOK = 4
_ALL = 1_000_000


def run(arguments: Namespace) -> int:
    """Retry or discard, and say how many there were; 4 when a message still matches no job. Raises WrongUse when there
    is no such thing."""
    places = Places.of(arguments)
    with places.store() as store:
        if arguments.command == "retry":
            return _retry(store, places, arguments)
        if not store.discard(arguments.id, reason=arguments.reason, now=_now()):
            raise _unknown(arguments.id)
        report.print_either(arguments.json, {"count": 1}, ["erased"])
    return 0


def _retry(store: Store, places: Places, arguments: Namespace) -> int:
    if arguments.all != bool(arguments.code) or arguments.all == bool(arguments.id):
        raise WrongUse("retry takes either an ID, or --all and --code", fix="Such as: runner retry --all --code CODE")
    count = store.retry(arguments.id, code=arguments.code, now=_now())
    unmatched: list[str] = []
    if quarantined := _quarantined(store, arguments):
        found = project.load(places.project)
        intake = Intake(store, places.vault(now=_now), found, settings.of(found), now=_now)
        taken = {message_id: intake.take_again(message_id) for message_id in quarantined}
        unmatched = [message_id for message_id, kept in taken.items() if kept and not kept.matched]
        count += sum(kept is not None for kept in taken.values()) - len(unmatched)
    if not count and not unmatched and not arguments.all:
        raise _unknown(arguments.id)
    report.print_either(arguments.json, {"count": count, "unmatched": unmatched}, _lines(count, unmatched))
    return _NEEDS_A_LOOK if unmatched else 0


def _quarantined(store: Store, arguments: Namespace) -> list[str]:
    """The quarantined messages that are meant."""
    if arguments.code == QUARANTINED:
        return [line.id for line in reversed(store.messages(status=QUARANTINED, limit=_ALL))]
    line = store.message(arguments.id) if arguments.id else None
    return [line.id] if line and line.status == QUARANTINED else []


def _lines(count: int, unmatched: list[str]) -> Iterator[str]:
    yield f"{count} will be tried again"
    for message_id in unmatched:
        yield f"{message_id} still matches no job that is enabled, and stays quarantined"


def _unknown(name: str) -> WrongUse:
    return WrongUse(f"nothing that waits for a person is called {name}", fix=_FIX)


def _now() -> datetime:
    return datetime.now(UTC)
