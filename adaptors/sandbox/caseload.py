"""The cases that invented children have in Primero: what was referred to UNHCR, and what UNHCR referred.

Each case is made through Primero's own API, step by step, as people would make it: so a stand-in holds nothing that a
real server could not hold.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adaptors.sandbox.people import Person, people
from adaptors.sandbox.wire import Answer, Request

Document = dict[str, Any]

UNHCR_USER = "unhcr_cw"
INTAKE_USER = "progresv4_primero_intake"
CASE_WORKERS = ("caseworker_mockomot", "caseworker_sampleya")
AGREED = ("alternative_care", "focuses_non_specialized_mhpss_care", "food", "family_tracing_and_reunification")
NOT_AGREED = ("medical", "wash", "shelter")


@dataclass(frozen=True)
class Plan:
    """One case to make: its document, the referrals to make of it, and a change that comes after those."""

    kind: str
    case: Document
    referrals: list[Document] = field(default_factory=list)
    afterwards: Document = field(default_factory=dict)


def caseload(number: int, seed: int, today: date) -> Iterator[Plan]:
    """The cases of the first `number` people of a seed. Among any twenty in a row there is one of each kind.

    >>> [plan.kind for plan in caseload(3, seed=7, today=date(2026, 1, 1))]
    ['quiet', 'referred', 'decided']
    """
    for person in people(number, seed):
        kind = _ORDER[(person.number - 1) % len(_ORDER)]
        yield _KINDS[kind](case_of(person, seed, today), person.number)


def make(answer: Answer, plans: Iterable[Plan], passwords: Mapping[str, str]) -> None:
    """Makes the planned cases with the accounts of their owners; `passwords` are by user name.

    Raises RuntimeError when the stand-in refuses a step, with method, path and status.
    """
    for plan in plans:
        owner = plan.case["owned_by"]
        send = partial(_send, answer, _basic(owner, passwords[owner]))
        where = f"/api/v2/cases/{plan.case['id']}"
        send("POST", "/api/v2/cases", plan.case)
        for referral in plan.referrals:
            send("POST", f"{where}/referrals", referral)
        if plan.afterwards:
            send("PATCH", where, plan.afterwards)


def _send(answer: Answer, credentials: str, method: str, path: str, data: Document) -> None:
    headers = {"authorization": credentials, "content-type": "application/json"}
    response = answer(Request(method, path, "", headers, json.dumps({"data": data}).encode()))
    if response.status not in (200, 204):
        raise RuntimeError(f"the stand-in answered {response.status} to {method} {path}")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def case_of(person: Person, seed: int, today: date) -> Document:
    """A child's case, with consent, and owned by one of the case workers."""
    name = f"sandbox/{seed}/{person.number}"
    return {
        "id": str(uuid5(NAMESPACE_URL, name)),
        "case_id": str(uuid5(NAMESPACE_URL, f"{name}/case")),
        "module_id": "primeromodule-cp",
        "owned_by": CASE_WORKERS[person.number % len(CASE_WORKERS)],
        **_identity(person),
        "age": person.age_on(today),
        "consent_for_services": True,
        "disclosure_other_orgs": True,
    }


def _identity(person: Person) -> Document:
    """What is known of the child; a name that is missing stays absent."""
    known = {
        "name_first": person.name_first,
        "name_middle": person.name_middle,
        "name_last": person.name_last,
        "name_nickname": person.name_nickname,
        "date_of_birth": person.date_of_birth.isoformat(),
        "sex": person.sex,
        "language": person.language,
        "unhcr_individual_no": person.unhcr_individual_no,
        "unhcr_id_no": person.unhcr_id_no,
        "telephone_current": person.telephone_current,
        "address_current": person.address_current,
    }
    return {name: value for name, value in known.items() if value}


def service_of(case: Document, number: int, **columns: Any) -> Document:
    """A service of the case; `number` tells the services of one case apart."""
    return {
        "unique_id": str(uuid5(NAMESPACE_URL, f"{case['id']}/service/{number}")),
        "service_response_type": "service_provision",
        "service_response_day_time": "2026-03-04T08:30:00.000Z",
        **columns,
    }


