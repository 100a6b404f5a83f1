"""Canaries in every field of both sides: each leaves by the agreed request only, and there in the agreed field only."""

import json
import uuid

import httpx
import pytest
from flows import child, decision, held, intervention, outcomes, outgoing, run_job, send
from wire import DTP, PRIMERO, Wire, leaves_of

from adaptors.ledger import MemoryLedger
from adaptors.sandbox import Sandbox
from adaptors.sandbox.faults import Fault
from adaptors.sandbox.inprocess import passwords
from runner import report

LONG_AGO = "2000-01-01T00:00:00Z"
FEEDBACK = {"status", "primero_user", "case_id", "progres_interventionnumber", "closure_reason", "request_type"}


def canary(name):
    """A text that is nobody's, and says where it was planted."""
    return f"Quillwort-{name.replace('.', '-').replace('_', '-')}-{uuid.uuid4().hex[:8]}"


# What Primero knows of a child, a service, a referral, a user beside what was agreed.
BABBLE = {
    name: value(canary(name))
    for name, value in {
        "protection_concerns": lambda text: [text],
        "photos": lambda text: [{"attachment_url": text, "file_name": text}],
        "photo": str,
        "recorded_audio": lambda text: [{"attachment_url": text}],
        "notes_section": lambda text: [{"note_text": text, "note_subject": text}],
        "family_details_section": lambda text: [{"relation_name": text, "relation_telephone": text}],
        "record_histories": lambda text: [{"record_changes": [{"name_first": {"from": text}}]}],
        "reopened_logs": lambda text: [{"reopened_user": text}],
        "incident_details": lambda text: {"perpetrator": {"name": text}},
        "name": str,
        "case_plan": str,
        "disclosure_deny_details": str,
        "notes": str,
        "rejection_note": str,
        "service_location": str,
        "service_provider": str,
        "note_on_referral_from_provider": str,
        "code": str,
        "location": str,
        "agency_office": str,
        "identity_provider_unique_id": str,
    }.items()
}


def canaries(document):
    """Every canary in a document."""
    return [value for _, value in leaves_of(document) if str(value).startswith("Quillwort")]


def babbling_sandbox(**options):
    """A sandbox whose Primero ignores `fields=` and tells all it knows of everything; and its wire."""
    sandbox = Sandbox(**options)
    sandbox.transport = Wire(sandbox.transport, BABBLE)
    return sandbox, sandbox.transport


def told(run):
    """All that a run says to people and programs."""
    return "\n".join([*report.run_lines(run), json.dumps(report.run_document(run), default=str), str(run.error)])


def assert_nothing_else(wire, run, *planted):
    """None of these texts left by any request, and none is in what the run says."""
    for text in [*planted, *canaries(BABBLE)]:
        assert set() == wire.places(text), text
        assert text not in told(run)


# 1a: where each field of the message is to be found; all others are to be found nowhere.
INCOMING = {
    "individuals.progres_registrationgroupid": {"unhcr_id_no"},
    "individuals.progres_givenname": {"name_first"},
    "individuals.progres_middlename": {"name_middle"},
    "individuals.progres_familyname": {"name_last"},
    "individuals.progres_commonyusedname": {"name_nickname"},
    "individuals.progres_primaryphonenumber": {"telephone_current"},
    "individuals.progres_coalocationlevel1": {"address_current"},
    "individuals.progres_coalocationlevel3": {"address_current"},
    "individuals.progres_coalocationlevel6": {"address_current"},
    "progres_interventiondescription": {"services_section.service_referral_notes"},
    "progres_reasonforreferral": {"services_section.service_referral_notes"},
    "user.title": {"services_section.service_request_title"},
    "user.mobilephone": {"services_section.service_request_phone"},
    "user.internalemailaddress": {"services_section.service_request_email"},
    "user.progres_partner": {"services_section.service_request_agency"},
}
LOOK_UPS = [name for name in INCOMING if name.endswith(("groupid", "level1", "level3", "partner"))]


