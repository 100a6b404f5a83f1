"""Switching a schedule off and on, by a command or in the console: for which jobs, and why."""

from collections.abc import Iterable
from datetime import datetime

from runner.errors import WrongUse
from runner.logs import reasons
from runner.project import Job
from runner.store import Store


def switch(store: Store, jobs: Iterable[Job], name: str, *, on: bool, reason: str, now: datetime) -> None:
    """Switch the schedule of a job on or off; a running service obeys at once.

    What is missed while it is off is made up for by one run, as after any other gap. Raises WrongUse for a job without
    a schedule, for one that is so already, and for a reason that can't be kept.
    """
    scheduled = [job.name for job in jobs if job.is_scheduled]
    if name not in scheduled:
        raise WrongUse("there is no scheduled job of that name", fix=f"There are: {', '.join(scheduled) or 'none'}.")
    reasons.refuse_unkept(reason)
    done = (store.switch_on if on else store.switch_off)(name, reason=reason, now=now)
    if not done:
        raise WrongUse(f"the schedule of {name} is {'on' if on else 'off'} already", fix="runner schedule list")
