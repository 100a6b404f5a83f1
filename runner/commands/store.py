"""`runner store purge`: delete what is older than the project file's retention says, or only count it (R-ER8)."""

from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime

from runner import project, report
from runner.places import Places
from runner.store import Store
from runner.work.ages import Ages


def run(arguments: Namespace) -> int:
    """Print how much of each was deleted, or would be; 0. The service does the same once a day."""
    places, now = Places.of(arguments), datetime.now(UTC)
    ages = Ages.of(project.load(places.project))
    with Store.open(places.data) as store:
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
