"""1b: children whom UNHCR has referred, and on whom caseworkers decide."""

from __future__ import annotations

from collections.abc import Iterator

from adaptors.sandbox.caseload import Plan, service_of
from adaptors.trial.children import DONE, Child, Exercise, exercises, usual
from adaptors.trial.exchange import Document, Exchange
from adaptors.trial.review import Sending, review
from adaptors.trial.watched import Row
from adaptors.trial.ways import changed, tables_of

STATUS, REASON = "unhcr_referral_status", "unhcr_referral_rejection_reason"
COLUMN = f"services_section.{STATUS}"


class Decisions(Exchange):
    """Cases with one service each, that UNHCR asked for."""

    label, starts, sends_by = "1b", "schedule", "send_decision"
    says = "Caseworkers decide on UNHCR's referrals: every status, with a reason and without."

    def begin(self) -> Document:
        """Make the cases."""
        self._usual = usual(self.script, self.sending, {"data": self._decided()})
        for exercise in exercises(self.script, self.sending, changed({"data": self._decided()}, self._usual)):
            self._make(exercise, exercise.outcomes)
        self._make(Exercise("no reason is given", {f"data.service.{REASON}": None}), DONE)
        for exercise in self._undecided():
            self._make(exercise, ())
        return {}

    def sendings(self) -> list[Sending]:
        """The decisions, as they stand in Primero."""
        return review(self.script, self.world.sandbox, {}, dry_run=True)

    def _make(self, exercise: Exercise, outcomes: tuple[str, ...]) -> None:
        made = changed({"data": self._decided()}, {**self._usual, **exercise.changes})["data"]
        service, status = made["service"], made["service"][STATUS]
        if status is not None and self.world.forms.lacks(COLUMN, status):
            self.leave_out(exercise, COLUMN, status)
            return
        self.world.make(Plan("decided", {**made["case"], "services_section": [service]}))
        outcomes = () if status is None else outcomes
        mark = service["progres_interventionnumber"]
        self.children.append(Child(mark, exercise.says, outcomes, exercise.code, exercise.rows))

    def _undecided(self) -> Iterator[Exercise]:
        """Statuses that are no decisions: nothing may be sent for them."""
        names = {name for field in self.sending.sends.values() for name in tables_of(self.script, field)}
        known = {key for name in names for key in self.script.tables[name]}
        for option in self.world.forms.options(COLUMN):
            if option not in known:
                rows = frozenset(Row(name, "") for name in names)
                yield Exercise(f"{STATUS} {option}", {f"data.service.{STATUS}": option}, rows)

    def _decided(self) -> Document:
        case = self.world.case()
        number = f"TRIAL-1B-{case['unhcr_individual_no'][-6:]}"
        service = service_of(case, 1, service_request_external=True, progres_interventionnumber=number)
        return {"case": case, "service": {**service, STATUS: "rejected", REASON: "No place is free"}}
