"""1a: referrals from proGres into Primero (jobs/progres_to_primero.py)."""

import pytest
from flows import JOBS, child, intervention, outcomes, outgoing, run_job, send

from adaptors.ledger import MemoryLedger
from adaptors.sandbox import Sandbox
from adaptors.sandbox.faults import Fault

JOB = "progres_to_primero"


def answers(sandbox):
    return [post.body for post in sandbox.dtp.received]


@pytest.mark.parametrize("profile", ["2.10", "2.14", "2.15"])
def test_a_new_child_becomes_a_case_with_one_service(profile):
    """Every field of exchanges.md arrives, and DTP is told case and owner; whatever the version of Primero."""
    sandbox = Sandbox(profile=profile)

    run = run_job(JOB, sandbox, data=outgoing(intervention()))

    (case,) = child(sandbox, "GAM-00000901")
    (service,) = case["services_section"]
    assert ["done"] == outcomes(run)
    assert {
        "unhcr_id_no": "GAM-26-00901",
        "name_first": "Nyaruot",
        "name_middle": "Erfunden",
        "name_last": "Beispiel",
        "date_of_birth": "2014-02-28",
        "sex": "female",
        "address_current": "Ethiopia Gambella Zone C, block 12",
        "language": ["language2"],
        "status": "open",
        "owned_by": "progresv4_primero_intake",
    }.items() <= case.items()
    assert {
        "progres_interventionnumber": "GAM-26-PRTITV-0000901",
        "service_type": "alternative_care",
        "service_referral_notes": "Lives with an aunt & two siblings, Separated in March",
        "service_request_title": "Protection Associate",
        "service_request_agency": "Plan Beispiel",
        "service_request_external": True,
        "service_implementing_agency": "UNICEF",
        "service_response_type": "service_provision",
        "service_referral": "external_referral",
        "unhcr_referral_status": "pending",
    }.items() <= service.items()
    assert service["service_response_day_time"].startswith("2026-05-04T00:00:00")
    assert [
        {
            "status": "Pending Acknowledgement",
            "primero_user": "progresv4_primero_intake",
            "case_id": case["case_id"],
            "progres_interventionnumber": "GAM-26-PRTITV-0000901",
        }
    ] == answers(sandbox)


def test_the_same_message_twice_changes_nothing_and_is_answered_again():
    """H17: a redelivery finds the service by its intervention number; DTP gets the same answer again."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    (before,) = child(sandbox, "GAM-00000901")

    run = run_job(JOB, sandbox, data=outgoing(intervention()), message="m2")

    assert ["unchanged"] == outcomes(run)
    assert [before] == child(sandbox, "GAM-00000901")
    assert 2 == len(answers(sandbox))


def test_a_known_case_gets_the_service_and_nothing_else():
    """H24: owner, names and status of a known case stay; what differs is named."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    (before,) = child(sandbox, "GAM-00000901")
    other = intervention(
        individuals__progres_givenname="Anders",
        individuals__progres_sex="125080001",
        progres_interventionnumber="GAM-26-PRTITV-0000902",
    )

    run = run_job(JOB, sandbox, data=outgoing(other), message="m2")

    (after,) = child(sandbox, "GAM-00000901")
    assert ["done"] == outcomes(run)
    assert {"name_first", "sex"} <= set(run.items[0]["differs"])
    assert "Anders" not in str(run.items)
    assert [2, "Nyaruot", "female"] == [len(after["services_section"]), after["name_first"], after["sex"]]
    assert before["owned_by"] == after["owned_by"]


def test_a_closed_case_is_not_set_to_open_by_us():
    """H25: we send no status; that Primero reopens the case for a new service is reported."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"status": "closed"})

    run = run_job(
        JOB, sandbox, data=outgoing(intervention(progres_interventionnumber="GAM-26-PRTITV-0000902")), message="m2"
    )

    assert ["done"] == outcomes(run)
    assert "reopened the closed case" in run.items[0]["message"]


def test_what_people_changed_in_a_service_stays():
    """H50: a redelivery leaves an accepted service accepted."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    (case,) = child(sandbox, "GAM-00000901")
    service = {"unique_id": case["services_section"][0]["unique_id"], "unhcr_referral_status": "accepted"}
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [service]})

    run_job(JOB, sandbox, data=outgoing(intervention()), message="m2")

    (after,) = child(sandbox, "GAM-00000901")
    assert ["accepted"] == [service["unhcr_referral_status"] for service in after["services_section"]]