def message_of(planted, strangers):
    """A message whose every agreed field is a canary, and which holds fields that nobody agreed to, at every depth."""
    stranger = iter(strangers)
    fields = dict(planted)
    for name in LOOK_UPS:
        fields[name] = {"Name": planted[name], "Id": next(stranger), "KeyAttributes": [next(stranger)]}
    reason = {"Text": planted["progres_reasonforreferral"], "CreatedBy": next(stranger)}
    fields["progres_reasonforreferral"] = json.dumps([reason])
    one = intervention(**{name.replace(".", "__"): value for name, value in fields.items()})
    one |= {"individuals.progres_religion": next(stranger), "individuals": {"progres_ethnicity": next(stranger)}}
    one |= {"languages.progres_languagecodeid": {"Name": "Nuer", "RowVersion": next(stranger)}}
    message = outgoing(one)
    return {**message, "__query_params": {"name": next(stranger)}, "sender": {"note": next(stranger)}}


def planted_message():
    planted = {name: canary(name) for name in INCOMING}
    strangers = [canary(f"stranger{number}") for number in range(14)]
    return planted, strangers, message_of(planted, strangers)


def test_a_referral_in():
    """R-LP3, H40 1a, delivered: each field arrives in Primero in its own field; DTP gets ids and codes only."""
    sandbox, wire = babbling_sandbox()
    planted, strangers, message = planted_message()

    run = run_job("progres_to_primero", sandbox, data=message)

    assert ["done"] == outcomes(run), told(run)
    assert {name: {(PRIMERO, field) for field in INCOMING[name]} for name in INCOMING} == {
        name: wire.places(text) for name, text in planted.items()
    }
    assert_nothing_else(wire, run, *strangers)
    assert not [text for text in planted.values() if text in told(run)]
    (answer,) = wire.posted(DTP)
    assert set(answer.body) <= FEEDBACK


def test_a_referral_in_for_a_known_child():
    """R-LP3 1a, a known child: only the service is written, and nothing of the case leaves for DTP."""
    sandbox, wire = babbling_sandbox()
    run_job("progres_to_primero", sandbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    notes = canary("caseworker")
    other = {"unique_id": str(uuid.uuid4()), "service_type": "food", "service_referral_notes": notes}
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [other], "name_nickname": notes})
    wire.sent.clear()
    planted, strangers, message = planted_message()
    message["interventions"][0]["progres_interventionnumber"] = "GAM-26-PRTITV-0000902"

    run = run_job("progres_to_primero", sandbox, data=message, message="m2")

    assert ["done"] == outcomes(run), told(run)
    for name, text in planted.items():
        assert {(PRIMERO, field) for field in INCOMING[name] if "services_section" in field} == wire.places(text), name
    assert_nothing_else(wire, run, notes, *strangers)


def drop_the_givenname(message):
    message["interventions"][0]["individuals.progres_givenname"] = ""


def ask_for_another_service(message):
    message["interventions"][0]["interventiontype.progres_description"] = canary("service")[:8]


def send_no_date(message):
    message["interventions"][0]["individuals.progres_dateofbirth"] = canary("birth")


def send_an_object(message):
    message["interventions"][0]["individuals.progres_id"] = {canary("key"): canary("value")}


@pytest.mark.parametrize("spoil", [drop_the_givenname, ask_for_another_service, send_no_date, send_an_object])
def test_a_refused_referral(spoil):
    """R-LP3 1a, refused: DTP is told the reason and names of fields; nothing of the child goes anywhere."""
    sandbox, wire = babbling_sandbox()
    planted, strangers, message = planted_message()
    spoil(message)

    run = run_job("progres_to_primero", sandbox, data=message)

    assert ["refused"] == outcomes(run), told(run)
    assert "Delivery Fail" == wire.posted(DTP)[0].body["status"]
    assert not wire.places("Quillwort")
    assert_nothing_else(wire, run, *planted.values(), *strangers)


