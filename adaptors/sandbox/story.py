"""The story that the demo tells: four steps, one for each exchange, who holds what in the end, and who was told of.

Each step names the job that is to run, what happens before it in Primero or proGres, and the outcomes to expect. People
act through Primero's own API, under their own accounts; what UNHCR holds is what DTP received.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from adaptors.sandbox.dtp import REFERRALS
from adaptors.sandbox.inprocess import ADMINISTRATOR, Sandbox, passwords
from adaptors.sandbox.particulars import particulars
from adaptors.sandbox.wire import Request

Document = dict[str, Any]
Row = dict[str, str]

# What is told, the job that carries it, and the outcomes that its items should have (of the first 20 people of seed 7).
# While a step is held back, Primero opens no case.
STEPS: tuple[Document, ...] = (
    {
        "name": "referrals-from-unhcr",
        "exchange": "1a",
        "held_back": True,
        "says": "UNHCR refers three children: a new one, a known one, and one for a service that is not agreed.",
        "job": "progres_to_primero",
        "expected": {"done": 2, "refused": 1},
    },
    {
        "name": "caseworkers-decide",
        "exchange": "1b",
        "held_back": False,
        "says": "Caseworkers accept the first and reject the second; earlier decisions wait to be told, too.",
        "job": "primero_decisions_to_progres",
        "expected": {"done": 5},
    },
    {
        "name": "referrals-to-unhcr",
        "exchange": "2a",
        "held_back": False,
        "says": "Caseworkers have referred children to UNHCR; not all of it may be sent.",
        "job": "primero_to_progres",
        "expected": {"done": 6, "withheld": 2, "parked": 1},
    },
    {
        "name": "unhcr-decides",
        "exchange": "2b",
        "held_back": False,
        "says": "UNHCR accepts one of these and rejects another.",
        "job": "progres_decisions_to_primero",
        "expected": {"done": 2},
    },
)

# What people write of their own.
REASON, COMMENT = "No place is free before summer", "Please check the number"
NEW, KNOWN, NOT_AGREED = "GAM-26-DEMO-0001", "GAM-26-DEMO-0002", "GAM-26-DEMO-0003"


class Story:
    """One telling of the story, in a sandbox with cases. `steps` is what it tells, in order.

    Example: `Story(Sandbox(cases=60)).before("referrals-from-unhcr")["message"]["request_type"]` is
    `"PrimeroOutgoingReferral"`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._preparations = {
            "referrals-from-unhcr": self._referrals_from_unhcr,
            "caseworkers-decide": self._caseworkers_decide,
            "referrals-to-unhcr": self._referrals_to_unhcr,
            "unhcr-decides": self._unhcr_decides,
        }
        self._messages: list[Document] = []
        self._children: dict[str, list[str]] = {}
        self.steps = STEPS

    def before(self, step: str) -> Document:
        """Let happen what comes before a step; gives its `message`, where it starts with one. KeyError if unknown."""
        return self._preparations[step]()

    def table(self) -> list[Row]:
        """A row for each referral of the story: way, outcome, and what each side holds now."""
        return [*self._rows_from_unhcr(), *self._rows_to_unhcr()]

    def children(self) -> dict[str, list[str]]:
        """What the story has told of each child until now, by referral or case: texts by which they could be known."""
        return self._children

    def holdings(self) -> Document:
        """All that both sides hold: UNHCR what it sent and received, the partners their cases."""
        cases = [self._ask("GET", f"/cases/{case['id']}") for case in self._cases("short_id")]
        return {"sent": self._messages, "received": [post.body for post in self._sandbox.dtp.received], "cases": cases}

    def _referrals_from_unhcr(self) -> Document:
        known = next(case for case in self._cases("unhcr_individual_no,name_first,name_last") if _has_name(case))
        told = [
            intervention(NEW, "GAM-00099001", "Nyamal", "Erfunden", "Alternative Care"),
            intervention(KNOWN, known["unhcr_individual_no"], known["name_first"], known["name_last"], "BIA"),
            intervention(NOT_AGREED, "GAM-00099003", "Obang", "Beispiel", "Cash Assistance"),
        ]
        self._children |= {each["progres_interventionnumber"]: particulars(each) for each in told}
        return self._message("PrimeroOutgoingReferral", told)

    def _caseworkers_decide(self) -> Document:
        for number, status in ((NEW, "accepted"), (KNOWN, "rejected")):
            case, service = self._service(number)
            entry = {"unique_id": service["unique_id"], "unhcr_referral_status": status}
            if status == "rejected":
                entry["unhcr_referral_rejection_reason"] = REASON
            self._ask("PATCH", f"/cases/{case['id']}", {"services_section": [entry]})
        self._children[KNOWN].append(REASON)
        return {}

    def _referrals_to_unhcr(self) -> Document:
        for case in self._cases("case_id"):
            if self._ask("GET", f"/cases/{case['id']}/referrals"):
                self._children[case["case_id"]] = particulars(self._ask("GET", f"/cases/{case['id']}"))
        return {}

    def _unhcr_decides(self) -> Document:
        accepted, rejected, *_ = self._referred()
        told = [
            {"progres_orgreferralid": accepted["id"], "progres_reviewdecision": "125080000"},
            {
                "progres_orgreferralid": rejected["id"],
                "progres_reviewdecision": "125080001",
                "progres_interoperabiltyreferralrejectionreason": "125080000",
                "progres_interoperabilityreferralrejectionomment": COMMENT,
            },
        ]
        self._children[rejected["id"].partition("#")[0]].append(COMMENT)
        return self._message("PrimeroIncomingReferralDecision", told)

    def _message(self, kind: str, told: list[Document]) -> Document:
        message = {"request_type": kind, "interventions": told}
        self._messages.append(message)
        return {"message": message}

    def _rows_from_unhcr(self) -> list[Row]:
        rows = []
        for number in (NEW, KNOWN, NOT_AGREED):
            told = [post.body for post in self._sandbox.dtp.received if _is_about(post.body, number)]
            found = self._service(number)
            holds = f"case {found[0]['short_id']}, service {found[1]['unhcr_referral_status']}" if found else "nothing"
            rows.append(_row(number, "proGres → Primero", bool(found), holds, "; ".join(map(_in_words, told))))
        return rows

    def _rows_to_unhcr(self) -> list[Row]:
        sent = {post["id"] for post in self._referred()}
        rows = []
        for case in self._cases("case_id,short_id"):
            for referral in self._ask("GET", f"/cases/{case['id']}/referrals"):
                end = str(referral.get("service_record_id") or "")[-12:]
                is_sent = f"{case['case_id']}#{end}" in sent
                name = f"case {case['short_id']}" + (f", service …{end[-4:]}" if end else ", no service")
                holds = f"referral {referral['status'].replace('_', ' ')}"
                rows.append(_row(name, "Primero → proGres", is_sent, holds, "the referral" if is_sent else "nothing"))
        return rows

    def _referred(self) -> list[Document]:
        """Each once, by id, since they come in any order, and some twice."""
        posts = {str(post.body["id"]): post.body for post in self._sandbox.dtp.received if post.kind == REFERRALS}
        return [posts[name] for name in sorted(posts)]

    def _service(self, number: str) -> Any:
        for case in self._cases("short_id,services_section"):
            for service in case.get("services_section") or []:
                if service.get("progres_interventionnumber") == number:
                    return case, service
        return None

    def _cases(self, fields: str) -> list[Document]:
        return list(self._ask("GET", "/cases", query=f"per=1000&order_by=case_id&order=asc&fields={fields}"))

    def _ask(self, method: str, path: str, data: Document | None = None, query: str = "") -> Any:
        password = passwords(self._sandbox.config)[ADMINISTRATOR]
        login = base64.b64encode(f"{ADMINISTRATOR}:{password}".encode()).decode()
        body = json.dumps({"data": data}).encode() if data else b""
        headers = {"authorization": f"Basic {login}", "content-type": "application/json"}
        answer = self._sandbox.primero.answer(Request(method, f"/api/v2{path}", query, headers, body))
        return json.loads(answer.body)["data"]


