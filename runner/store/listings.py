"""What commands show: never a payload."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from runner.store import doubts
from runner.store.database import Database
from runner.store.lines import Counts, UnitLine, Unsettled, WaitingLine
from runner.store.moments import optional_moment, text

_SHOWN = 3  # ids of the units that wait for one reason
UNIT = "id, message, job, started_by, status, tries, arrived, due, code, error, expires, settled"
_WAITING = """SELECT units.id, units.job, units.message, messages.key_label, messages.size, units.arrived, units.tries,
                     units.due, units.code
              FROM units LEFT JOIN messages ON messages.id = units.message"""


class Listings(Database):
    """Counts and lines."""

    def counts(self, *, settled: bool = True) -> Counts:
        """How much there is, by what it waits for; without what is `settled`, which may be a million, in no time."""
        which = "" if settled else "WHERE status IN ('pending', 'running', 'parked', 'dead')"
        by_status: Counter[str] = Counter()
        by_job: dict[str, dict[str, int]] = {}
        for job, status, count in self.read(f"SELECT job, status, count(*) FROM units {which} GROUP BY job, status"):
            by_job.setdefault(job, {})[status] = count
            by_status[status] += count
        ((quarantined, oldest, parked, held, waiting),) = self.read(
            """SELECT (SELECT count(*) FROM messages WHERE status = 'quarantined'),
                      (SELECT min(arrived) FROM units WHERE status IN ('pending', 'running')),
                      (SELECT count(*) FROM parked WHERE released IS NULL),
                      (SELECT count(*) FROM outbox WHERE held = 1),
                      (SELECT count(*) FROM outbox)"""
        )
        return Counts(by_status, by_job, quarantined, parked + held, waiting, optional_moment(oldest))

    def unsettled(self) -> list[Unsettled]:
        """All that isn't settled, by what it waits for, job and reason; what was settled isn't looked at."""
        units = self.read(
            """SELECT status, job, coalesce(code, ''), count(*), min(settled), min(expires) FROM units
               WHERE status IN ('parked', 'dead') GROUP BY status, job, code ORDER BY status, job, code"""
        )
        others = self.read(
            """SELECT 'waiting', job, '', count(*), min(arrived), NULL FROM units
                 WHERE status IN ('pending', 'running') GROUP BY job
               UNION ALL SELECT 'quarantined', '', '', count(*), min(arrived), min(expires) FROM messages
                 WHERE status = 'quarantined' GROUP BY status
               UNION ALL SELECT 'record', job, coalesce(code, ''), count(*), min(since), NULL FROM parked
                 WHERE released IS NULL GROUP BY job, code
               UNION ALL SELECT 'held', system, ?, count(*), min(since), NULL FROM outbox WHERE held = 1 GROUP BY system
               UNION ALL SELECT 'answers', system, '', count(*), min(since), NULL FROM outbox WHERE held = 0
                 GROUP BY system""",
            doubts.CODE,
        )
        return [_unsettled(row, self._newest(*row[:3])) for row in (*units, *others)]

    def _newest(self, status: str, job: str, code: str) -> tuple[str, ...]:
        rows = self.read(
            """SELECT id FROM units WHERE status = ? AND job = ? AND coalesce(code, '') = ?
               ORDER BY number DESC LIMIT ?""",
            status, job, code, _SHOWN,
        )  # fmt: skip
        return tuple(unit for (unit,) in rows)

    def erased_unsettled(self, since: datetime) -> tuple[int, datetime | None]:
        """How many units nobody settled in time were erased since then, and when the first was."""
        rows = self.read(
            "SELECT count(*), min(settled) FROM units WHERE status = 'expired' AND settled >= ?", text(since)
        )
        return rows[0][0], optional_moment(rows[0][1])

    def latest(self) -> datetime | None:
        """The latest moment at which something was written down, by the clock of that time; None in a new store."""
        rows = self.read(
            """SELECT max(time) FROM (SELECT time FROM audit WHERE number = (SELECT max(number) FROM audit)
               UNION ALL SELECT max(ended) FROM runs) AS known"""
        )
        return optional_moment(rows[0][0])

    def units(
        self, *, status: str | None = None, message: str | None = None, job: str | None = None, limit: int = 50
    ) -> list[UnitLine]:
        """The last units, the newest first."""
        wanted = {"status": status, "message": message, "job": job}
        given = {name: value for name, value in wanted.items() if value is not None}  # so that their indexes are used
        where = " AND ".join([f"{name} = ?" for name in given] or ["1 = 1"])
        rows = self.read(f"SELECT {UNIT} FROM units WHERE {where} ORDER BY number DESC LIMIT ?", *given.values(), limit)
        return [unit_line(row) for row in rows]

    def waiting(self, limit: int) -> list[WaitingLine]:
        """The units that have waited longest, also those that are tried again."""
        rows = self.read(f"{_WAITING} WHERE units.status = 'pending' ORDER BY units.number LIMIT ?", limit)
        return [_waiting(row) for row in rows]

    def again(self, limit: int) -> list[WaitingLine]:
        """The units that are tried again, the next first."""
        rows = self.read(
            f"{_WAITING} WHERE units.status = 'pending' AND units.tries > 0 ORDER BY units.due LIMIT ?", limit
        )
        return [_waiting(row) for row in rows]

    def units_to_settle(self, code: str, limit: int) -> list[UnitLine]:
        """The oldest units that are parked or dead for this reason."""
        rows = self.read(
            f"""SELECT {UNIT} FROM units WHERE status IN ('parked', 'dead') AND code = ?
                ORDER BY number LIMIT ?""",
            code, limit,
        )  # fmt: skip
        return [unit_line(row) for row in rows]

    def unit(self, unit_id: str) -> UnitLine | None:
        """One unit, or None."""
        rows = self.read(f"SELECT {UNIT} FROM units WHERE id = ?", unit_id)
        return unit_line(rows[0]) if rows else None


def _unsettled(row: Any, ids: tuple[str, ...]) -> Unsettled:
    kind, job, code, count, since, expires = row
    return Unsettled(kind, job, code, count, optional_moment(since), optional_moment(expires), ids)


def _waiting(row: Any) -> WaitingLine:
    unit_id, job, message, key_label, size, arrived, tries, due, code = row
    moments = datetime.fromisoformat(arrived), tries, datetime.fromisoformat(due)
    return WaitingLine(unit_id, job, message, key_label, size, *moments, code)


def unit_line(row: Any) -> UnitLine:
    """A unit, of the columns UNIT."""
    unit_id, message, job, started_by, status, tries, arrived, due, code, error, expires, settled = row
    began = datetime.fromisoformat(arrived), datetime.fromisoformat(due)
    why = json.loads(error) if error else None
    ends = optional_moment(expires), optional_moment(settled)
    return UnitLine(unit_id, message, job, started_by, status, tries, *began, code, why, *ends)