@pytest.mark.parametrize("kind", ["bad_gateway", "fail_after", "reset", "time_out", "too_many"])
def test_a_referral_that_fails(kind):
    """R-LP3 1a, Primero fails: DTP gets nothing of it, and no request but the agreed one holds anything."""
    sandbox, wire = babbling_sandbox()
    planted, strangers, message = planted_message()
    sandbox.faults.add(Fault(kind, method="POST", path="/api/v2/cases"))

    run = run_job("progres_to_primero", sandbox, data=message)

    assert ["failed"] == outcomes(run), told(run)
    for name, text in planted.items():
        assert {(PRIMERO, field) for field in INCOMING[name]} == wire.places(text), name
    assert_nothing_else(wire, run, *strangers)
    assert not [text for text in planted.values() if text in told(run)]


@pytest.mark.parametrize("delivered", [True, False])
def test_a_referral_given_up(delivered):
    """R-LP3 1a, the last word: Primero is asked by the child's number, and DTP told ids and a reason."""
    sandbox, wire = babbling_sandbox()
    planted, strangers, message = planted_message()
    if delivered:
        run_job("progres_to_primero", sandbox, data=message)
        wire.sent.clear()
    error = {"code": "unreachable", "ids": {}, "note": canary("error")}

    run = run_job("progres_referral_given_up", sandbox, data=message, error=error, message="m2")

    assert ["done"] == outcomes(run), told(run)
    (answer,) = wire.posted(DTP)
    assert ("Pending Acknowledgement" if delivered else "Delivery Fail") == answer.body["status"]
    assert set(answer.body) <= FEEDBACK
    assert not wire.places("Quillwort")
    assert_nothing_else(wire, run, error["note"], *planted.values(), *strangers)


# 2a: Primero's fields with texts in them, and where each is to be found at DTP.
OUTGOING = {
    "unhcr_individual_no": "unhcr_individual_no",
    "unhcr_id_no": "unhcr_id_no",
    "name_first": "name_first",
    "name_middle": "name_middle",
    "name_last": "name_last",
    "name_nickname": "name_nickname",
    "address_current": "address_current",
    "telephone_current": "telephone_current",
}
COLUMNS = {"service_referral_notes": "service_referral_notes", "service_type_other": "service_type_other"}
OTHER_FIELDS = ("disclosure_deny_details", "location_current")
OTHER_COLUMNS = ("service_provider", "service_location", "note_on_referral_from_provider", "service_request_title")


def case_of(**more):
    """A case of somebody; every text in it is a canary."""
    return {
        "id": str(uuid.uuid4()),
        "case_id": str(uuid.uuid4()),
        "module_id": "primeromodule-cp",
        "owned_by": "caseworker_mockomot",
        "date_of_birth": "2013-05-06",
        "age": 13,
        "sex": "male",
        "language": ["language2"],
        "consent_for_services": True,
        "disclosure_other_orgs": True,
        **{name: canary(name) for name in (*OUTGOING, *OTHER_FIELDS)},
        "notes_section": [{"note_text": canary("note"), "note_subject": canary("subject")}],
        **more,
    }


def service_of(**more):
    return {
        "unique_id": str(uuid.uuid4()),
        "service_type": "alternative_care",
        "service_implementing_agency": "UNHCR",
        **{name: canary(name) for name in (*COLUMNS, *OTHER_COLUMNS)},
        **more,
    }


def refer(sandbox, case, service, **more):
    """Make the case with this service and another one, and refer the first to UNHCR."""
    other = service_of(service_type="food")
    send(sandbox, "POST", "/cases", {**case, "services_section": [service, other]})
    told = {"transitioned_to": "unhcr_cw", "service_record_id": service["unique_id"], "notes": canary("why"), **more}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", told)
    return canaries([other, told["notes"], *(case[name] for name in (*OTHER_FIELDS, "notes_section"))])


