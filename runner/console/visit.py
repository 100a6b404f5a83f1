"""A visit: what one request asks, and who asks it; and the four forms of an answer to it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.alerts.conditions import Condition
from runner.alerts.sight import Sight
from runner.console.plan import Plan
from runner.console.tongues import ENGLISH, Language, languages
from runner.logs.log import shown_form
from runner.store import Accepted, Account, Known, Session, Store


@dataclass(frozen=True)
class Service:
    """What pages look at. `look` gives all that can be seen now, and what of it needs a look; `keyed` is the vault's.

    `acting` opens the store once more, for what somebody does, so that the audit log names them; by `route` it routes
    a quarantined message anew, by its id (`Intake.take_again`). `plan` is what the service is to do, and `ends` tells
    when each certificate ends, by where it is named. `languages` are those of the pages, by code.
    """

    name: str
    store: Store
    look: Callable[[], tuple[Sight, list[Condition]]]
    acting: Callable[[str], AbstractContextManager[Store]]
    keyed: Callable[[str], str]
    now: Callable[[], datetime]
    route: Callable[[Store, str], Accepted | None]
    plan: Plan = field(default_factory=Plan)
    ends: Callable[[], Mapping[str, datetime]] = dict
    languages: Mapping[str, Language] = field(default_factory=languages)


@dataclass(frozen=True)
class Visit:
    """One request. `fields` are those of its form or address; `secret` is the id of the session that its cookie bears,
    `session` and `account` are None for whom nobody knows."""

    service: Service
    now: datetime
    place: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    session: Session | None = None
    account: Account | None = None
    language: Language = ENGLISH

    @property
    def store(self) -> Store:
        """For reading."""
        return self.service.store

    def acting(self) -> AbstractContextManager[Store]:
        """The store, in the name of who is signed in."""
        return self.service.acting(f"{self.account.name if self.account else 'nobody'} (console)")

    def shown(self, name: str) -> str:
        """An id as people may see it: never a UNHCR number, or what could be one."""
        return shown_form(self.service.keyed, name)

    def known(self, name: str, limit: int) -> Known:
        """What is known of an id, of each sort so much."""
        return self.store.known(name, subject=self.service.keyed(name), limit=limit)

    def ids(self, known: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The ids of a record, as people may see them."""
        return [(name, self.shown(str(value))) for name, value in known.items() if value]

    def told(self, sentence: str | None) -> str:
        """A sentence of ours, as people may see it: whatever in it has a digit may be an id."""
        words = (sentence or "").split()
        return " ".join(self.shown(word) if any(map(str.isdigit, word)) else word for word in words)


@dataclass(frozen=True)
class Page:
    """A page made of a template and what stands in it."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Moved:
    """Go on there, a path of ours. `secret` is a new session, "" ends the one there is, None leaves it; `language` is
    the code of one that was chosen, None leaves it, too."""

    to: str
    secret: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Table:
    """Rows to be taken along, as CSV."""

    name: str
    rows: list[list[Any]]


@dataclass(frozen=True)
class File:
    """A file of some kind to be taken along."""

    name: str
    content: bytes
    kind: str


Answer = Page | Moved | Table | File
