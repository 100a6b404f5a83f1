"""When cron triggers are due: time zones, summer time, and what was missed while nothing ran.

A *slot* is a moment at which a trigger fires, as an instant in UTC. Summer time is as Debian's cron has it: a fixed
time fires once on both days of change, an interval follows real time (dependencies.md §4).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from runner.triggers import Trigger

# Looked through in turn for the latest slot, so that neither a schedule of minutes nor one of leap days costs much.
_WINDOWS = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 370, 9 * 366))


def next_slot(triggers: Iterable[Trigger], after: datetime) -> datetime | None:
    """The first slot after a moment; None when no trigger is a cron.

    >>> night = Trigger("night", "cron", "30 2 * * *", timezone="Africa/Addis_Ababa")
    >>> next_slot([night], datetime(2026, 3, 1, tzinfo=UTC)).isoformat()
    '2026-03-01T23:30:00+00:00'
    """
    return min((next(_slots(trigger, after)) for trigger in _crons(triggers)), default=None)


def missed_slot(triggers: Iterable[Trigger], after: datetime, now: datetime) -> datetime | None:
    """The latest slot later than `after` that has come by now; None when there is none.

    Only the latest, so that a job runs once for all that was missed (H15).

    >>> hourly = Trigger("hourly", "cron", "0 * * * *")
    >>> missed_slot([hourly], datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, 5, 6, tzinfo=UTC)).isoformat()
    '2026-03-04T05:00:00+00:00'
    """
    latest = [slot for trigger in _crons(triggers) if (slot := _latest(trigger, after, now))]
    return max(latest, default=None)


def _latest(trigger: Trigger, after: datetime, now: datetime) -> datetime | None:
    for window in _WINDOWS:
        start = max(after, now - window)
        latest = None
        for slot in _slots(trigger, start):
            if slot > now:
                break
            latest = slot
        if latest or start == after:
            return latest
    return None


def _slots(trigger: Trigger, after: datetime) -> Iterator[datetime]:
    """The trigger's slots after a moment, without end."""
    times = CronSim(trigger.value, after.astimezone(ZoneInfo(trigger.timezone)))
    return (slot for time in times if (slot := time.astimezone(UTC)) > after)


def _crons(triggers: Iterable[Trigger]) -> Iterator[Trigger]:
    return (trigger for trigger in triggers if trigger.kind == "cron")
