"""Dispatch: each recipient is told what is new, as often as it takes, and nobody else waits for that."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from runner import credentials
from runner.alerts import rules
from runner.alerts.conditions import Condition
from runner.alerts.mail import Mail
from runner.alerts.notice import Notice
from runner.alerts.settings import Recipient, Settings
from runner.alerts.webhook import Webhook
from runner.errors import RunnerError, StoreError
from runner.logs.faults import place_of
from runner.logs.log import SILENT, Log
from runner.store import Store, Telling, Told
from runner.work.retry import RetryTable

NOT_DELIVERED = "not_delivered"

_UNWRITTEN = timedelta(hours=1)  # so often somebody is told the same while the store can't remember that they were
_LONGEST = timedelta(hours=2)

_WAYS: Mapping[str, type[Mail] | type[Webhook]] = {"mail": Mail, "webhook": Webhook}


class Way(Protocol):
    """What a notice goes by."""

    def send(self, notice: Notice) -> str:
        """Deliver it; what came back, a number. Raises NotDelivered."""


def way_of(recipient: Recipient, folder: Path) -> Way:
    """The way to a recipient, by the credential in this folder. Raises InvalidCredential."""
    return _WAYS[recipient.way](credentials.load(folder, recipient.credential))


@dataclass(frozen=True)
class _Outgoing:
    """A notice, and how far telling the recipient will have come when it is delivered."""

    notice: Notice
    then: Telling
    news: rules.News


class Dispatch:
    """Tells the recipients of a project's settings. `way` gives the way to each, anew for each notice.

    What is told is what is so at that moment: where a notice could not be delivered, the next try tells what is so
    then. The store remembers who was told what; killed between the two, a recipient is told once more.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        project: str,
        way: Callable[[Recipient], Way],
        *,
        now: Callable[[], datetime],
        log: Log = SILENT,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._project = project
        self._way = way
        self._now = now
        self._log = log
        self._chance = chance or random.SystemRandom()
        self._pauses = RetryTable()
        self._unwritten: dict[str, datetime] = {}

    def round(self, on: Sequence[Condition]) -> None:
        """Tell each recipient what is new of what is `on`. Raises StoreError, when all had their turn."""
        failed: StoreError | None = None
        for recipient in self._settings.recipients:
            try:
                self._tell(recipient, on)
            except StoreError as error:
                failed = error
        if failed:
            raise failed

    def _tell(self, recipient: Recipient, on: Sequence[Condition]) -> None:
        telling = self._telling(recipient)
        if self._is_left_alone(telling):
            return
        about_others = [each for each in on if not _is_about(each, recipient)]
        if outgoing := self._outgoing(recipient, telling, about_others):
            self._deliver(recipient, telling, outgoing)

    def _is_left_alone(self, telling: Telling) -> bool:
        """Whether a pause isn't over yet; one that is longer than any was begun by a clock that ran ahead."""
        pauses = [time - self._now() for time in (telling.due, self._unwritten.get(telling.name)) if time]
        return any(timedelta(0) < pause <= _LONGEST for pause in pauses)

    def _telling(self, recipient: Recipient) -> Telling:
        """How far telling them has come; of a new recipient, nothing is due but what comes from now on."""
        known = self._store.telling(recipient.name)
        if known is None:
            known = Telling(recipient.name, digested=self._now(), counted=self._store.last_run())
            self._keep(known)
        return known

    def _outgoing(self, recipient: Recipient, telling: Telling, on: Sequence[Condition]) -> _Outgoing | None:
        """What they are to be told now: a digest that is due, else what is new, else nothing."""
        now = self._now()
        fresh = rules.news(recipient, on, self._store.told(recipient.name), now)
        then = replace(telling, sent=telling.sent + 1, tries=0, due=None)
        notice = Notice(
            "alert", self._project, now, recipient.name, then.sent, fresh.began, fresh.ended,
            pages=self._settings.pages, console=self._settings.console,
        )  # fmt: skip
        slot = rules.digest_due(recipient, telling.digested, now)
        if slot and recipient.digest:
            counted, tallies = self._store.tallies(telling.counted)
            listed = {*rules.concerning(recipient, on, recipient.digest.least), *fresh.began}
            notice = replace(notice, kind="digest", began=[each for each in on if each in listed], tallies=tallies)
            return _Outgoing(notice, replace(then, digested=slot, counted=counted), fresh)
        return _Outgoing(notice, then, fresh) if fresh else None

    def _deliver(self, recipient: Recipient, telling: Telling, outgoing: _Outgoing) -> None:
        try:
            self._way(recipient).send(outgoing.notice)
        except RunnerError as error:
            self._failed(recipient, telling, error.code)
            return
        except Exception as error:
            self._log.write("unforeseen", part="alerts", **place_of(error))
            self._failed(recipient, telling, "unforeseen")
            return
        began = [rules.as_told(each) for each in outgoing.news.began]
        self._keep(outgoing.then, began=began, ended=outgoing.news.ended)
        if telling.tries:
            self._store.forget_signs(NOT_DELIVERED, about=recipient.name)
        self._log.write("alert_sent", recipient=recipient.name, count=len(outgoing.notice.began))

    def _failed(self, recipient: Recipient, telling: Telling, code: str) -> None:
        now, tries = self._now(), telling.tries + 1
        due = now + self._pauses.pause([], tries, self._chance)
        self._keep(replace(telling, tries=tries, due=due))
        self._store.note_sign(NOT_DELIVERED, about=recipient.name, why=code, now=now)
        self._log.write("alert_failed", recipient=recipient.name, code=code, tries=tries, due=due)

    def _keep(self, telling: Telling, *, began: Sequence[Told] = (), ended: Sequence[Told] = ()) -> None:
        """Write down what they were told. Raises StoreError; then they are left alone for a while, and told anew."""
        try:
            self._store.keep_telling(telling, began=began, ended=ended, now=self._now())
            self._unwritten.pop(telling.name, None)
        except StoreError:
            self._unwritten[telling.name] = self._now() + _UNWRITTEN
            raise


def trial(settings: Settings, recipient: Recipient, project: str, now: datetime) -> Notice:
    """A notice that tells nothing, to see whether it arrives."""
    return Notice("test", project, now, recipient.name, pages=settings.pages, console=settings.console)


def _is_about(condition: Condition, recipient: Recipient) -> bool:
    """Whether it tells that this very recipient can't be told; they know when they are."""
    return condition.code == NOT_DELIVERED and condition.about == recipient.name
