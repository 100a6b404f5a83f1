"""What the tests of the four exchanges share: messages of invented children, and a run of a job against the sandbox."""

import copy
import json
from pathlib import Path

from adaptors.client import basic
from adaptors.ledger import MemoryLedger
from adaptors.runtime import Runtime
from adaptors.sandbox.inprocess import passwords
from adaptors.sandbox.wire import Request
from runner import execute, jobscript

JOBS = Path(__file__).parent.parent / "jobs"

INTERVENTION = {
    "interventiontype.progres_description": "Alternative Care",
    "individuals.progres_id": "GAM-00000901",
    "individuals.progres_registrationgroupid": {
        "Id": "5f0c",
        "KeyAttributes": [],
        "LogicalName": "progres_registrationgroup",
        "Name": "GAM-26-00901",
        "RowVersion": None,
    },
    "individuals.progres_givenname": "Nyaruot",
    "individuals.progres_middlename": "Erfunden",
    "individuals.progres_familyname": "Beispiel",
    "individuals.progres_commonyusedname": None,
    "individuals.progres_dateofbirth": "2014-02-28T00:00:00Z",
    "individuals.progres_sex": "125080000",
    "individuals.progres_primaryphonenumber": "",
    "individuals.progres_coalocationlevel1": {"Name": "Ethiopia"},
    "individuals.progres_coalocationlevel2": {"Name": "Gambella"},
    "individuals.progres_coalocationlevel3": None,
    "individuals.progres_coalocationlevel6": "Zone C, block 12",
    "languages.progres_languagecodeid": {"Name": "Nuer"},
    "progres_primeroid": None,
    "progres_interventionnumber": "GAM-26-PRTITV-0000901",
    "progres_interventionstartdate": "2026-05-04",
    "progres_interventiondescription": "<p>Lives with an aunt &amp; two siblings</p>",
    "progres_reasonforreferral": '[{"CreatedBy": "x", "Text": "Separated in March", "CreatedOn": "2026-05-01"}]',
    "user.title": "Protection Associate",
    "user.mobilephone": "0900 000 000",
    "user.internalemailaddress": "protection@example.org",
    "user.progres_partner": {"Name": "Plan Beispiel"},
}


def intervention(**changes):
    """One intervention of DTP; a change whose value is `...` removes the field. Dots in names are written as `__`."""
    changed = copy.deepcopy(INTERVENTION)
    for name, value in changes.items():
        field = name.replace("__", ".")
        if value is ...:
            changed.pop(field)
        else:
            changed[field] = value
    return changed


def outgoing(*interventions):
    """A PrimeroOutgoingReferral, as DTP posts it."""
    return {"request_type": "PrimeroOutgoingReferral", "interventions": list(interventions), "__query_params": {}}


def decision(referral_id, code, **more):
    """A PrimeroIncomingReferralDecision with one intervention."""
    told = {"progres_orgreferralid": referral_id, "progres_reviewdecision": code, **more}
    return {"request_type": "PrimeroIncomingReferralDecision", "interventions": [told]}


def run_job(name, sandbox, *, ledger=None, jobs=JOBS, **state):
    """One run of a job against the sandbox without sockets; gives the engine's Run."""
    runtime = Runtime(transport=sandbox.transport, seed=1)
    runtime.sleep = lambda seconds: None
    state = {"data": {}, "message": "m1", "outcomes": [], "errors": [], "outbox": [], **state}
    state |= {"configuration": sandbox.configuration, "ledger": ledger or MemoryLedger(), "runtime": runtime}
    return execute.execute(jobscript.load(jobs / f"{name}.py", name), state)


def outcomes(run):
    """The outcomes of a run's items, in order."""
    return [item["outcome"] for item in run.items]


def held(sandbox, path, query=""):
    """What Primero answers to a GET by the integration account."""
    headers = {"authorization": basic(sandbox.configuration["primero"])}
    answer = sandbox.primero.answer(Request("GET", f"/api/v2{path}", query, headers))
    assert 200 == answer.status, answer.body
    return json.loads(answer.body)["data"]


def send(sandbox, method, path, data, user="sandbox_admin"):
    """A write by a person in Primero (another account than ours)."""
    credential = {"user": user, "password": passwords(sandbox.config)[user]}
    headers = {"authorization": basic(credential), "content-type": "application/json"}
    body = b"" if data is None else json.dumps({"data": data}).encode()
    answer = sandbox.primero.answer(Request(method, f"/api/v2{path}", "", headers, body))
    assert answer.status in (200, 204), answer.body
    return json.loads(answer.body)["data"] if answer.body else None


def child(sandbox, number):
    """The cases that bear this UNHCR individual number."""
    return [held(sandbox, f"/cases/{case['id']}") for case in held(sandbox, "/cases", f"unhcr_individual_no={number}")]
