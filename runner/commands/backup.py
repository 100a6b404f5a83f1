"""`runner backup FILE`: what jobs need to go on, without any payload and any key that opens one (R-ER6)."""

from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from runner import project, provenance, report
from runner.places import Places


def run(arguments: Namespace) -> int:
    """Write the backup, also while the service runs; 0. Raises WrongUse when the file is there already."""
    places, path = Places.of(arguments), Path(arguments.file)
    found = project.load(places.project)
    made_of = provenance.provenance(found)
    about = {
        "project": found.path.read_text("utf-8"),
        "commit": made_of.version or "none",
        "configuration": made_of.configuration or "none",
    }
    with places.store() as store:
        waiting = store.counts()
        about["waiting payloads"] = str(sum(waiting.units.get(name, 0) for name in ("pending", "running", "parked")))
        held = asdict(store.backup(path, about=about, now=datetime.now(UTC)))
    document = {"file": str(path), **{name: held[name] for name in ("ledger", "records", "answers")}}
    report.print_either(
        arguments.json,
        document,
        [
            f"{held['ledger']} rows of the ledger, {held['records']} parked records, {held['answers']} waiting answers",
            f"written to {path}, readable by you alone; it holds no payload and none of the vault's keys",
        ],
    )
    return 0
