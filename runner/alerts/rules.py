"""Rules: of all that needs a look, what a recipient is told now, and what they need not hear again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.alerts.conditions import Condition
from runner.alerts.registry import SEVERITIES, Severity
from runner.alerts.settings import Recipient
from runner.store import Told
from runner.work.schedule import missed_slot


@dataclass(frozen=True)
class News:
    """What began, or is graver than was told, and what has ended of what was told."""

    began: tuple[Condition, ...] = ()
    ended: tuple[Told, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.began or self.ended)


def news(recipient: Recipient, on: Sequence[Condition], told: Sequence[Told], now: datetime) -> News:
    """What a recipient is to be told at once, of what is `on` and of what they were `told` before.

    Of the same cause nothing is told again while it lasts, unless it is graver. What begins and ends while it is quiet
    is not told at all; what lasts is, when quiet ends.

    >>> office, noon = Recipient("office", "mail", "mail", at_once="warning"), datetime(2026, 3, 1, 12)
    >>> [each.code for each in news(office, [Condition("inbox_without_key")], [], noon).began]
    ['inbox_without_key']
    """
    if recipient.at_once is None:
        return News()
    heard = {(each.code, each.about, each.why): each for each in told}
    mine = concerning(recipient, on, recipient.at_once)
    began = tuple(each for each in mine if each.cause not in heard or each.grade > _grade(heard[each.cause]))
    lasting = {each.cause for each in on}
    ended = tuple(each for cause, each in heard.items() if cause not in lasting)
    if recipient.is_quiet(now) and recipient.quiet:
        unless = recipient.quiet.unless
        return News(concerning(recipient, began, unless) if unless else ())
    return News(began, ended)


def concerning(recipient: Recipient, on: Sequence[Condition], least: Severity) -> tuple[Condition, ...]:
    """Those that are as grave as that, and about a job that the recipient wants to hear of, or about all.

    >>> office = Recipient("office", "mail", "mail", jobs=frozenset({"sort"}))
    >>> on = [Condition("disk_short"), Condition("no_success", "read", jobs=("read",))]
    >>> [each.code for each in concerning(office, on, "info")]
    ['disk_short']
    """
    return tuple(
        each
        for each in on
        if SEVERITIES.index(each.severity) >= SEVERITIES.index(least)
        and (not recipient.jobs or not each.jobs or recipient.jobs.intersection(each.jobs))
    )


def digest_due(recipient: Recipient, last: datetime, now: datetime) -> datetime | None:
    """The time of the latest digest that has come since the last one; None where none has."""
    return missed_slot([recipient.digest.trigger], last, now) if recipient.digest else None


def as_told(condition: Condition) -> Told:
    """What is remembered of a condition that somebody was told."""
    return Told(*condition.cause, condition.severity, condition.step)


def _grade(told: Told) -> tuple[int, int]:
    return SEVERITIES.index(told.severity), told.step
