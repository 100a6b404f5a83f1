"""What a service that watches itself remembers: signs that it saw, and who was told what."""

from collections.abc import Collection
from datetime import datetime

from runner.store.connection import Connection
from runner.store.database import Database
from runner.store.moments import optional_moment, optional_text, text
from runner.store.records import Sign, Telling, Told


class Watch(Database):
    """Signs, and the recipients of alerts. Of both nothing is needed to go on: a backup leaves them behind."""

    def note_sign(self, code: str, *, about: str = "", why: str = "", now: datetime) -> None:
        """Remember that something was seen, or seen again."""
        self.change(
            lambda db: db.execute(
                """INSERT INTO signs (code, about, why, first, last, times) VALUES (?1, ?2, ?3, ?4, ?4, 1)
                   ON CONFLICT (code, about, why) DO UPDATE SET last = excluded.last, times = signs.times + 1""",
                (code, about, why, text(now)),
            )
        )

    def forget_signs(self, code: str, *, about: str = "") -> None:
        """It is over."""
        self.change(lambda db: db.execute("DELETE FROM signs WHERE code = ? AND about = ?", (code, about)))

    def signs(self, since: datetime) -> list[Sign]:
        """What was seen since then, for the last time."""
        rows = self.read(
            "SELECT code, about, why, first, last, times FROM signs WHERE last >= ? ORDER BY code, about, why",
            text(since),
        )
        return [
            Sign(code, about, why, datetime.fromisoformat(first), datetime.fromisoformat(last), times)
            for code, about, why, first, last, times in rows
        ]

    def forget_old_signs(self, before: datetime) -> None:
        """Delete what was not seen any more since then."""
        self.change(lambda db: db.execute("DELETE FROM signs WHERE last < ?", (text(before),)))

    def telling(self, name: str) -> Telling | None:
        """How far telling somebody has come; None for whom nobody has met yet."""
        rows = self.read("SELECT name, digested, counted, sent, tries, due FROM recipients WHERE name = ?", name)
        return next((_telling(*row) for row in rows), None)

    def told(self, recipient: str) -> list[Told]:
        """What somebody was told is so, and not yet that it has ended."""
        rows = self.read(
            "SELECT code, about, why, severity, step FROM told WHERE recipient = ? ORDER BY code, about, why", recipient
        )
        return [Told(*row) for row in rows]

    def keep_telling(
        self, telling: Telling, *, began: Collection[Told] = (), ended: Collection[Told] = (), now: datetime
    ) -> None:
        """Keep how far telling somebody has come, and what they were told just now."""
        name = telling.name
        far = (text(telling.digested), telling.counted, telling.sent)
        values = (name, *far, telling.tries, optional_text(telling.due))

        def work(db: Connection) -> None:
            db.execute(
                """INSERT INTO recipients (name, digested, counted, sent, tries, due) VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (name) DO UPDATE SET digested = excluded.digested, counted = excluded.counted,
                     sent = excluded.sent, tries = excluded.tries, due = excluded.due""",
                values,
            )
            db.executemany(
                "DELETE FROM told WHERE recipient = ? AND code = ? AND about = ? AND why = ?",
                [(name, each.code, each.about, each.why) for each in (*began, *ended)],
            )
            db.executemany(
                "INSERT INTO told (recipient, code, about, why, severity, step, time) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(name, each.code, each.about, each.why, each.severity, each.step, text(now)) for each in began],
            )

        self.change(work)


def _telling(name: str, digested: str, counted: int, sent: int, tries: int, due: str | None) -> Telling:
    return Telling(name, datetime.fromisoformat(digested), counted, sent, tries, optional_moment(due))
