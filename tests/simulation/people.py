"""The people of a simulation: caseworkers in Primero and officers of UNHCR, each acting on what is there by then."""

import json

from adaptors.client import basic
from adaptors.sandbox.inprocess import passwords
from adaptors.sandbox.wire import Request
from tests.flows import intervention
from tests.simulation.expected import dtp_id
from tests.simulation.scenario import MISTAKEN, TOKEN

CASEWORKER, ADMINISTRATOR = "caseworker_mockomot", "sandbox_admin"
NOT_AGREED = "medical"
NUMBER = "progres_interventionnumber"
CODES = ("125080000", "125080001", "accepted", "rejected", 125080000, "999")


class People:
    """Whoever changes Primero by hand, or writes messages. What they did is told to the witness."""

    def __init__(self, scenario, sandbox, witness, tell):
        self._scenario, self._sandbox, self._witness, self._tell = scenario, sandbox, witness, tell
        self._passwords = passwords(sandbox.config)
        self.theirs = {}  # cases that people made, as they made them, by id
        self.touched = set()  # cases in which people wrote an address
        self.edited = {}  # notes that people wrote, by service
        self._sent = []  # messages of UNHCR that may come again

    def begin(self):
        """The cases of children who are known before anything happens."""
        for child in self._scenario.children:
            if child.known:
                self._make_case(child)

    def message(self, told):
        """A PrimeroOutgoingReferral of these interventions."""
        parts = [self._intervention(one) for one in told]
        message = {"request_type": "PrimeroOutgoingReferral", "interventions": parts}
        self._sent.append(message)
        return message

    def again(self, pick):
        """A message that was posted before, word by word; None before the first."""
        return self._sent[int(pick * len(self._sent))] if self._sent else None

    def decision(self, pick, other):
        """UNHCR's decision on a referral that DTP received, now and then on one that nobody made, or an odd one; None
        before the first."""
        ids = list(dict.fromkeys(post.body["id"] for post in self._sandbox.dtp.received if "id" in post.body))
        if not ids and pick < 0.93:
            return None
        name = ids[int(pick / 0.93 * len(ids))] if pick < 0.93 else f"{'0' * 32}#{'a' * 12}"
        code = CODES[int(other * len(CODES))] if other > 0.5 else CODES[int(other * 4)]
        told = {"progres_orgreferralid": name, "progres_reviewdecision": code}
        if str(code) in ("125080001", "rejected"):
            told |= {
                "progres_interoperabiltyreferralrejectionreason": "125080002",
                "progres_interoperabilityreferralrejectionomment": f"{TOKEN}, not the same child",
            }
        message = {"request_type": "PrimeroIncomingReferralDecision", "interventions": [told]}
        self._sent.append(message)
        return message

    def refer(self, sorts, child, index):
        """A caseworker refers services of a child's case to UNHCR, making the case where there is none."""
        child = self._scenario.children[child]
        case = self._case_of(child.number) or self._make_case(child)
        for place, sort in enumerate(sorts):
            self._refer(case, sort, f"{index}-{place}")

    def refer_again(self, pick):
        """A service that was referred is referred once more, when the first referral is over."""
        over = [one for one in self._referrals() if one.data["status"] in ("revoked", "rejected", "done")]
        over = [one for one in over if one.data.get("service_record_id")]
        if one := _picked(over, pick):
            told = {name: one.data[name] for name in ("transitioned_to", "service", "service_record_id")}
            self._ask("POST", f"/cases/{one.case_id}/referrals", {**told, "consent_overridden": True})

    def revoke(self, pick):
        """A caseworker takes back a referral that is in progress."""
        if one := _picked([one for one in self._referrals() if one.data["status"] == "in_progress"], pick):
            self._ask("DELETE", f"/cases/{one.case_id}/referrals/{one.id}")

    def set_consent(self, pick, given):
        """Consent is given or withdrawn in a case."""
        if case := _picked(self._cases(), pick):
            self._ask("PATCH", f"/cases/{case['id']}", {"disclosure_other_orgs": given, "consent_for_services": True})

    def decide(self, pick, other):
        """A caseworker decides on a service that UNHCR asked for, or changes their mind."""
        if found := _picked(self._from_unhcr(), pick):
            case, service = found
            status = ("accepted", "rejected", "accepted", "pending")[int(other * 4)]
            change = {"unique_id": service["unique_id"], "unhcr_referral_status": status}
            if status == "rejected":
                change["unhcr_referral_rejection_reason"] = f"No place is free; {TOKEN}"
            self._ask("PATCH", f"/cases/{case['id']}", {"services_section": [change]})
            self._witness.decided(service["progres_interventionnumber"], status)

    def touch(self, pick):
        """Somebody changes what is nobody's business."""
        if case := _picked(self._cases(), pick):
            address = f"{TOKEN} Zone {int(pick * 100)}"
            self.touched.add(case["id"])
            self._ask("PATCH", f"/cases/{case['id']}", {"address_current": address})

    def edit_notes(self, pick):
        """A caseworker rewrites the notes of a service that UNHCR asked for."""
        if found := _picked(self._from_unhcr(), pick):
            case, service = found
            self.edited[service["unique_id"]] = notes = f"Rewritten, {TOKEN}"
            change = {"unique_id": service["unique_id"], "service_referral_notes": notes}
            self._ask("PATCH", f"/cases/{case['id']}", {"services_section": [change]})

    def keys_of(self, cases):
        """By which numbers and names UNHCR knows what these cases hold."""
        found = [
            (case, service)
            for case in self._cases()
            if case["id"] in cases
            for service in case.get("services_section") or []
        ]
        return {key for case, service in found for key in (dtp_id(case, service), service.get(NUMBER)) if key}

    def _intervention(self, told):
        child = self._scenario.children[told.child]
        fields = {
            "individuals__progres_id": child.number,
            "individuals__progres_givenname": f"Given {child.tag}",
            "individuals__progres_middlename": None,
            "individuals__progres_familyname": child.family_name,
            "individuals__progres_dateofbirth": f"{child.birth}T00:00:00Z",
            "individuals__progres_sex": child.sex,
            "individuals__progres_coalocationlevel6": f"{TOKEN} block",
            "progres_interventionnumber": told.number,
            "interventiontype__progres_description": told.service_type,
            "languages__progres_languagecodeid": told.language and {"Name": told.language},
            "progres_primeroid": self._named(told.named, child),
            **_notes(told),
            **_flaw(told),
        }
        return intervention(**fields)

    def _named(self, named, child):
        """The case id that UNHCR names: the child's own, another child's, or one that nobody knows."""
        if named == "unknown":
            return "0" * 32
        cases = [case for case in self._cases() if case.get("unhcr_individual_no")]
        wanted = [case for case in cases if (case["unhcr_individual_no"] == child.number) == (named == "own")]
        return wanted[0]["case_id"] if named and wanted else None

    def _make_case(self, child):
        told = {
            "module_id": "primeromodule-cp", "owned_by": CASEWORKER, "unhcr_individual_no": child.number,
            "name_first": f"Given {child.tag}", "name_last": child.family_name, "sex": "female",
            "date_of_birth": child.birth,
        }  # fmt: skip
        consent = {"consent_for_services": True, "disclosure_other_orgs": True}
        made = self._ask("POST", "/cases", {**told, **consent}, user=CASEWORKER)
        self.theirs[made["id"]] = told
        return made

    def _refer(self, case, sort, index):
        service = {
            "service_type": NOT_AGREED if sort == "not_agreed" else "alternative_care",
            "service_implementing_agency": "UNICEF" if sort == "other_agency" else "Unhcr",
            "service_response_type": "service_provision", "service_response_day_time": "2026-03-04T08:30:00.000Z",
            "service_referral_notes": f"{TOKEN} {index}",
        }  # fmt: skip
        before = {
            one["unique_id"] for one in self._sandbox.primero.cases[case["id"]].data.get("services_section") or []
        }
        self._ask("PATCH", f"/cases/{case['id']}", {"services_section": [service]})
        after = self._sandbox.primero.cases[case["id"]].data["services_section"]
        (made,) = [one for one in after if one["unique_id"] not in before]
        told = {"transitioned_to": "unhcr_cw"}
        if sort == "other_user":
            told["transitioned_to"] = "caseworker_sampleya"
        if sort != "whole_case":
            told |= {"service": service["service_type"], "service_record_id": made["unique_id"]}
        if sort == "override":
            told["consent_overridden"] = True
        self._ask("POST", f"/cases/{case['id']}/referrals", told)
        if sort == "no_consent":
            self._ask("PATCH", f"/cases/{case['id']}", {"disclosure_other_orgs": False})

    def _ask(self, method, path, data=None, user=ADMINISTRATOR):
        """What Primero answers to a person; None when it refuses."""
        credential = {"user": user, "password": self._passwords[user]}
        headers = {"authorization": basic(credential), "content-type": "application/json"}
        body = b"" if data is None else json.dumps({"data": data}).encode()
        answer = self._sandbox.primero.answer(Request(method, f"/api/v2{path}", "", headers, body))
        self._tell(f"{user}: {method} {path} {', '.join(data or ())} → {answer.status}")
        return json.loads(answer.body)["data"] if answer.status == 200 else None

    def _cases(self):
        return [case.data | {"id": case.id} for case in self._sandbox.primero.cases.values()]

    def _case_of(self, number):
        return next((case for case in self._cases() if case.get("unhcr_individual_no") == number), None)

    def _referrals(self):
        return list(self._sandbox.primero.referrals.values())

    def _from_unhcr(self):
        return [
            (case, service)
            for case in self._cases()
            for service in case.get("services_section") or []
            if service.get("progres_interventionnumber")
        ]


def _picked(things, pick):
    return things[int(pick * len(things))] if things else None


def _notes(told):
    text = f"{TOKEN} about {told.number}"
    description, reason = {
        "html": (f"<p>{text} &amp; more</p>", None),
        "json": (None, json.dumps([{"CreatedBy": "x", "Text": text, "CreatedOn": "2026-05-01"}])),
        "plain": (text, "A reason"),
        "date": (None, "2026-05-01"),
        "none": (None, ""),
    }[told.notes]
    return {"progres_interventiondescription": description, "progres_reasonforreferral": reason}


def _flaw(told):
    """The field that is wrong."""
    return {
        "missing": {(told.missing or "").replace(".", "__"): None},
        "bad_date": {"individuals__progres_dateofbirth": "31/12/2013"},
        "future_date": {"individuals__progres_dateofbirth": "2044-01-01T00:00:00Z"},
        "bad_sex": {"individuals__progres_sex": "9"},
        "not_agreed": {"interventiontype__progres_description": "Cash Assistance"},
        "odd_language": {"languages__progres_languagecodeid": {"Name": ["Nuer"]}},
        "mistaken": {"user__progres_partner": {"Name": MISTAKEN}},
    }.get(told.flaw, {})