def _for_unhcr(case: Document, service_type: str) -> Document:
    return service_of(case, 1, service_type=service_type, service_implementing_agency="UNHCR")


def referral_of(service: Mapping[str, Any] | None = None) -> Document:
    """A referral to UNHCR's account, of one service or of the whole case."""
    of_service = {"service": service["service_type"], "service_record_id": service["unique_id"]} if service else {}
    return {"transitioned_to": UNHCR_USER, "notes": "Sandbox referral", **of_service}


def _quiet(case: Document, number: int) -> Plan:
    """Nothing for UNHCR."""
    service = service_of(case, 1, service_type="medical", service_implementing_agency="UNICEF")
    return Plan("quiet", {**case, "services_section": [service]} if number % 2 else case)


def _referred(case: Document, number: int) -> Plan:
    """An agreed service is referred to UNHCR, with consent; every third has notes, every second another service."""
    service = _for_unhcr(case, AGREED[number % len(AGREED)])
    if number % 3 == 0:
        service["service_referral_notes"] = "Sandbox notes: nothing here is about a person"
    other = [service_of(case, 2, service_type="medical", service_implementing_agency="UNICEF")] if number % 2 else []
    return Plan("referred", {**case, "services_section": [service, *other]}, [referral_of(service)])


def _not_agreed(case: Document, number: int) -> Plan:
    """A service is referred that is not among the agreed ones."""
    service = _for_unhcr(case, NOT_AGREED[number % len(NOT_AGREED)])
    return Plan("not_agreed", {**case, "services_section": [service]}, [referral_of(service)])


def _no_consent(case: Document, number: int) -> Plan:
    """Consent is withdrawn after the referral: Primero makes none without."""
    service = _for_unhcr(case, AGREED[number % len(AGREED)])
    withdrawn = {"disclosure_other_orgs": False}
    return Plan("no_consent", {**case, "services_section": [service]}, [referral_of(service)], withdrawn)


def _whole_case(case: Document, number: int) -> Plan:
    """The whole case is referred, without naming a service."""
    return Plan("whole_case", case, [referral_of()])


def _from_unhcr(case: Document, number: int, status: str) -> Document:
    service = service_of(
        case,
        1,
        service_type=AGREED[number % len(AGREED)],
        service_implementing_agency="UNICEF",
        service_request_external=True,
        service_request_agency="UNHCR",
        service_request_title="Protection associate",
        service_request_email="unhcr_cw@example.org",
        service_referral="external_referral",
        unhcr_referral_status=status,
        progres_interventionnumber=f"GAM-26-INT-{case['unhcr_individual_no'][-8:]}",
    )
    if status == "rejected" and number % 2:
        service["unhcr_referral_rejection_reason"] = "The child has left the camp"
    return {**case, "owned_by": INTAKE_USER, "services_section": [service]}


def _pending(case: Document, number: int) -> Plan:
    """UNHCR referred the child; nobody has decided."""
    return Plan("pending", _from_unhcr(case, number, "pending"))


def _decided(case: Document, number: int) -> Plan:
    """UNHCR referred the child; UNICEF's partner has accepted or rejected."""
    return Plan("decided", _from_unhcr(case, number, "accepted" if number % 3 else "rejected"))


_KINDS: dict[str, Callable[[Document, int], Plan]] = {
    "quiet": _quiet,
    "referred": _referred,
    "not_agreed": _not_agreed,
    "no_consent": _no_consent,
    "whole_case": _whole_case,
    "pending": _pending,
    "decided": _decided,
}
# Twenty cases in a row: how often each kind comes, and where.
_ORDER = (
    *("quiet", "referred", "decided", "quiet", "pending"),
    *("referred", "not_agreed", "quiet", "decided", "referred"),
    *("whole_case", "quiet", "referred", "no_consent", "pending"),
    *("referred", "decided", "quiet", "referred", "quiet"),
)
