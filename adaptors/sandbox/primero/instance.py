"""One running Primero, and one call to it: what every handler is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adaptors.sandbox.primero.access import Access
from adaptors.sandbox.primero.audit import AuditLog
from adaptors.sandbox.primero.config import Config, User
from adaptors.sandbox.primero.errors import Broken, Forbidden, NotFound
from adaptors.sandbox.primero.filters import FilterReader
from adaptors.sandbox.primero.identity import Doorkeeper
from adaptors.sandbox.primero.memory import Case, Memory
from adaptors.sandbox.primero.ordering import Order, Page
from adaptors.sandbox.primero.profiles import Profile
from adaptors.sandbox.primero.saving import Saver
from adaptors.sandbox.primero.values import leading_integer, uuid_text
from adaptors.sandbox.wire import Request, Response


@dataclass
class Instance:
    """The parts of a running Primero."""

    config: Config
    profile: Profile
    memory: Memory
    access: Access
    saver: Saver
    order: Order
    filters: FilterReader
    door: Doorkeeper
    audit: AuditLog

    @classmethod
    def of(cls, config: Config, profile: Profile, memory: Memory) -> Instance:
        """Puts the parts together."""
        return cls(
            config=config,
            profile=profile,
            memory=memory,
            access=Access(config, profile, memory),
            saver=Saver(config, profile, memory),
            order=Order(memory),
            filters=FilterReader(config, profile),
            door=Doorkeeper(config),
            audit=AuditLog(),
        )

    def find_case(self, key: str) -> Case:
        """The case with this primary key in any spelling. Raises NotFound."""
        case = self.memory.cases.get(uuid_text(key) or "")
        if case is None:
            raise NotFound("Child", key)
        return case


@dataclass(frozen=True)
class Call:
    """One call by a known account. `params` are those of query string and body together, `keys` the ids in the path."""

    request: Request
    user: User
    params: dict[str, Any]
    keys: tuple[str, ...] = ()

    def require(self, resource: str, action: str) -> None:
        """Raises Forbidden unless the role of the account has the permission."""
        if not self.user.role.allows(resource, action):
            raise Forbidden

    def text(self, name: str) -> str | None:
        """A parameter that must be a single text. Raises Broken for a list or an object, as Primero stumbles there."""
        value = self.params.get(name)
        if isinstance(value, list | dict):
            raise Broken(f"undefined method for {name}")
        return None if value is None else str(value)

    def page(self, *, default: int = 20, largest: int | None = 1000) -> Page:
        """The page asked for. Raises Broken for a negative size or offset."""
        size = leading_integer(self.text("per"), default)
        page = Page(leading_integer(self.text("page"), 1), size if largest is None else min(size, largest))
        if page.size < 0 or page.offset < 0:
            raise Broken("PG::InvalidRowCountInLimitClause")
        return page


Handler = Callable[[Instance, Call], Response]
