"""Where the synthetic children live: the sandbox, its forms, and the people who act in it under their own accounts."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from adaptors.sandbox import Sandbox
from adaptors.sandbox.caseload import CASE_WORKERS, Plan, case_of, make
from adaptors.sandbox.inprocess import passwords
from adaptors.sandbox.people import Person, people
from adaptors.sandbox.primero.config import read_config
from adaptors.sandbox.primero.referrals import receivers
from adaptors.trial.forms import Forms

Document = dict[str, Any]
_SEED = 90  # of the children; nobody else in a sandbox is of it
_MANY = 100_000


class World:
    """The children of one trial, each another one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.forms = Forms(sandbox.config)
        self._people = people(_MANY, _SEED)

    def person(self) -> Person:
        """The next child."""
        return next(self._people)

    def case(self) -> Document:
        """The case of the next child, as this Primero's forms can hold it."""
        person = self.person()
        case = case_of(person, _SEED, datetime.now(UTC).date())
        return self.forms.fitted({**case, "module_id": self.forms.module, "name_nickname": "Spielname"})

    def make(self, plan: Plan) -> str:
        """Let people do in Primero what was planned; gives what Primero refused, or an empty text."""
        try:
            make(self.sandbox.primero.answer, [plan], passwords(self.sandbox.config))
        except RuntimeError as error:
            return str(error)
        return ""

    def receivers(self) -> list[str]:
        """The users to whom a case worker can refer."""
        config = read_config(self.sandbox.config)
        return [user.name for user in receivers(config, config.users[CASE_WORKERS[0]], self.forms.module)]

    def cases(self) -> list[Document]:
        """All cases with all their fields, as they are now."""
        return [{"id": key, **deepcopy(case.data)} for key, case in self.sandbox.primero.cases.items()]
