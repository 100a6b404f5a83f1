"""What was kept by a clock that was set back since: nothing waits for a time that was never meant."""

import sqlite3
from datetime import datetime, timedelta

from runner.store.database import Database
from runner.store.moments import optional_moment, text

# When the last thing was done by which a time to come is reckoned: a run, a unit that arrived, a slot that was taken.
_NEWEST = """SELECT max(moment) FROM (
               SELECT ended AS moment FROM runs WHERE number = (SELECT max(number) FROM runs)
               UNION ALL SELECT arrived FROM units WHERE number = (SELECT max(number) FROM units)
               UNION ALL SELECT max(taken) FROM slots) AS known"""


class Setbacks(Database):
    """Times that lie ahead because the clock ran ahead."""

    def newest_moment(self) -> datetime | None:
        """The time by the clock when something was last done; None in a new store."""
        ((moment,),) = self.read(_NEWEST)
        return optional_moment(moment)

    def set_back(self, now: datetime, *, rest: timedelta) -> None:
        """The clock was set back: what waits is due now, and what was done at times that are still to come is due then
        again. A credential that rests does so for `rest` from now at most (R-DL1)."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE units SET due = ?1 WHERE status = 'pending' AND due > ?1", (text(now),))
            db.execute("UPDATE circuits SET until = ?1 WHERE until > ?1", (text(now + rest),))
            db.execute("DELETE FROM slots WHERE slot > ? AND settled IS NOT NULL", (text(now),))

        self.change(work)
