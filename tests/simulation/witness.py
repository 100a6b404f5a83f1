"""Sees what really happened: what DTP took, what the service had read by then, what people decided, who was at what.

An event is a dict with `what` and what belongs to it.
"""

import copy
import json

from tests.simulation.expected import dtp_id
from tests.simulation.outward import may_go

ANSWERS = ("Pending Acknowledgement", "Delivery Fail")


class Witness:
    """The events of one world, in order. `sandbox`, `now` (the service's clock), `time` (one that is right) and
    `waiting` (the keys in the outbox) are set by it, and `act` is what may happen meanwhile."""

    def __init__(self, tell, act=lambda: None):
        self.events = []
        self.taken = []  # (message id, message, when we took it), one for each 202
        self.refused = []  # (kind, body) that DTP answered with an error inside
        self.sandbox = self.now = self.time = self.waiting = None
        self._tell, self._act = tell, act
        self._standing = set()
        self._fresh = None
        self._cases, self._referrals = {}, {}  # as the service read them last, by id
        self._withheld = set()  # cases in which Primero took no decision for want of consent, since a unit began
        self._at_work = {}  # units that were begun, with their subjects
        self.last_runs = {}  # by scheduled job, when it was last settled, by a clock that is right

    def before_call(self):
        """The service is about to ask somebody something."""
        self.forget()
        self._act()

    def attempted(self, request):
        """The event of a request that the service is about to send; `in vain` when it certainly didn't arrive."""
        event = {"what": "attempt", "in vain": False, "body": {}}
        if request.method == "POST" and request.url.host.startswith("dtp"):
            event["body"] = json.loads(request.content)
            self.events.append(event)
        return event

    def called(self, request, response, *, learnt):
        """Somebody did what the service asked; `learnt` is whether it learns of it."""
        path = request.url.path.removeprefix("/api/v2")
        if request.url.host.startswith("dtp"):
            if response.status_code < 300:
                self._posted(path.rpartition("/")[2], json.loads(request.content), learnt)
        elif request.method == "GET":
            if learnt and response.status_code == 200:
                self._was_read(path, response)
        elif response.status_code < 300:
            self._tell(f"> {request.method} {request.url.path}")
            self.look()
        elif response.status_code == 422 and "/referrals/" in path:
            self._withheld.add(path.split("/")[2])

    def refused_inside(self, request):
        """DTP refused a post in a 200."""
        body = json.loads(request.content)
        self.refused.append((request.url.path.rpartition("/")[2], body))
        if body.get("status") in ANSWERS:
            number = body["progres_interventionnumber"]
            self.events.append({"what": "answer refused", "number": number, "when": self.now()})

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

    def died(self):
        """The service died: nobody is at anything any more."""
        self.forget()
        self._at_work.clear()
        self.events.append({"what": "died"})

    def begins(self, unit, *, earlier):
        """The service begins a unit; `earlier` is how many units about the same subject came before and wait."""
        at_it = unit.subject is not None and unit.subject in self._at_work.values()
        if at_it or earlier:
            self.events.append({"what": "out of turn", "message": unit.message_id})
        self._at_work[unit.id] = unit.subject
        self._withheld.clear()

    def ends(self, unit):
        """The service has done with a unit for now."""
        self._at_work.pop(unit.id, None)

    def parks(self, unit):
        """A unit was left to a person: what its job could see by then of the referrals in Primero."""
        now = {one.id: one.data["status"] for one in self.sandbox.primero.referrals.values()}
        seen = {key: one["status"] for key, one in self._referrals.items() if key in now}
        told = {"now": now, "read": {**now, **seen}, "withheld": set(self._withheld)}
        self.events.append({"what": "parked", "message": unit.message_id, **told})

    def ran(self, job):
        """A scheduled run was settled."""
        self.last_runs[job] = self.time()

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

    def retried(self, answers, keys):
        """An administrator tries again: these interventions are answered anew, all of these keys may be posted anew."""
        self.events.append({"what": "retried", "answers": answers, "keys": keys | set(answers)})

    def _was_read(self, path, response):
        parts = path.strip("/").split("/")
        if parts[0] != "cases":
            return
        if parts[2:] == ["referrals"]:
            for one in self.sandbox.primero.referrals.values():
                if one.case_id == parts[1]:
                    self._referrals[one.id] = copy.deepcopy(one.data)
            return
        data = response.json()["data"]
        for found in data if isinstance(data, list) else [data]:
            self._cases[found["id"]] = copy.deepcopy(self.sandbox.primero.cases[found["id"]].data)

    def _posted(self, kind, body, learnt):
        event = {"what": "dtp", "kind": kind, "body": body, "when": self.now(), "kept": False}
        event["waiting"] = self.waiting()
        if kind == "ReceiveIncomingReferral":
            event["eligible"] = self._eligible(body["id"])
        else:
            event["service"] = self._services(body["progres_interventionnumber"])
        self.events.append(event)
        self._fresh = event if learnt else None
        key = body.get("progres_interventionnumber") or body.get("id")
        self._tell(f"> DTP took {body.get('status') or 'referral'} {key}{'' if learnt else ', which nobody learns'}")

    def _views(self, case):
        """A case as it is, and as the service read it last: people may change it between reading and sending."""
        return [each for each in (self._cases.get(case.id), copy.deepcopy(case.data)) if each]

    def _eligible(self, name):
        """In which cases and services a referral of this name may go."""
        found = []
        for referral in self.sandbox.primero.referrals.values():
            for case in self._views(self.sandbox.primero.cases[referral.case_id]):
                service = _services(case).get(referral.data.get("service_record_id"))
                if service is None or dtp_id(case, service) != name:
                    continue
                if any(may_go(case, service, one) for one in (self._referrals.get(referral.id), referral.data) if one):
                    found.append({"case": {**case, "id": referral.case_id}, "service": service})
        return found

    def _services(self, number):
        """The services of this intervention, as they are and as they were read."""
        return [
            service
            for case in self.sandbox.primero.cases.values()
            for view in self._views(case)
            for service in view.get("services_section") or []
            if service.get("progres_interventionnumber") == number
        ]


def _services(case):
    return {service["unique_id"]: service for service in case.get("services_section") or []}
