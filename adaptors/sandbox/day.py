"""The day that `runner demo --keep` leaves behind: what happens on both far sides, hour by hour, and their holdings.

A day begins ten minutes before a full hour, so that what runs each hour runs between its steps. `minutes` tells when a
step begins; None is in the end, when somebody comes and looks.
"""

from __future__ import annotations

from typing import Any

from adaptors.sandbox.dtp import REFERRALS
from adaptors.sandbox.faults import Fault
from adaptors.sandbox.inprocess import Sandbox
from adaptors.sandbox.particulars import particulars
from adaptors.sandbox.story import Story, intervention

Document = dict[str, Any]

DAY: tuple[Document, ...] = (
    {
        "name": "referrals-to-unhcr",
        "minutes": 0,
        "says": "Caseworkers have referred children to UNHCR. The line to DTP breaks while one is sent.",
    },
    {
        "name": "referrals-from-unhcr",
        "minutes": 40,
        "says": "UNHCR refers three children: a new one, a known one, and one for a service that is not agreed.",
    },
    {"name": "caseworkers-decide", "minutes": 100, "says": "Caseworkers accept the first and reject the second."},
    {
        "name": "unhcr-decides",
        "minutes": 200,
        "says": "UNHCR accepts one of these, rejects another, and then tells otherwise of the first.",
    },
    {
        "name": "decisions-on-nothing",
        "minutes": 210,
        "says": "UNHCR decides on two referrals that nobody knows. An operator gives up one of these decisions.",
        "discarded": True,
    },
    {"name": "nothing-may-be-opened", "minutes": 260, "says": "Primero opens no cases. UNHCR refers a child."},
    {"name": "all-is-well-again", "minutes": 400, "says": "Primero opens cases again. UNHCR refers another child."},
    {"name": "something-else", "minutes": 430, "says": "UNHCR posts something that no job waits for."},
    {"name": "not-again", "minutes": None, "says": "Primero opens no cases once more. UNHCR refers a child."},
)

TOO_LATE, IN_TIME, WAITING = "GAM-26-DEMO-0004", "GAM-26-DEMO-0005", "GAM-26-DEMO-0006"
CASES = "/api/v2/cases"
NOBODY_KNOWS = (
    "00000000-0000-4000-8000-000000000001#0a1b2c3d4e5f",
    "00000000-0000-4000-8000-000000000002#0a1b2c3d4e5f",
)
_MADE_ANEW = {"id", "consent_overridden"}  # of a referral that is loaded


class Day(Story):
    """One day in a sandbox with cases; `steps` is what happens, in order.

    Example: `Day(Sandbox(cases=20, seed=7)).before("something-else")["message"]["request_type"]` is
    `"PrimeroCaseTransfer"`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._preparations |= {
            "referrals-to-unhcr": self._broken_line,
            "unhcr-decides": self._unhcr_decides_twice,
            "decisions-on-nothing": self._decisions_on_nothing,
            "nothing-may-be-opened": self._nothing_may_be_opened,
            "all-is-well-again": self._all_is_well_again,
            "something-else": self._something_else,
            "not-again": self._not_again,
        }
        self.steps = DAY

    def holdings(self) -> Document:
        """As the demo's story tells them, and the referrals within Primero: what `Primero.load` takes."""
        held = super().holdings()
        referrals = [each for case in held["cases"] for each in self._ask("GET", f"/cases/{case['id']}/referrals")]
        return {**held, "referrals": [{name: each[name] for name in each.keys() - _MADE_ANEW} for each in referrals]}

    def _broken_line(self) -> Document:
        self._sandbox.dtp.faults.add(Fault("reset", method="POST", path=f"/{REFERRALS}"))
        return self._referrals_to_unhcr()

    def _unhcr_decides_twice(self) -> Document:
        message: Document = self._unhcr_decides()["message"]
        first, rejection = message["interventions"]
        message["interventions"].append({**rejection, "progres_orgreferralid": first["progres_orgreferralid"]})
        return {"message": message}

    def _decisions_on_nothing(self) -> Document:
        told = [{"progres_orgreferralid": name, "progres_reviewdecision": "125080000"} for name in NOBODY_KNOWS]
        return self._message("PrimeroIncomingReferralDecision", told)

    def _nothing_may_be_opened(self) -> Document:
        self._sandbox.faults.add(Fault("bad_gateway", count=None, method="POST", path=CASES))
        return self._referral(TOO_LATE, "GAM-00099004", "Chol", "Erdacht", "BIA")

    def _all_is_well_again(self) -> Document:
        self._sandbox.faults.clear()
        return self._referral(IN_TIME, "GAM-00099005", "Ajak", "Muster", "Alternative Care")

    def _something_else(self) -> Document:
        return self._message("PrimeroCaseTransfer", [{"progres_id": "GAM-00099007"}])

    def _not_again(self) -> Document:
        self._sandbox.faults.add(Fault("bad_gateway", count=None, method="POST", path=CASES))
        return self._referral(WAITING, "GAM-00099006", "Nyabol", "Vorstell", "BIA")

    def _referral(self, number: str, child: str, given: str, family: str, service: str) -> Document:
        told = intervention(number, child, given, family, service)
        self._children[number] = particulars(told)
        return self._message("PrimeroOutgoingReferral", [told])