def test_several_matching_cases_are_not_guessed_between():
    """R-ID3 H26: two cases bear the number: refused, both ids told to people, DTP told why."""
    sandbox = Sandbox()
    for name in ("first", "second"):
        case = {"module_id": "primeromodule-cp", "name_first": name, "unhcr_individual_no": "GAM-00000901"}
        send(sandbox, "POST", "/cases", case)

    run = run_job(JOB, sandbox, data=outgoing(intervention()))

    assert ["refused"] == outcomes(run)
    assert {case["case_id"] for case in child(sandbox, "GAM-00000901")} == set(run.items[0]["ids"]["cases"].split())
    assert "Delivery Fail" == answers(sandbox)[0]["status"]
    assert "More than one matching case" in answers(sandbox)[0]["closure_reason"]


def test_a_named_case_of_another_child_is_not_touched():
    """H26: `progres_primeroid` names a case whose child bears another number: refused, nothing written."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    (other,) = child(sandbox, "GAM-00000901")
    wrong = intervention(
        individuals__progres_id="GAM-00000777",
        progres_primeroid=other["case_id"],
        progres_interventionnumber="GAM-26-PRTITV-0000777",
    )

    run = run_job(JOB, sandbox, data=outgoing(wrong), message="m2")

    assert ["refused"] == outcomes(run)
    assert [other] == child(sandbox, "GAM-00000901")
    assert [] == child(sandbox, "GAM-00000777")


def test_a_case_id_named_by_the_sender_is_never_written():
    """H27: an unknown `progres_primeroid` finds nothing, and the new case gets an id of Primero's."""
    sandbox = Sandbox()

    run_job(JOB, sandbox, data=outgoing(intervention(progres_primeroid="c0ffee00-0000-4000-8000-000000000001")))

    (case,) = child(sandbox, "GAM-00000901")
    assert "c0ffee00-0000-4000-8000-000000000001" != case["case_id"]


def test_two_interventions_for_one_new_child_make_one_case():
    """H18: the id of a new case is derived from the child's number, so there is only ever one."""
    sandbox = Sandbox()
    second = intervention(progres_interventionnumber="GAM-26-PRTITV-0000902")

    run = run_job(JOB, sandbox, data=outgoing(intervention(), second))

    (case,) = child(sandbox, "GAM-00000901")
    assert ["done", "done"] == outcomes(run)
    assert 2 == len(case["services_section"])


def test_every_intervention_has_an_answer_of_its_own():
    """H33: three interventions, three answers, each with its own number."""
    sandbox = Sandbox()
    message = outgoing(
        intervention(),
        intervention(
            individuals__progres_id="GAM-00000902",
            progres_interventionnumber="GAM-26-PRTITV-0000902",
            interventiontype__progres_description="Cash",
        ),
        intervention(individuals__progres_id="GAM-00000903", progres_interventionnumber="GAM-26-PRTITV-0000903"),
    )

    run = run_job(JOB, sandbox, data=message)

    assert ["done", "refused", "done"] == outcomes(run)
    assert [
        ("GAM-26-PRTITV-0000901", "Pending Acknowledgement"),
        ("GAM-26-PRTITV-0000902", "Delivery Fail"),
        ("GAM-26-PRTITV-0000903", "Pending Acknowledgement"),
    ] == [(answer["progres_interventionnumber"], answer["status"]) for answer in answers(sandbox)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"individuals__progres_sex": ...}, "Missing required fields: individuals.progres_sex"),
        ({"individuals__progres_givenname": "  "}, "Missing required fields: individuals.progres_givenname"),
        (
            {"individuals__progres_registrationgroupid": {"Name": None}},
            "Missing required fields: individuals.progres_registrationgroupid",
        ),
        ({"individuals__progres_dateofbirth": "28/02/2014"}, "Invalid data: individuals.progres_dateofbirth"),
        ({"individuals__progres_dateofbirth": "2014-02-30"}, "Invalid data: individuals.progres_dateofbirth"),
        ({"individuals__progres_dateofbirth": "2999-01-01"}, "Invalid data: individuals.progres_dateofbirth"),
        ({"individuals__progres_sex": "125080009"}, "Invalid data: individuals.progres_sex"),
        ({"individuals__progres_familyname": {"a": 1}}, "Invalid data: individuals.progres_familyname"),
        ({"interventiontype__progres_description": "Cash"}, "Service type not among the agreed ones"),
    ],
)
def test_what_is_wrong_is_refused_and_the_sender_told_why(changes, reason):
    """H30: nothing is guessed: no case is made, and DTP gets the sort of reason with the names of the fields."""
    sandbox = Sandbox()

    run = run_job(JOB, sandbox, data=outgoing(intervention(**changes)))

    assert ["refused"] == outcomes(run)
    assert [] == child(sandbox, "GAM-00000901")
    (answer,) = answers(sandbox)
    assert ["Delivery Fail", "Feedback"] == [answer["status"], answer["request_type"]]
    assert answer["closure_reason"].startswith(reason)


