"""Precautions of a run by hand: it does nothing at the same time as a service, and nothing that isn't written down."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from runner import project
from runner.errors import WrongUse
from runner.inbox.routing import route
from runner.places import Places
from runner.provenance import Provenance
from runner.store import Store


def turn(store: Store | None, job: project.Job) -> AbstractContextManager[None]:
    """A scheduled job, or one that delivers, doesn't run beside itself: not beside a service either."""
    return store.lock(f"job/{job.name}") if store else nullcontext()


@contextmanager
def subjects(store: Store | None, places: Places, job: project.Job, message: Any) -> Iterator[None]:
    """Hold those whom a message is about, so that a service does nothing for them meanwhile (H18)."""
    parts = route(message, [replace(job, enabled=True)]) if isinstance(message, dict) else ()
    about = {part.subject for part in parts if part.subject}
    with ExitStack() as held:
        if store and about:
            vault = places.vault(now=lambda: datetime.now(UTC))
            for name in sorted(map(vault.keyed, about)):
                held.enter_context(store.lock(f"subject/{name}"))
        yield


def refuse_doubtful_cursor(store: Store, job: project.Job) -> None:
    """Raise WrongUse where the cursor of a scheduled job must not move by hand (R-ER6)."""
    if job.is_scheduled and store.in_doubt(job.name):
        raise WrongUse(
            "a backup was restored, and what this job reads now can't be vouched for",
            fix="Let the service run it once, which parks that, or leave out --move-cursor.",
        )


def record(store: Store, job: project.Job, made_of: Provenance, arguments: Namespace) -> None:
    """A person runs a job: that is written down before it begins (R-AU3)."""
    store.record(
        "run_by_hand",
        now=datetime.now(UTC),
        job=job.name,
        code="dry_run" if arguments.dry_run else None,
        commit=made_of.version,
        configuration=made_of.configuration,
    )
    if arguments.output:
        store.record("state_exported", now=datetime.now(UTC), job=job.name)