def test_a_referral_out():
    """R-LP3, R-LP4, H40 2a, sent: DTP gets the agreed fields of this child and service, and nothing of any other."""
    sandbox, wire = babbling_sandbox(cases=12)
    case, service, bystander = case_of(), service_of(), case_of()
    others = refer(sandbox, case, service)
    send(sandbox, "POST", "/cases", {**bystander, "services_section": [service_of()]})

    run = run_job("primero_to_progres", sandbox, cursor=LONG_AGO)

    assert "done" in outcomes(run), told(run)
    for field, target in OUTGOING.items():
        assert {(DTP, target)} == wire.places(case[field]), field
        assert set() == wire.places(bystander[field])
    for column, target in COLUMNS.items():
        assert {(DTP, target)} == wire.places(service[column]), column
    assert_nothing_else(wire, run, *others, *(service[name] for name in OTHER_COLUMNS), *canaries(bystander))
    assert "Quillwort" not in told(run)


def test_users_are_known_by_their_contact_only():
    """R-LP3, H40 2a: of the owner, DTP gets position, e-mail, phone and name; of other users, nothing."""
    sandbox, wire = babbling_sandbox()
    refer(sandbox, case_of(), service_of())

    run = run_job("primero_to_progres", sandbox, cursor=LONG_AGO)

    (owner,) = held(sandbox, "/users", "user_name=caseworker_mockomot")
    for field in ("position", "email", "phone", "full_name"):
        assert {(DTP, field)} == wire.places(owner[field]), field
    for user in held(sandbox, "/users", "per=1000"):
        if user["user_name"] not in ("caseworker_mockomot", "unhcr_cw"):
            assert set() == {place for place in wire.places(user["email"]) if place[0] == DTP}
    assert_nothing_else(wire, run)
    assert owner["full_name"] not in told(run)


HELD_BACK = {
    "no consent": ({"consent_for_services": False}, {}, {}, ["no_consent"]),
    "another agency's": ({}, {"service_implementing_agency": "UNICEF"}, {}, ["other_agency"]),
    "not agreed": ({}, {"service_type": "shelter"}, {}, ["not_agreed"]),
    "to another partner": ({}, {}, {"transitioned_to": "caseworker_sampleya"}, []),
    "of the whole case": ({}, {}, {"service_record_id": ""}, ["no_service"]),
}


@pytest.mark.parametrize(("change", "service", "referral", "codes"), HELD_BACK.values(), ids=HELD_BACK.keys())
def test_what_is_held_back(change, service, referral, codes):
    """H38, H39 2a, withheld or parked: nothing of the child leaves."""
    sandbox, wire = babbling_sandbox()
    case = case_of()
    refer(sandbox, case, service_of(**service), **referral)
    send(sandbox, "PATCH", f"/cases/{case['id']}", change)

    run = run_job("primero_to_progres", sandbox, cursor=LONG_AGO)

    assert codes == [item["code"] for item in run.items if item["code"]]
    assert [] == wire.posted(DTP)
    assert not {place for place in wire.places("Quillwort") if place[0] == DTP}
    assert "Quillwort" not in told(run)


@pytest.mark.parametrize("failure", ["error_inside", "echo", "reset", "bad_gateway", "time_out"])
def test_a_referral_that_dtp_does_not_take(failure):
    """R-LP3 2a, DTP fails: what left is the agreed body, and the run says nothing of it."""
    sandbox, wire = babbling_sandbox()
    case, service = case_of(), service_of()
    others = refer(sandbox, case, service)
    if failure in ("error_inside", "echo"):
        sandbox.dtp.refuse(failure)
    else:
        sandbox.dtp.faults.add(Fault(failure, method="POST"))

    run = run_job("primero_to_progres", sandbox, cursor=LONG_AGO)

    assert outcomes(run)[0] in ("failed", "parked")
    assert {(DTP, "name_first")} == wire.places(case["name_first"])
    assert_nothing_else(wire, run, *others)
    assert "Quillwort" not in told(run)


