"""A month of a service in virtual time, up to now: the real jobs, stand-ins, invented children, and what went wrong.

Its days begin at midnight (UTC), so that the same things wait for a person at whatever hour it is lived.
"""

import json
from datetime import UTC, datetime, timedelta

from adaptors.sandbox import Fault, Sandbox
from adaptors.sandbox.particulars import particulars
from runner import project, yamlfile
from tests.flows import decision, intervention, outgoing, send
from tests.virtual import ROOT, Clock, Service

DAYS = 30
NUMBER = "GAM-26-PRTITV-"  # how those of the interventions begin that are told in the month
TOKEN = "Quillwort7731"  # in every text about a child that UNHCR sends
READING = ("primero_decisions_to_progres", "primero_to_progres")
LONG_AGO = "2000-01-01T00:00:00Z"
PATIENCE = {"hours": 6}  # after which what fails is given up
UNANSWERED = 3  # referrals on which UNHCR hasn't decided yet


def project_in(folder):
    """This repository's project in a folder of its own, on any ports, with fewer runs a day; its file."""
    document = yamlfile.read(ROOT / "project.yaml").value
    for name, job in document["jobs"].items():
        document["jobs"][name] = {**job, "script": str(ROOT / job["script"])}
    document["triggers"]["hourly"]["cron"] = "0 6,18 * * *"
    document |= {"retry": PATIENCE, "inbox": {"port": 0}, "console": {"port": 0}}
    path = folder / "project.yaml"
    path.write_text(json.dumps(document, indent=2), "utf-8")
    return path


def lived(path):
    """Live through the month in the folder of a project; gives the sandbox, whose clock is ours from then on."""
    now = clock = Clock(_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS))
    sandbox = Sandbox(cases=8, seed=7, clock=lambda: now())
    found = project.load(path)
    with Service(path.parent / "data", sandbox=sandbox, clock=clock, found=found, retry=PATIENCE) as service:
        for job in READING:
            service.store.move_cursor(job, LONG_AGO)
        for day in range(DAYS):
            _live(service, sandbox, day, until=clock.time + timedelta(days=1))
        _pass(service, _now())
    now = _now
    return sandbox


def canaries(sandbox):
    """What is told of each child: texts that may never reach a browser."""
    cases = [particulars(case.data) for case in sandbox.primero.cases.values()]
    return sorted({TOKEN, *(text for texts in cases for text in texts)})


def _now():
    return datetime.now(UTC)


def _pass(service, until):
    service.run(seconds=(until - service.clock.time).total_seconds())


def _live(service, sandbox, day, *, until):
    """One day. Each ninth, Primero is away for longer than the service tries."""
    _decide(sandbox)
    _refer(sandbox, day)
    is_away = day % 9 == 8
    service.run(hours=6)
    if is_away:
        sandbox.faults.add(Fault("fail_before", count=None))
    for number in range(10 * day, 10 * day + (8 if is_away else 1 + day % 3)):
        service.post(outgoing(_told(number)))
        service.run(minutes=20)
    if len(told := [post.body["id"] for post in sandbox.dtp.received if "id" in post.body]) > UNANSWERED:
        service.post(decision(told[-UNANSWERED], "125080000"))
    if day % 3 == 1:
        service.post(decision(f"{day:032}#{'a' * 12}", "125080000"))  # on a referral that nobody knows
    if day in (11, 28):
        service.post({"request_type": "SomethingElse", "note": f"{TOKEN} {day}"})
    service.run(hours=8)
    sandbox.faults.clear()
    _pass(service, until)


def _decide(sandbox):
    """Caseworkers accept what UNHCR asked for since they last did."""
    for case in list(sandbox.primero.cases.values()):
        for service in case.data.get("services_section") or []:
            number = service.get("progres_interventionnumber") or ""
            if number.startswith(NUMBER) and service["unhcr_referral_status"] == "pending":
                change = {"unique_id": service["unique_id"], "unhcr_referral_status": "accepted"}
                send(sandbox, "PATCH", f"/cases/{case.id}", {"services_section": [change]})


def _refer(sandbox, day):
    """A caseworker refers a child to UNHCR."""
    case = sorted(sandbox.primero.cases)[day % len(sandbox.primero.cases)]
    service = {"service_type": "alternative_care", "service_implementing_agency": "Unhcr",
               "service_response_type": "service_provision", "service_referral_notes": TOKEN}  # fmt: skip
    before = {each["unique_id"] for each in sandbox.primero.cases[case].data.get("services_section") or []}
    send(sandbox, "PATCH", f"/cases/{case}", {"services_section": [service]})
    made = {each["unique_id"] for each in sandbox.primero.cases[case].data["services_section"]} - before
    told = {"transitioned_to": "unhcr_cw", "service": "alternative_care", "consent_overridden": True}
    send(sandbox, "POST", f"/cases/{case}/referrals", {**told, "service_record_id": made.pop()})


def _told(number):
    return intervention(
        individuals__progres_id=f"GAM-000{number:05}", individuals__progres_familyname=f"{TOKEN} {number}",
        progres_interventionnumber=f"{NUMBER}{number:07}",
    )  # fmt: skip
