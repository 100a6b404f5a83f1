"""Runs and the outcomes of their items: ids, codes, counts and times."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from runner.errors import TakenOver
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.days import count_run
from runner.store.lines import Tally
from runner.store.mentions import keep_mentions
from runner.store.moments import document, optional_moment, text
from runner.store.records import ItemRecord, RunRecord

RUN = "id, job, unit, started, ended, outcome, code, counts, version, configuration, steps, error_type"
ITEM = "position, outcome, ids, code, message, fix"

# The names of all jobs that were run, each found by its index, so that a million runs of one cost nothing.
_NAMED = """WITH RECURSIVE named (job) AS (
              SELECT min(job) FROM runs
              UNION ALL SELECT (SELECT min(job) FROM runs WHERE runs.job > named.job) FROM named
                WHERE named.job IS NOT NULL)"""


def keep_run(db: Transaction, run: RunRecord) -> None:
    """Keep a run, within the transaction at hand. Items that changed nothing are counted only: there are so many.

    Raises TakenOver when it is kept already: then what it did was written down, though somebody was told otherwise.
    """
    if db.execute("SELECT 1 FROM runs WHERE id = ?", (run.id,)).fetchone():
        raise TakenOver(f"the run {run.id} is kept already", fix="What it did is written down; leave it.")
    counts = document(Counter(item.outcome for item in run.items))
    values = (run.id, run.job, run.unit, text(run.started), text(run.ended), run.outcome, run.code, counts)
    made_of = (run.version, run.configuration, document([list(step) for step in run.steps]), run.error_type)
    (number,) = db.execute(
        f"INSERT INTO runs ({RUN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number", (*values, *made_of)
    ).fetchone()
    kept = [item for item in run.items if item.outcome != "unchanged"]
    db.executemany(
        f"INSERT INTO items (run, run_number, {ITEM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (run.id, number, item.index, item.outcome, document(dict(item.ids)), item.code, item.message, item.fix)
            for item in kept
        ),
    )
    count_run(db, run)
    keep_mentions(db, number, kept)


class Runs(Database):
    """What was run."""

    def run(self, run_id: str) -> RunRecord | None:
        """One run with its items, or None."""
        rows = self.read(f"SELECT {RUN} FROM runs WHERE id = ?", run_id)
        items = self.read(f"SELECT {ITEM} FROM items WHERE run = ? ORDER BY position", run_id)
        return record(rows[0], tuple(item_record(item) for item in items)) if rows else None

    def jobs_run(self) -> list[str]:
        """The names of all jobs that were run."""
        rows = self.read(f"{_NAMED} SELECT job FROM named WHERE job IS NOT NULL")
        return [job for (job,) in rows]

    def runs_of(self, unit: str, limit: int) -> list[RunRecord]:
        """The last runs of a unit, the newest first, without items."""
        rows = self.read(f"SELECT {RUN} FROM runs WHERE unit = ? ORDER BY number DESC LIMIT ?", unit, limit)
        return [record(row) for row in rows]

    def last_success(self) -> dict[str, datetime]:
        """When each job last succeeded, by its name; a job that never did isn't there."""
        rows = self.read(
            f"""{_NAMED} SELECT job, (SELECT max(ended) FROM runs WHERE runs.job = named.job AND outcome = 'succeeded')
                FROM named"""
        )
        return {job: datetime.fromisoformat(ended) for job, ended in rows if ended}

    def last_through(self, job: str) -> datetime | None:
        """When a job last got through, be it that something was left to a person; None when it never did."""
        ((ended,),) = self.read("SELECT max(ended) FROM runs WHERE job = ? AND outcome <> 'failed'", job)
        return optional_moment(ended)

    def last_outcome(self, job: str) -> tuple[str, str | None] | None:
        """Outcome and code of a job's last run; None when there was none."""
        rows = self.read("SELECT outcome, code FROM runs WHERE job = ? ORDER BY number DESC LIMIT 1", job)
        return next(((outcome, code) for outcome, code in rows), None)

    def last_run(self) -> int:
        """The number of the last run that was kept; 0 when there is none."""
        ((number,),) = self.read("SELECT coalesce(max(number), 0) FROM runs")
        return int(number)

    def tallies(self, after: int) -> tuple[int, list[Tally]]:
        """The number of the last run, and what those come to that were kept after the one of that number."""
        rows = self.read(
            "SELECT number, job, outcome, started, ended, counts FROM runs WHERE number > ? ORDER BY number", after
        )
        found: dict[tuple[str, str], Tally] = {}
        for _, job, outcome, started, ended, counts in rows:
            lasted = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
            before = found.get((job, outcome), Tally(job, outcome))
            items = Counter(before.items) + Counter(json.loads(counts))
            found[job, outcome] = Tally(job, outcome, before.runs + 1, before.seconds + lasted.total_seconds(), items)
        return max((row[0] for row in rows), default=after), list(found.values())


def record(row: Any, items: tuple[ItemRecord, ...] = ()) -> RunRecord:
    """A run, of the columns RUN."""
    run_id, job, unit, started, ended, outcome, code, counts, version, configuration, steps, error_type = row
    began, finished = datetime.fromisoformat(started), datetime.fromisoformat(ended)
    return RunRecord(
        run_id, job, unit, began, finished, outcome, code, items, json.loads(counts), version, configuration,
        tuple((name, seconds) for name, seconds in json.loads(steps)), error_type,
    )  # fmt: skip


def item_record(row: Any) -> ItemRecord:
    """An item, of the columns ITEM."""
    index, outcome, ids, *told = row
    return ItemRecord(index, outcome, json.loads(ids), *told)
