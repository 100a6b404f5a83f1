"""2a: children whom caseworkers refer to UNHCR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adaptors.sandbox.caseload import CASE_WORKERS, Plan, service_of
from adaptors.trial.children import DONE, REFUSED, WITHHELD, Child, Exercise, exercises, usual
from adaptors.trial.exchange import Document, Exchange
from adaptors.trial.findings import finding
from adaptors.trial.review import Sending, review
from adaptors.trial.script import all_within
from adaptors.trial.watched import Row
from adaptors.trial.ways import changed, tables_of

SERVICE, CASE = "data.service.", "data.case."


class ToUnhcr(Exchange):
    """Cases with one service and one referral each. `for_decisions` more are referred than the tables have rows."""

    label, starts, sends_by = "2a", "schedule", "send_referral"
    says = "Caseworkers refer children: every option of the forms, with consent and without."

    for_decisions = 0

    def begin(self) -> Document:
        """Make the cases, and refer them to UNHCR's user."""
        reading = next(each for each in all_within(self.script.operations) if "referred_users" in each.sends)
        self._user = next(iter(reading.sends["referred_users"].constants), "")
        self._consents = self.world.forms.consents(list(reading.asks))
        self.problems = list(self._problems())
        self._usual = {**usual(self.script, self.sending, {"data": self._referred()}), **self._agreed()}
        for exercise, outcomes in self._rows():
            self._refer(exercise, outcomes)
        self._general()
        for number in range(self.for_decisions):
            self._refer(Exercise(f"for UNHCR to decide on, number {number + 1}", {}), DONE)
        # UNHCR will have decided on some of them when the verdict is asked for.
        self._sendings = review(self.script, self.world.sandbox, {}, dry_run=True)
        return {}

    def sendings(self) -> list[Sending]:
        """The referrals, as they stand in Primero."""
        return self._sendings

    def _problems(self) -> Iterator[Document]:
        """Without these, no child could be referred rightly."""
        if self._user not in self.world.receivers():
            name = next((name for name, text in self.script.constants.items() if text == self._user), "referred_to")
            found = f'"{self._user}" is no user who can receive referrals'
            yield finding(
                name, self.script.job, found, "Write UNHCR's user in Primero, and let its role receive referrals."
            )
        if not self._consents:
            fix = "Ask for the ticks of the form for consent, and withhold what has none."
            yield finding("consent", self.script.job, "the job reads no consent", fix)

    def _rows(self) -> Iterator[tuple[Exercise, tuple[str, ...]]]:
        """Rows of tables, what a list names that goes with a table, and options of forms; each with what is right."""
        base = changed({"data": self._referred()}, self._usual)
        found = list(exercises(self.script, self.sending, base))
        rows = [(row, path) for each in found for row in each.rows for path in each.changes]
        places = {row.table: path for row, path in rows if row.table in self.script.tables}
        listed = {path: self._listed(table) for table, path in places.items()}
        for exercise in found:
            unlisted = (listed.get(path) and value not in listed[path] for path, value in exercise.changes.items())
            yield exercise, (*exercise.outcomes, *WITHHELD) if any(unlisted) else exercise.outcomes
        for table, path in places.items():
            known = {*self.script.tables[table]}
            for value in (value for value in listed[path] if value not in known):
                yield Exercise(f"{value}, which is listed, and no key of {table}", {path: value}), DONE
            for value in self.world.forms.options(_field(path)):
                if value not in known and value not in listed[path]:
                    exercise = Exercise(
                        f"the option {value}, which is no key of {table}", {path: value}, frozenset({Row(table, "")})
                    )
                    yield exercise, (*DONE, *WITHHELD) if listed[path] else DONE

    def _listed(self, table: str) -> list[str]:
        """What lists of the job script name that go with a table: those that share a key with it."""
        keys = self.script.tables.get(table, {})
        return [value for listed in self.script.lists.values() if set(listed) & set(keys) for value in listed]

    def _agreed(self) -> dict[str, Any]:
        """A value for all children that is in a table and its list."""
        changes: dict[str, Any] = {}
        for field in self.sending.sends.values():
            for table in tables_of(self.script, field):
                agreed = [key for key in self.script.tables[table] if key in self._listed(table)]
                path = next((path for path in field.reads if path.startswith((SERVICE, CASE))), None)
                possible = [key for key in agreed if path and not self.world.forms.lacks(_field(path), key)]
                if path and possible:
                    changes[path] = possible[0]
        return changes

    def _general(self) -> None:
        """What holds for every country."""
        self._refer(Exercise("all as usual", {}), DONE)
        names = ("name_middle", "name_nickname", "address_current", "telephone_current", "unhcr_id_no", "language")
        self._refer(Exercise("much is missing", {f"{CASE}{name}": None for name in names}), DONE)
        for owner in CASE_WORKERS:
            self._refer(Exercise(f"a case of {owner}", {f"{CASE}owned_by": owner}), DONE)
        for consent in self._consents:
            withdrawn = {f"{CASE}{consent}": False}
            self._refer(Exercise(f"{consent} is withdrawn", {}), WITHHELD, afterwards={consent: False})
            self._refer(Exercise(f"{consent} is overridden", withdrawn), DONE, consent_overridden=True)
        self._refer(Exercise("the whole case", {}, code="no_service"), REFUSED, whole=True)
        ours = self.world.sandbox.config["users"][0]["agency"]
        self._refer(Exercise("another agency's service", {f"{SERVICE}service_implementing_agency": ours}), WITHHELD)

    def _refer(
        self,
        exercise: Exercise,
        outcomes: tuple[str, ...],
        *,
        whole: bool = False,
        afterwards: Document | None = None,
        consent_overridden: bool = False,
    ) -> None:
        for path, value in exercise.changes.items():
            if isinstance(value, str) and self.world.forms.lacks(_field(path), value):
                self.leave_out(exercise, _field(path), value)
                return
        made = changed({"data": self._referred()}, {**self._usual, **exercise.changes})["data"]
        case, service = made["case"], made["service"]
        referral = {"transitioned_to": self._user, "notes": "Trial", "consent_overridden": consent_overridden}
        of_service = {"service": service["service_type"], "service_record_id": service["unique_id"]}
        plan = Plan(
            "referred",
            {**{name: value for name, value in case.items() if value is not None}, "services_section": [service]},
            [referral if whole else {**referral, **of_service}],
            afterwards or {},
        )
        refused = f"Primero refuses the case, or its referral to {self._user}" if self.world.make(plan) else ""
        self.children.append(Child(case["case_id"], exercise.says, outcomes, exercise.code, exercise.rows, refused))

    def _referred(self) -> Document:
        case = {**self.world.case(), **dict.fromkeys(self._consents, True), "owned_by": CASE_WORKERS[0]}
        users: list[Document] = self.world.sandbox.config["users"]
        user = next((each for each in users if each["user_name"] == self._user), {})
        service = service_of(case, 1, service_type="alternative_care", service_referral_notes="Trial notes")
        service["service_implementing_agency"] = user.get("agency", "UNHCR")
        return {"case": case, "service": self.world.forms.fitted(service, "services_section."), "referral": {}}


def _field(path: str) -> str:
    """The field of Primero at a path of the job's state."""
    return path.replace(SERVICE, "services_section.").removeprefix(CASE)
