"""1a: children whom UNHCR refers."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adaptors.sandbox.caseload import Plan
from adaptors.sandbox.story import intervention
from adaptors.trial.children import Child, Exercise, exercises, usual
from adaptors.trial.exchange import Document, Exchange
from adaptors.trial.review import Sending, review
from adaptors.trial.ways import changed

NUMBER, CHILD = "progres_interventionnumber", "individuals.progres_id"
BORN, GIVEN = "individuals.progres_dateofbirth", "individuals.progres_givenname"


class FromUnhcr(Exchange):
    """A message with one intervention for each child."""

    label, starts, sends_by = "1a", "message", "upsert_case"
    says = "UNHCR refers children: every value of every table, what no table knows, and what is missing or wrong."

    def begin(self) -> Document:
        """Some children are known already, and one twice; all others are new."""
        self._usual = usual(self.script, self.sending, {"data": self._told()})
        told = [self._child(exercise) for exercise in (*_general(), *self._rows())]
        known = self._child(Exercise("the child's case is there", {}))
        twice = self._child(Exercise("two cases bear the child's number", {}, code="ambiguous"))
        for child in (known, twice, twice):
            self.world.make(Plan("known", {**self.world.case(), "unhcr_individual_no": child[CHILD]}))
        self._posted = self.posted([*told, known, twice])
        return self._posted

    def sendings(self) -> list[Sending]:
        """The message once more: by now each service stands, and what was refused is refused again."""
        return review(self.script, self.world.sandbox, {"data": self._posted["message"]})

    def _rows(self) -> Iterator[Exercise]:
        base = changed({"data": self._told()}, self._usual)
        absent = {f"data.{NUMBER}", "data.interventions"}  # without a number nobody can be answered
        for exercise in exercises(self.script, self.sending, base):
            absent |= {path for path, value in exercise.changes.items() if value is None}
            yield exercise
        for path in (f"data.{required}" for required in self.script.requires):
            if path not in absent:
                yield Exercise(f"no {path.partition('.')[2]}", {path: None}, code="missing_fields")

    def _child(self, exercise: Exercise) -> Document:
        told: Document = changed({"data": self._told()}, {**self._usual, **exercise.changes})["data"]
        child = Child(told[NUMBER], exercise.says, exercise.outcomes, exercise.code, exercise.rows)
        self.children.append(child)
        return told

    def _told(self) -> Document:
        """The intervention of the next child."""
        person = self.world.person()
        number = f"TRIAL-1A-{person.number:04d}"
        return {
            **intervention(number, person.unhcr_individual_no, person.name_first, person.name_last, "Alternative Care"),
            "individuals.progres_middlename": "Mittelname",
            "individuals.progres_commonyusedname": "Spielname",
            "individuals.progres_primaryphonenumber": person.telephone_current,
            "individuals.progres_coalocationlevel6": person.address_current,
            "progres_primeroid": None,
            "progres_reasonforreferral": json.dumps(
                [{"CreatedBy": "x", "Text": "Separated", "CreatedOn": "2026-05-01"}]
            ),
            "user.mobilephone": "+251 000 000 009",
            "user.progres_partner": {"Name": "UNHCR"},
        }


def _general() -> Iterator[Exercise]:
    """What holds for every country."""
    optional = ("middlename", "commonyusedname", "primaryphonenumber", "coalocationlevel6")
    yield Exercise("all as usual", {})
    yield Exercise("much is missing", {f"data.individuals.progres_{name}": None for name in optional})
    yield Exercise("notes that look like a date", {
        "data.progres_interventiondescription": "2026-05-01", "data.progres_reasonforreferral": None,
    })  # fmt: skip
    yield Exercise("a date of birth that is none", {f"data.{BORN}": "2014-02-30"}, code="invalid_data")
    yield Exercise("a date of birth in the future", {f"data.{BORN}": "2999-01-01"}, code="invalid_data")
    yield Exercise("a name that Primero takes for a date", {f"data.{GIVEN}": "2014-02-28"}, code="rejected")
