"""People: caseworkers and UNHCR's officers, who act through Primero's own API and through DTP, whatever is broken."""

import threading
import time
from uuid import NAMESPACE_URL, uuid5

import httpx

from adaptors.client import basic
from adaptors.sandbox.inprocess import ADMINISTRATOR, gambella, passwords
from tests.chaos.plan import CANARIES
from tests.chaos.processes import Died
from tests.flows import decision

CASEWORKER = "caseworker_mockomot"
PATIENCE = 60  # seconds that a person tries again
OPPOSITE = {"125080000": "125080001", "125080001": "125080000"}
NOTHING = "0" * 32 + "#" + "a" * 12  # a referral that nobody made


class People:
    """All people of one seed, one of whom acts at a time. `post` gives the inbox a message, `tell` the story a line.

    What they did is remembered: `decisions` of UNHCR, `{referral: (code, contradicted)}`, and `edits` in Primero,
    `{case: address}`.
    """

    def __init__(self, plan, far_sides, addresses, post, tell):
        self._plan, self._far_sides, self._addresses, self._post, self._tell = plan, far_sides, addresses, post, tell
        self._passwords = passwords(gambella())
        self._turn = threading.Lock()
        self.decisions, self.edits = {}, {}

    def caseworker_decides(self, pick, status):
        """Accepts or rejects a service that UNHCR asked for, or decides otherwise than before."""
        with self._turn:
            if found := self._services_of_children():
                case, service = found[int(pick * len(found))]
                change = {"unique_id": service["unique_id"], "unhcr_referral_status": status}
                self._ask("PATCH", f"/cases/{case}", {"services_section": [change]})
                self._tell(f"{service['progres_interventionnumber']} is {status}")

    def caseworker_edits(self, pick):
        """Writes another address into a case that UNHCR asked for."""
        with self._turn:
            if found := self._services_of_children():
                case, _ = found[int(pick * len(found))]
                self.edits[case] = f"Zone {len(self.edits)}, moved"
                self._ask("PATCH", f"/cases/{case}", {"address_current": self.edits[case]})

    def caseworker_refers(self, number):
        """Makes a case and refers it to UNHCR."""
        with self._turn:
            name = str(uuid5(NAMESPACE_URL, f"chaos/{self._plan.seed}/{number}"))
            service = {
                "unique_id": str(uuid5(NAMESPACE_URL, f"{name}/service")), "service_type": "alternative_care",
                "service_implementing_agency": "UNHCR", "service_response_type": "service_provision",
                "service_response_day_time": "2026-03-04T08:30:00.000Z",
            }  # fmt: skip
            self._ask("POST", "/cases", {
                "id": name, "module_id": "primeromodule-cp", "owned_by": CASEWORKER, "sex": "female", "age": 9,
                "name_first": f"Referred {number}", "name_last": CANARIES[0], "consent_for_services": True,
                "unhcr_individual_no": f"GAM-R{self._plan.seed:05d}-{number}",
                "disclosure_other_orgs": True, "services_section": [service],
            }, user=CASEWORKER)  # fmt: skip
            refer = {"transitioned_to": "unhcr_cw", "service": "alternative_care",
                     "service_record_id": service["unique_id"]}  # fmt: skip
            # Looked at before each try, since an answer that was lost would else become a second referral.
            while not self._ask("GET", f"/cases/{name}/referrals"):
                self._sent("POST", f"/cases/{name}/referrals", refer, CASEWORKER)

    def unhcr_decides(self, pick, code, times, contradicted):
        """Decides about a referral that DTP received, once or more often, and perhaps otherwise afterwards."""
        with self._turn:
            known = dict.fromkeys(post["body"]["id"] for post in self.posts_at_dtp() if "id" in post["body"])
            waiting = [name for name in known if name not in self.decisions]
            if not waiting:
                return
            name = waiting[int(pick * len(waiting))]
            self.decisions[name] = code, contradicted
        self._tell(f"UNHCR decides {code} about {name}{', and then the opposite' * contradicted}")
        for _ in range(times):
            self._post(decision(name, code))
        if contradicted:
            self._post(decision(name, OPPOSITE[code]))

    def unhcr_decides_about_nothing(self):
        """Decides about a referral that nobody made."""
        self.decisions[NOTHING] = "125080000", False
        self._post(decision(NOTHING, "125080000"))

    def posts_at_dtp(self):
        """All posts that DTP accepted, in order."""
        return self._far_sides.get(f"{self._addresses['dtp']}/sandbox/received").raise_for_status().json()["received"]

    def cases(self):
        """All of Primero's cases, each with its `referrals`."""
        found = [self._ask("GET", f"/cases/{case['id']}") for case in self._ask("GET", "/cases?per=1000")]
        return [{**case, "referrals": self._ask("GET", f"/cases/{case['id']}/referrals") or []} for case in found]

    def _services_of_children(self):
        """`(case id, service)` for each service that UNHCR asked for, of the plan's children."""
        numbers = {one.number for one in self._plan.asked}
        return [(case["id"], service) for case in self._ask("GET", "/cases?per=1000")
                for service in self._ask("GET", f"/cases/{case['id']}").get("services_section") or ()
                if service.get("progres_interventionnumber") in numbers]  # fmt: skip

    def _ask(self, method, path, data=None, *, user=ADMINISTRATOR):
        """What Primero answers to a person, who tries again while it is hurt; None for a refusal."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            answer = self._sent(method, path, data, user)
            if answer is not None and answer.status_code in (200, 204):
                return answer.json()["data"] if answer.content else {}
            if answer is not None and answer.status_code in (404, 409, 422):
                return None
            time.sleep(0.1)
        raise Died(f"Primero didn't answer {method} {path}")

    def _sent(self, method, path, data, user):
        """One try; None when nothing came back."""
        headers = {"authorization": basic({"user": user, "password": self._passwords[user]})}
        body = None if data is None else {"data": data}
        try:
            return self._far_sides.request(
                method, f"{self._addresses['primero']}/api/v2{path}", json=body, headers=headers
            )
        except httpx.TransportError:
            return None