def intervention(number: str, child: str, given: str, family: str, service: str) -> Document:
    """An intervention of DTP about an invented child, as it stands in a message."""
    return {
        "interventiontype.progres_description": service,
        "individuals.progres_id": child,
        "individuals.progres_registrationgroupid": {"LogicalName": "progres_registrationgroup", "Name": "GAM-26-99001"},
        "individuals.progres_givenname": given,
        "individuals.progres_familyname": family,
        "individuals.progres_dateofbirth": "2014-05-17T00:00:00Z",
        "individuals.progres_sex": "125080000",
        "individuals.progres_coalocationlevel1": {"Name": "Ethiopia"},
        "individuals.progres_coalocationlevel2": {"Name": "Gambella"},
        "languages.progres_languagecodeid": {"Name": "Nuer"},
        "progres_interventionnumber": number,
        "progres_interventionstartdate": "2026-11-02",
        "progres_interventiondescription": "<p>Lives with an aunt &amp; two siblings</p>",
        "user.title": "Protection associate",
        "user.internalemailaddress": "protection@example.org",
    }


def _has_name(case: Document) -> bool:
    return all(case.get(field) for field in ("unhcr_individual_no", "name_first", "name_last"))


def _is_about(body: Document, number: str) -> bool:
    return bool(body.get("progres_interventionnumber") == number)


def _in_words(post: Document) -> str:
    reason = str(post.get("closure_reason")).partition(":")[0]
    return f"{post['status']}: {reason}" if post["status"] in ("Delivery Fail", "rejected") else str(post["status"])


def _row(referral: str, way: str, arrived: bool, primero: str, progres: str) -> Row:
    outcome = "arrived" if arrived else "not sent" if way.startswith("Primero") else "refused"
    return {"referral": referral, "way": way, "outcome": outcome, "Primero holds": primero, "proGres holds": progres}
