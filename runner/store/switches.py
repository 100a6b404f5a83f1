"""Schedules that a person has switched off: no slot of such a job is taken until they switch it on again.

It stands among the settings, so that it outlives a restart, and a backup.
"""

import json
from datetime import datetime

from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.moments import document, text
from runner.store.records import SwitchedOff
from runner.store.settings import forget_setting, keep_setting, kept_setting, kept_settings

_NAME = "schedule off: "


class Switches(Database):
    """Which schedules are off."""

    def switch_off(self, job: str, *, reason: str, now: datetime) -> bool:
        """Let no slot of a job be taken any more; False when it is off already, and then nothing is changed."""

        def work(db: Transaction) -> bool:
            if kept_setting(db, _NAME + job) is not None:
                return False
            keep_setting(db, _NAME + job, document({"since": text(now), "reason": reason}))
            note(db, "schedule_off", now, job=job, reason=reason)
            return True

        return self.change(work)

    def switch_on(self, job: str, *, reason: str, now: datetime) -> bool:
        """Let its slots be taken again; False when it wasn't off."""

        def work(db: Transaction) -> bool:
            found = forget_setting(db, _NAME + job)
            if found:
                note(db, "schedule_on", now, job=job, reason=reason)
            return found

        return self.change(work)

    def switched_off(self) -> dict[str, SwitchedOff]:
        """The schedules that are off, by job."""
        with self.reading() as db:
            kept = kept_settings(db, _NAME)
        told = ((name.removeprefix(_NAME), json.loads(value)) for name, value in kept)
        return {job: SwitchedOff(job, datetime.fromisoformat(each["since"]), each["reason"]) for job, each in told}