def test_a_decision_out():
    """R-LP3, H40 1b: DTP gets ids, the status and the reason of the rejection, and nothing of the case."""
    sandbox, wire = babbling_sandbox()
    run_job("progres_to_primero", sandbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    decided = {
        **service_of(unique_id=case["services_section"][0]["unique_id"]),
        "unhcr_referral_status": "rejected",
        "unhcr_referral_rejection_reason": canary("reason"),
    }
    named = case_of(id=case["id"], case_id=case["case_id"])
    unwritable = ("id", "case_id", "module_id", "owned_by")
    changes = {name: value for name, value in named.items() if name not in unwritable}
    send(sandbox, "PATCH", f"/cases/{case['id']}", {**changes, "services_section": [decided, service_of()]})
    wire.sent.clear()

    run = run_job("primero_decisions_to_progres", sandbox, cursor=LONG_AGO, message="m2")

    assert ["done"] == outcomes(run), told(run)
    assert {(DTP, "closure_reason")} == wire.places(decided["unhcr_referral_rejection_reason"])
    assert {(DTP, "closure_reason")} == wire.places("Quillwort")
    assert set(wire.posted(DTP)[0].body) == FEEDBACK
    assert_nothing_else(wire, run)
    assert "Quillwort" not in told(run)


@pytest.mark.parametrize("code", ["125080000", "125080001"])
def test_a_decision_in(code):
    """R-LP3 2b: Primero gets status and reason of the referral that is meant; nothing of the case goes to DTP."""
    sandbox, wire = babbling_sandbox()
    case, service = case_of(), service_of()
    others = refer(sandbox, case, service)
    comment, strangers = canary("comment"), [canary("stranger"), canary("deep")]
    message = decision(
        f"{case['case_id']}#{service['unique_id'][-12:]}",
        code,
        progres_interoperabiltyreferralrejectionreason="125080000",
        progres_interoperabilityreferralrejectionomment=comment,
        progres_reviewer=strangers[0],
        individuals={"progres_givenname": strangers[1]},
    )
    wire.sent.clear()

    run = run_job("progres_decisions_to_primero", sandbox, data=message)

    assert ["done"] == outcomes(run), told(run)
    assert ({(PRIMERO, "rejected_reason")} if code.endswith("1") else set()) == wire.places(comment)
    assert [] == wire.posted(DTP)
    assert_nothing_else(wire, run, *others, *strangers, *canaries(case))
    assert comment not in told(run)


def test_an_answer_that_waited():
    """R-LP3 1a, delivered later: what waits and what is sent at last are ids and codes."""
    sandbox, wire = babbling_sandbox()
    ledger, outbox = MemoryLedger(), []
    planted, strangers, message = planted_message()
    sandbox.dtp.faults.add(Fault("bad_gateway", method="POST"))
    run_job("progres_to_primero", sandbox, data=message, ledger=ledger, outbox=outbox)
    wire.sent.clear()
    assert "Quillwort" not in json.dumps(outbox)

    run = run_job("progres_answers", sandbox, ledger=ledger, outbox=outbox)

    assert ["done"] == outcomes(run), told(run)
    assert set(wire.posted(DTP)[0].body) <= FEEDBACK
    assert_nothing_else(wire, run, *planted.values(), *strangers)


def test_the_search_finds_what_is_there():
    """A text that left is found in address, header and body, in whatever letter case, under the field's name."""
    sandbox, wire = babbling_sandbox()
    run_job("progres_to_primero", sandbox, data=outgoing(intervention()))

    assert {(PRIMERO, "name_first")} == wire.places("NYARUOT")
    assert {(PRIMERO, "?unhcr_individual_no"), (PRIMERO, "unhcr_individual_no")} == wire.places("GAM-00000901")
    assert (PRIMERO, ":authorization") in wire.places("Basic ")
    assert (PRIMERO, "/") in wire.places("/api/v2/cases")
    assert (DTP, "progres_interventionnumber") in wire.places("GAM-26-PRTITV-0000901")


def test_primero_really_tells_too_much():
    """The Primero of these tests answers with whole records, and more, whatever it is asked for."""
    sandbox, wire = babbling_sandbox()
    case = case_of()
    refer(sandbox, case, service_of())
    with httpx.Client(transport=wire, auth=("sandbox_admin", passwords(sandbox.config)["sandbox_admin"])) as client:
        answer = client.get(f"https://{PRIMERO}/api/v2/cases/{case['id']}?fields=case_id").text

    assert [] == [text for text in [*canaries(case), *canaries(BABBLE)] if text not in answer]
