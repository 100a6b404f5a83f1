"""What commands show: never a payload."""

import json
from datetime import datetime
from typing import Any

from runner.store.database import Database
from runner.store.moments import optional_moment
from runner.store.records import Counts, UnitLine

_COLUMNS = "id, message, job, started_by, status, tries, arrived, due, code, error, expires, settled"


class Listings(Database):
    """Counts and lines."""

    def counts(self) -> Counts:
        """How much waits, by what for."""
        by_status = dict(self.read("SELECT status, count(*) FROM units GROUP BY status"))
        by_job: dict[str, dict[str, int]] = {}
        for job, status, count in self.read("SELECT job, status, count(*) FROM units GROUP BY job, status"):
            by_job.setdefault(job, {})[status] = count
        ((quarantined, oldest, parked, held, waiting),) = self.read(
            """SELECT (SELECT count(*) FROM messages WHERE status = 'quarantined'),
                      (SELECT min(arrived) FROM units WHERE status IN ('pending', 'running')),
                      (SELECT count(*) FROM parked WHERE released IS NULL),
                      (SELECT count(*) FROM outbox WHERE held = 1),
                      (SELECT count(*) FROM outbox)"""
        )
        return Counts(by_status, by_job, quarantined, parked + held, waiting, optional_moment(oldest))

    def units(
        self, *, status: str | None = None, message: str | None = None, job: str | None = None, limit: int = 50
    ) -> list[UnitLine]:
        """The last units, the newest first."""
        rows = self.read(
            f"""SELECT {_COLUMNS} FROM units
                WHERE status = coalesce(?, status) AND coalesce(message, '') = coalesce(?, message, '')
                  AND job = coalesce(?, job) ORDER BY number DESC LIMIT ?""",
            status,
            message,
            job,
            limit,
        )
        return [_line(row) for row in rows]

    def unit(self, unit_id: str) -> UnitLine | None:
        """One unit, or None."""
        rows = self.read(f"SELECT {_COLUMNS} FROM units WHERE id = ?", unit_id)
        return _line(rows[0]) if rows else None


def _line(row: Any) -> UnitLine:
    unit_id, message, job, started_by, status, tries, arrived, due, code, error, expires, settled = row
    began = datetime.fromisoformat(arrived), datetime.fromisoformat(due)
    why = json.loads(error) if error else None
    ends = optional_moment(expires), optional_moment(settled)
    return UnitLine(unit_id, message, job, started_by, status, tries, *began, code, why, *ends)
