"""What was run, and what became of each item, chosen by job, outcome, code and time; always the newest first.

There may be a million of each. So every question is written in such a way that the database takes the index by which it
comes to what is shown soonest, and no other one.
"""

from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from runner.store.connection import Connection
from runner.store.database import Database
from runner.store.lines import Found
from runner.store.moments import text
from runner.store.records import RunRecord
from runner.store.runs import ITEM, RUN, item_record, record

FOUND = ", ".join([*(f"runs.{name}" for name in RUN.split(", ")), *(f"items.{name}" for name in ITEM.split(", "))])

_APART = timedelta(days=1)  # by so much the clocks may differ by which runs are dated, or one may have been set back
_EVERY = 1 << 62
# The codes that a table has, each found by its index.
_CODES = """WITH RECURSIVE named (code) AS (
              SELECT min(code) FROM {table} WHERE code IS NOT NULL
              UNION ALL SELECT (SELECT min(code) FROM {table} WHERE {table}.code > named.code) FROM named
                WHERE named.code IS NOT NULL)
            SELECT code FROM named WHERE code IS NOT NULL"""


def found(row: Any) -> Found:
    """An item and its run, of the columns FOUND."""
    columns = len(RUN.split(", "))
    return Found(record(row[:columns]), item_record(row[columns:]))


class Choice(TypedDict, total=False):
    """What is looked for; "" and None are everything. `until` itself is not within the time."""

    job: str | None
    outcome: str | None
    code: str | None
    since: datetime | None
    until: datetime | None


class History(Database):
    """What people look for in what was run."""

    def runs(self, limit: int = 50, **choice: Unpack[Choice]) -> list[RunRecord]:
        """The last runs, without their items."""
        outcome = choice.get("outcome")
        by = "code" if choice.get("code") else "outcome" if outcome and outcome != "succeeded" else "job"
        with self.reading() as db:
            where, values = _where(db, choice, "runs", "runs.number", by=by)
            rows = db.execute(f"SELECT {RUN} FROM runs WHERE {where} ORDER BY number DESC LIMIT ?", (*values, limit))
            return [record(row) for row in rows.fetchall()]

    def items(self, limit: int = 50, **choice: Unpack[Choice]) -> list[Found]:
        """The last items of runs that changed something, or need a look; `outcome` is that of the item."""
        code, outcome = choice.get("code"), choice.get("outcome")
        if code or outcome not in (None, "", "done"):
            tables, number = "items CROSS JOIN runs", "items.run_number"
            joined = "runs.number = items.run_number"
            joined += "" if code else " AND items.outcome <> 'done'"  # as its index says
        else:
            tables, number, joined = "runs CROSS JOIN items", "runs.number", "items.run = runs.id"
        with self.reading() as db:
            where, values = _where(db, choice, "items", number)
            rows = db.execute(
                f"""SELECT {FOUND} FROM {tables} WHERE {joined} AND {where}
                    ORDER BY {number} DESC, items.position LIMIT ?""",
                (*values, limit),
            )
            return [found(row) for row in rows.fetchall()]

    def codes(self) -> list[str]:
        """The codes with which runs and items ended."""
        rows = [row for table in ("runs", "items") for row in self.read(_CODES.format(table=table))]
        return sorted({code for (code,) in rows})


def _where(db: Connection, choice: Choice, table: str, number: str, by: str | None = None) -> tuple[str, list[Any]]:
    """The conditions, and their values. Outcome and code are those of this table, `number` is the column by which runs
    are in order; where `by` is given, only the index of this column shall be taken."""
    wanted = {"job": ("runs", choice.get("job"))}
    wanted |= {"outcome": (table, choice.get("outcome")), "code": (table, choice.get("code"))}
    asked = {name: (of, value) for name, (of, value) in wanted.items() if value}
    conditions = [
        f"{of}.{name} = ?" if by in (name, None) else f"{of}.{name} || '' = ?" for name, (of, _) in asked.items()
    ]
    values: list[Any] = [value for _, value in asked.values()]
    since, until = choice.get("since"), choice.get("until")
    if since or until:
        conditions.append(f"{number} BETWEEN ? AND ?")
        values += _numbers(db, since, until)
    for sign, moment in ((">=", since), ("<", until)):
        if moment:
            conditions.append(f"runs.ended {sign} ?")
            values.append(text(moment))
    return " AND ".join(conditions or ["1 = 1"]), values


def _numbers(db: Connection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The numbers between which the runs are that ended in this time, since they count up as time goes by."""
    before = "SELECT number FROM runs WHERE ended < ? ORDER BY ended DESC LIMIT 1"
    after = "SELECT number FROM runs WHERE ended >= ? ORDER BY ended LIMIT 1"
    begin = db.execute(before, (text(since - _APART),)).fetchone() if since else None
    end = db.execute(after, (text(until + _APART),)).fetchone() if until else None
    return (begin or (0,))[0], (end or (_EVERY,))[0]
