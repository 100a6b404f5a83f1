"""1a, the last word: children whose referral could not be taken in, by every reason that there may be."""

from __future__ import annotations

from adaptors.sandbox.story import intervention
from adaptors.trial.children import Child, Exercise, exercises
from adaptors.trial.exchange import Document, Exchange
from adaptors.trial.review import Sending, review
from adaptors.trial.ways import changed

ROOTS = ("data", "error")


class GivenUp(Exchange):
    """One state for each child, as the engine hands it over after the last try."""

    label, starts, sends_by = "1a", "state", "send_feedback"
    says = "Referrals from UNHCR are given up, for every reason."

    def begin(self) -> Document:
        """Nothing comes before."""
        self._states = []
        for operation in self.script.named(self.sends_by):
            for exercise in exercises(self.script, operation, self._given_up(), ROOTS):
                self._states.append(self._state(exercise))
        return {"states": self._states}

    def sendings(self) -> list[Sending]:
        """What UNHCR is told."""
        return [sending for state in self._states for sending in review(self.script, self.world.sandbox, state)]

    def _state(self, exercise: Exercise) -> Document:
        state = changed(self._given_up(), exercise.changes)
        mark = state["data"]["progres_interventionnumber"]
        self.children.append(Child(mark, exercise.says, exercise.outcomes, exercise.code, exercise.rows))
        return {**state, "data": {**self._message, "interventions": [state["data"]]}}

    def _given_up(self) -> Document:
        person = self.world.person()
        number = f"TRIAL-UP-{person.number:04d}"
        told = intervention(number, person.unhcr_individual_no, person.name_first, person.name_last, "BIA")
        return {"data": told, "error": {"code": "unreachable"}}
