"""What a stand-in remembers: cases, referrals, and the stamps it gives them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from adaptors.sandbox.primero.config import Document
from adaptors.sandbox.primero.values import iso

_MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Alert:
    """A yellow dot on a case. `cause` is `field_change` or `referral`; `user` is whom it is for, if anybody."""

    type: str
    cause: str
    date: str
    unique_id: str
    user: str | None = None


@dataclass
class Case:
    """A case document with its alerts. `data` is replaced as a whole on each save, never changed in place."""

    id: str
    data: Document
    alerts: list[Alert] = field(default_factory=list)


@dataclass
class Referral:
    """A referral of one case; `data` holds its columns under their wire names."""

    id: str
    case_id: str
    data: Document

    @property
    def alive(self) -> bool:
        """Whether it still gives its recipient access to the case."""
        return self.data["status"] in ("in_progress", "accepted")

    @property
    def recipient(self) -> str | None:
        """The account it went to; None for one that left the system."""
        return self.data.get("transitioned_to")


class Memory:
    """Cases and referrals in the order in which they were made, a clock and a source of randomness.

    `version` counts the changes, so that what was computed from the cases can be kept until the next one.
    """

    def __init__(self, clock: Callable[[], datetime], chance: random.Random) -> None:
        self.cases: dict[str, Case] = {}
        self.referrals: dict[str, Referral] = {}
        self.version = 0
        self.skew = timedelta()
        self.chance = chance
        self._clock = clock
        self._last_stamp = datetime.min.replace(tzinfo=UTC)
        self._case_ids: set[Any] = set()
        self._referrals_of: dict[str, list[Referral]] = {}

    def now(self) -> datetime:
        """The time that the server believes it is."""
        return self._clock() + self.skew

    def today(self) -> str:
        """The server's date, in UTC."""
        return self.now().astimezone(UTC).date().isoformat()

    def stamp(self) -> str:
        """A time stamp that is later than all before, as two saves of a real server are never in one millisecond."""
        self._last_stamp = max(self._clock().astimezone(UTC), self._last_stamp + _MILLISECOND)
        return iso(self._last_stamp + self.skew)

    def new_id(self) -> str:
        """A random UUID."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def is_taken(self, record_id: str, case_id: Any) -> bool:
        """Whether a case has this id or this case id."""
        return record_id in self.cases or case_id in self._case_ids

    def put(self, case: Case) -> None:
        """Keeps a new or a changed case."""
        self.cases[case.id] = case
        self._case_ids.add(case.data.get("case_id"))
        self.version += 1

    def remove(self, record_id: str) -> None:
        """Forgets a case, which no call of the API does."""
        case = self.cases.pop(record_id)
        self._case_ids.discard(case.data.get("case_id"))
        self.version += 1

    def put_referral(self, referral: Referral) -> None:
        """Keeps a new referral."""
        self.referrals[referral.id] = referral
        self._referrals_of.setdefault(referral.case_id, []).append(referral)

    def referrals_of(self, case: Case) -> list[Referral]:
        """The referrals of a case, oldest first."""
        return self._referrals_of.get(case.id, [])
