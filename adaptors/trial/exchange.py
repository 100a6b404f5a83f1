"""What the trials of all exchanges have in common: children to come, how it begins, and what holds their traces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from adaptors.trial.children import Child, Exercise
from adaptors.trial.findings import finding
from adaptors.trial.review import Sending
from adaptors.trial.script import Script
from adaptors.trial.watched import Row
from adaptors.trial.world import World

Document = dict[str, Any]


class Exchange(ABC):
    """The trial of one job. `children` are there once it has begun; `impossible` are rows that no valid record can
    reach, with the reason; `not_needed` those that none has to.
    `problems` are findings that need no child.

    `starts` says how the job is started: by a `message`, by its `schedule`, or with a `state` by hand.
    """

    label: ClassVar[str]
    says: ClassVar[str]
    starts: ClassVar[str]
    sends_by: ClassVar[str]  # the operation whose mapping is tried

    def __init__(self, script: Script, world: World, message: Document) -> None:
        self.script, self.world, self._message = script, world, message
        self.children: list[Child] = []
        self.impossible: dict[Row, str] = {}
        self.not_needed: dict[Row, str] = {}
        self.problems: list[Document] = []

    @abstractmethod
    def begin(self) -> Document:
        """Let happen what comes before; gives `message`, or `states`, where the job starts with those."""

    @abstractmethod
    def sendings(self) -> list[Sending]:
        """What the job would send of these children, as a second look tells."""

    @property
    def sending(self) -> Any:
        """The operation whose mapping is tried."""
        return self.script.named(self.sends_by)[0]

    def leave_out(self, exercise: Exercise, field: str, value: str) -> None:
        """Make no child for it, since no case can hold the value. What no key holds needn't occur then."""
        entry = self.world.forms.fields[field]
        for row in exercise.rows:
            if row.key:
                self.impossible[row] = f'"{value}" is no option of {entry}'
            else:
                self.not_needed[row] = f"no option of {entry} is like that"
        if not exercise.rows:
            found = f'"{value}" is no option of {entry}'
            self.problems.append(finding(exercise.says, self.script.job, found, "Correct or remove it."))

    def posted(self, interventions: list[Document]) -> Document:
        """The message as DTP posts it."""
        return {"message": {**self._message, "interventions": interventions}}
