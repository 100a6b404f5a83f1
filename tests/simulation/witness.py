"""Sees what really happened: what DTP took, when a service stood in Primero, what people decided, what might go.

An event is a dict with `what` and what belongs to it, so that another process can write one as well.
"""

import json

from tests.simulation.expected import dtp_id
from tests.simulation.outward import may_go

ANSWERS = ("Pending Acknowledgement", "Delivery Fail")


class Witness:
    """The events of one world, in order; `sandbox`, `now` and
    `waiting` (the keys in the outbox) are set by it, and `act` is what may happen meanwhile."""

    def __init__(self, tell, act=lambda: None):
        self.events = []
        self.taken = []  # (message id, message, when we took it), one for each 202
        self.refused = []  # (kind, body) that DTP answered with an error inside
        self.sandbox = self.now = self.waiting = None
        self._tell, self._act = tell, act
        self._standing = set()
        self._fresh = None

    def before_call(self):
        """The service is about to ask somebody something."""
        self.forget()
        self._act()

    def called(self, request, response, *, learnt):
        """Somebody did what the service asked; `learnt` is whether it learns of it."""
        if request.method == "GET" or response.status_code >= 300:
            return
        if request.url.host.startswith("dtp"):
            self._posted(request.url.path.rpartition("/")[2], json.loads(request.content), learnt)
        else:
            self._tell(f"> {request.method} {request.url.path}")
            self.look()

    def refused_inside(self, request):
        """DTP refused a post in a 200."""
        body = json.loads(request.content)
        self.refused.append((request.url.path.rpartition("/")[2], body))
        if body.get("status") in ANSWERS:
            self.events.append({"what": "answer refused", "number": body["progres_interventionnumber"]})

    def waits(self, entry):
        """An answer is put into the outbox."""
        self.events.append({"what": "waits", "number": entry["key"], "status": entry["send"]["status"]})

    def store_changed(self):
        """The store kept something; if it is what follows a post, the service knows of the post for ever."""
        if self._fresh is not None:
            self._fresh["kept"] = True
            self._fresh = None

    def forget(self):
        """What was posted just now will not be remembered: the service died, or its store refuses."""
        self._fresh = None

    def look(self):
        """Notice the services that stand in Primero by now."""
        for case in self.sandbox.primero.cases.values():
            for service in case.data.get("services_section") or []:
                number = service.get("progres_interventionnumber")
                if number and number not in self._standing:
                    self._standing.add(number)
                    self.events.append({"what": "stands", "number": number})

    def decided(self, number, status):
        """A person decided on a service that UNHCR asked for."""
        self.events.append({"what": "decided", "number": number, "status": status})

    def _posted(self, kind, body, learnt):
        event = {"what": "dtp", "kind": kind, "body": body, "when": self.now(), "kept": False}
        event["waiting"] = self.waiting()
        if kind == "ReceiveIncomingReferral":
            event["eligible"] = eligible(self.sandbox)
        self.events.append(event)
        self._fresh = event if learnt else None
        key = body.get("progres_interventionnumber") or body.get("id")
        self._tell(f"> DTP took {body.get('status') or 'referral'} {key}{'' if learnt else ', which nobody learns'}")


def eligible(sandbox):
    """The referrals that may go now: their DTP ids with the case as it is."""
    found = {}
    for referral in sandbox.primero.referrals.values():
        case = sandbox.primero.cases[referral.case_id].data
        services = {service["unique_id"]: service for service in case.get("services_section") or []}
        service = services.get(referral.data.get("service_record_id"))
        if may_go(case, service, referral.data):
            found[dtp_id(case, service)] = {"case": {**case, "id": referral.case_id}, "service": service}
    return found