def test_codes_are_compared_as_text():
    """H8: an option set that arrives as a number is the same code."""
    sandbox = Sandbox()

    run_job(JOB, sandbox, data=outgoing(intervention(individuals__progres_sex=125080001)))

    assert ["male"] == [case["sex"] for case in child(sandbox, "GAM-00000901")]


@pytest.mark.parametrize(
    ("name", "options"),
    [("Nuer", ["language2"]), ("Dinka, Bor", ["language3"]), ("Klingon", ["language6"]), (None, None)],
)
def test_languages_follow_the_table(name, options):
    """H30: a language that isn't in the table becomes what the file writes down; an absent one stays absent."""
    sandbox = Sandbox()

    run_job(JOB, sandbox, data=outgoing(intervention(languages__progres_languagecodeid={"Name": name})))

    (case,) = child(sandbox, "GAM-00000901")
    assert options == case.get("language")


@pytest.mark.parametrize(
    ("reason", "notes"),
    [
        (None, "Lives"),
        ("", "Lives"),
        ("plain reason", "Lives, plain reason"),
        ("[not json", "Lives, [not json"),
        ('[{"Text": "one"}, {"Text": ""}, {"Text": "<b>two</b>"}]', "Lives, one, two"),
    ],
)
def test_notes_are_made_of_description_and_reason(reason, notes):
    """The reason may be plain text or a JSON text; HTML becomes plain text, empty parts are left out."""
    sandbox = Sandbox()
    told = intervention(progres_interventiondescription="<p>Lives</p>", progres_reasonforreferral=reason)

    run_job(JOB, sandbox, data=outgoing(told))

    (case,) = child(sandbox, "GAM-00000901")
    assert notes == case["services_section"][0]["service_referral_notes"]


def test_notes_that_look_like_a_date_are_not_refused():
    """Primero refuses a text that as a whole looks like a date: it gets a prefix."""
    sandbox = Sandbox()
    told = intervention(progres_interventiondescription="2026-05-04", progres_reasonforreferral=None)

    run = run_job(JOB, sandbox, data=outgoing(told))

    (case,) = child(sandbox, "GAM-00000901")
    assert ["done"] == outcomes(run)
    assert "Note: 2026-05-04" == case["services_section"][0]["service_referral_notes"]


