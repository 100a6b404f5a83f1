"""`runner store purge`: delete what is older than the project file's retention says, or only count it (R-ER8);
`runner store migrate --to postgresql://…`: everything goes from its file into PostgreSQL, while the service rests.
"""

from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime

from runner import project, report
from runner.places import Places
from runner.store import moving
from runner.work.ages import Ages


def run(arguments: Namespace) -> int:
    """Do one of the two; 0."""
    return _migrate(arguments) if arguments.action == "migrate" else _purge(arguments)


def _migrate(arguments: Namespace) -> int:
    """Move everything, and print how much that was. Raises InUse while a service or a job is at work."""
    places = Places.of(arguments)
    jobs = list(project.load(places.project).jobs)
    counts = moving.move(places.data, arguments.to, jobs=jobs, now=lambda: datetime.now(UTC))
    lines = [f"{count:>7} {table}" for table, count in counts.items()]
    lines.append("The file is gone. Write into the project file where the store is now: store: postgresql://…")
    report.print_either(arguments.json, {"moved": counts}, lines)
    return 0


def _purge(arguments: Namespace) -> int:
    """Print how much of each was deleted, or would be. The service does the same once a day."""
    places, now = Places.of(arguments), datetime.now(UTC)
    ages = Ages.of(project.load(places.project))
    with places.store() as store:
        counts = Counter({"payloads": store.expired(now), **ages.old(store, now)})
        if not arguments.dry_run:
            store.expire(now)
            while ages.purge(store, now):
                pass
            store.scrub(now=now)
            store.checkpoint()
    document = {"deleted": not arguments.dry_run, **counts}
    word = "would be deleted" if arguments.dry_run else "deleted"
    report.print_either(arguments.json, document, [f"{count:>7} {name} {word}" for name, count in counts.items()])
    return 0