def test_a_lost_reply_does_not_create_a_second_case():
    """H19: Primero acted and its reply was lost: the next try finds the case and the service."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    sandbox.faults.add(Fault("fail_after", method="POST", path="/api/v2/cases"))
    first = run_job(JOB, sandbox, ledger=ledger, data=outgoing(intervention()))

    second = run_job(JOB, sandbox, ledger=ledger, data=outgoing(intervention()))

    assert [["failed"], ["unchanged"]] == [outcomes(first), outcomes(second)]
    assert 1 == len(child(sandbox, "GAM-00000901"))
    assert ["Pending Acknowledgement"] == [answer["status"] for answer in answers(sandbox)]


def test_an_answer_that_can_not_be_delivered_waits():
    """H34: DTP is down, the service stands: the item is done, and the answer waits as ids and codes."""
    sandbox, outbox = Sandbox(), []
    sandbox.dtp.faults.add(Fault("fail_before", method="POST", path="/ReceiveDecision"))

    run = run_job(JOB, sandbox, data=outgoing(intervention()), outbox=outbox)

    assert ["done"] == outcomes(run)
    assert ["Pending Acknowledgement"] == [entry["send"]["status"] for entry in outbox]

    delivered = run_job("progres_answers", sandbox, outbox=outbox)

    assert ["done"] == outcomes(delivered)
    assert [[], 1] == [outbox, len(answers(sandbox))]


def test_an_answer_that_dtp_refuses_does_not_turn_into_a_refusal():
    """H49: once the service stands in Primero, no "Delivery Fail" is sent, whatever DTP says to the answer."""
    sandbox = Sandbox()
    sandbox.dtp.refuse("error_inside")

    run = run_job(JOB, sandbox, data=outgoing(intervention()))

    assert ["parked"] == outcomes(run)
    assert "Delivery Fail" not in str(answers(sandbox))


def test_a_dropped_filter_stops_the_run():
    """H13: our role lost the form with the number, so Primero answers with every case: nothing is written."""
    sandbox = Sandbox(cases=30)
    sandbox.faults.add(Fault("lose_permission", count=None, role="role-progres-integration", loses="basic_identity"))

    run = run_job(JOB, sandbox, data=outgoing(intervention()))

    assert 1 == run.exit_code
    assert "ignored the filter unhcr_individual_no" in str(run.error)
    assert [] == answers(sandbox)


def test_a_message_without_interventions_is_an_error():
    """H7: what holds nothing to do is said to be so, and does not vanish."""
    sandbox = Sandbox()

    run = run_job(JOB, sandbox, data={"request_type": "PrimeroOutgoingReferral", "interventions": []})

    assert 1 == run.exit_code
    assert "missing: interventions" in str(run.error)


@pytest.fixture
def three_agencies(tmp_path):
    """The job with a table of three agencies, as another country would edit it."""
    text = (JOBS / f"{JOB}.py").read_text("utf-8")
    table = {"Plan Beispiel": "caseworker_mockomot", "Agentur Zwei": "caseworker_sampleya", "Agence Trois": "unhcr_cw"}
    edited = text.replace("INTAKE_USERS = {}", f"INTAKE_USERS = {table!r}")
    assert edited != text
    (tmp_path / f"{JOB}.py").write_text(edited, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("partner", "owner"),
    [
        ({"Name": "Plan Beispiel"}, "caseworker_mockomot"),
        ({"Name": "AGENTUR ZWEI"}, "caseworker_sampleya"),
        ({"Name": "Agence Trois"}, "unhcr_cw"),
        ({"Name": "Another Agency"}, "progresv4_primero_intake"),
        (None, "progresv4_primero_intake"),
    ],
)
def test_each_agency_has_its_intake_user(three_agencies, partner, owner):
    """A new case goes to its agency's intake user, any other to the default written down; DTP is told whom."""
    sandbox = Sandbox()
    run = run_job(JOB, sandbox, jobs=three_agencies, data=outgoing(intervention(user__progres_partner=partner)))
    (case,) = child(sandbox, "GAM-00000901")
    assert (["done"], owner) == (outcomes(run), case["owned_by"])
    assert [owner] == [answer["primero_user"] for answer in answers(sandbox)]


def test_a_known_case_stays_with_its_owner(three_agencies):
    """A second referral by another agency changes nobody's case."""
    sandbox = Sandbox()
    run_job(JOB, sandbox, data=outgoing(intervention()))
    second = intervention(progres_interventionnumber="GAM-26-PRTITV-0000902")
    run = run_job(JOB, sandbox, jobs=three_agencies, message="m2", data=outgoing(second))
    (case,) = child(sandbox, "GAM-00000901")
    assert (["done"], "progresv4_primero_intake") == (outcomes(run), case["owned_by"])


@pytest.mark.parametrize("stands", [False, True], ids=["before its effect", "after its effect"])
def test_begun_when_the_run_was_killed(stands):
    """H16 H19 A service that a killed run had begun is looked for: made where it isn't there, and known to be made."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    if stands:
        run_job(JOB, sandbox, data=outgoing(intervention()))
    ledger.write("service", "GAM-26-PRTITV-0000901", {"status": "intended", "value": "", "answer": {}})

    run_job(JOB, sandbox, ledger=ledger, data=outgoing(intervention()))

    (case,) = child(sandbox, "GAM-00000901")
    assert 1 == len(case["services_section"])
    assert "done" == ledger.read("service", "GAM-26-PRTITV-0000901")["status"]


@pytest.mark.parametrize("known", [False, True], ids=["new case", "known case"])
def test_begun_before_it_is_written(known):
    """H19 The ledger says of a service that it was begun before Primero is asked to write it."""
    sandbox, seen = Sandbox(), []
    if known:
        run_job(JOB, sandbox, data=outgoing(intervention(progres_interventionnumber="GAM-26-PRTITV-0000900")))
    ledger, answer = MemoryLedger(), sandbox.transport.handle_request

    def look(request):
        if request.method != "GET" and "/cases" in request.url.path:
            seen.append(ledger.read("service", "GAM-26-PRTITV-0000901"))
        return answer(request)

    sandbox.transport.handle_request = look
    run_job(JOB, sandbox, ledger=ledger, data=outgoing(intervention()))
    assert [{"status": "intended", "value": "", "answer": {}}] == seen
