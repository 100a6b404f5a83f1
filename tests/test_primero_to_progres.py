"""2a: referrals from Primero to proGres (jobs/primero_to_progres.py)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flows import held, outcomes, run_job, send

from adaptors.ledger import MemoryLedger
from adaptors.sandbox import Sandbox
from adaptors.sandbox.faults import Fault
from adaptors.sandbox.transport import SandboxTransport

JOB = "primero_to_progres"
LONG_AGO = "2000-01-01T00:00:00Z"


def refer(sandbox, *, service=None, case=None, referral=None):
    """A case with one service for UNHCR, and a referral of it by its owner; gives case and service as sent."""
    services = [
        {
            "unique_id": str(uuid.uuid4()),
            "service_type": "alternative_care",
            "service_implementing_agency": "UNHCR",
            "service_response_type": "service_provision",
            **(service or {}),
        }
    ]
    made = {
        "id": str(uuid.uuid4()),
        "case_id": str(uuid.uuid4()),
        "module_id": "primeromodule-cp",
        "owned_by": "caseworker_mockomot",
        "name_first": "Deng",
        "name_last": "Erfunden",
        "date_of_birth": "2013-05-06",
        "age": 13,
        "sex": "male",
        "unhcr_individual_no": f"GAM-{uuid.uuid4().hex[:8]}",
        "language": ["language2", "language3"],
        "consent_for_services": True,
        "disclosure_other_orgs": True,
        "services_section": services,
        **(case or {}),
    }
    send(sandbox, "POST", "/cases", made)
    told = {"transitioned_to": "unhcr_cw", "service_record_id": services[0]["unique_id"], **(referral or {})}
    send(sandbox, "POST", f"/cases/{made['id']}/referrals", told)
    return made, services[0]


def sent(sandbox):
    return [post.body for post in sandbox.dtp.received]


@pytest.mark.parametrize("profile", ["2.10", "2.14", "2.15"])
def test_a_referral_arrives_with_every_field(profile):
    """Every field of exchanges.md is sent, what is absent as null; whatever the version of Primero."""
    sandbox = Sandbox(profile=profile)
    case, service = refer(sandbox, case={"telephone_current": "0911 222"})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    (post,) = sent(sandbox)
    (owner,) = held(sandbox, "/users", "user_name=caseworker_mockomot")
    assert ["done"] == outcomes(run)
    assert {
        "id": f"{case['case_id']}#{service['unique_id'][-12:]}",
        "request_type": "ReceiveIncomingReferral",
        "primero_user": "caseworker_mockomot",
        "position": owner["position"],
        "email": owner["email"],
        "phone": owner["phone"],
        "full_name": owner["full_name"],
        "service_type": "Alternative Care",
        "service_type_other": None,
        "service_response_day_time": None,
        "service_referral_notes": "Primero referral",
        "service_implementing_agency": "UNICEF",
        "owned_by_agency_id": "UNICEF",
        "unhcr_individual_no": case["unhcr_individual_no"],
        "unhcr_id_no": None,
        "name_first": "Deng",
        "name_middle": None,
        "name_last": "Erfunden",
        "name_nickname": None,
        "address_current": None,
        "date_of_birth": "2013-05-06",
        "sex": "male",
        "telephone_current": "0911 222",
        "language": "Nuer, Dinka",
        "consent_for_services": True,
        "disclosure_other_orgs": True,
    } == post


def test_a_second_run_sends_nothing():
    """H22: the overlap is read again, and the ledger knows what was sent."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    refer(sandbox)
    first = run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)

    second = run_job(JOB, sandbox, ledger=ledger, cursor=first.cursor)

    assert [["done"], ["unchanged"]] == [outcomes(first), outcomes(second)]
    assert 1 == len(sent(sandbox))


def test_a_released_case_that_was_changed_too_is_read_once():
    """Two workers are never at the same case at once: one would send what the other just sends."""
    sandbox = Sandbox()
    case, _ = refer(sandbox)
    run = run_job(JOB, sandbox, cursor=LONG_AGO, revisit=[case["id"]])
    assert (["done"], 1) == (outcomes(run), len(sent(sandbox)))


def test_a_second_referral_of_the_same_service_goes_under_the_same_id():
    """What decides is Primero's referral id; towards UNHCR it is the same referral."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    case, service = refer(sandbox)
    run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)
    (first,) = held(sandbox, f"/cases/{case['id']}/referrals")
    send(sandbox, "PATCH", f"/cases/{case['id']}/referrals/{first['id']}", {"status": "rejected"}, user="unhcr_cw")
    again = {"transitioned_to": "unhcr_cw", "service_record_id": service["unique_id"]}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", again)

    run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)

    one, other = sent(sandbox)
    assert one["id"] == other["id"]


@pytest.mark.parametrize("missing", ["consent_for_services", "disclosure_other_orgs"])
def test_without_consent_nothing_is_sent(missing):
    """H39: no consent and none overridden on the referral: withheld, listed by id."""
    sandbox = Sandbox()
    case, _ = refer(sandbox)
    send(sandbox, "PATCH", f"/cases/{case['id']}", {missing: False})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["withheld"] == outcomes(run)
    assert ["no_consent", case["case_id"]] == [run.items[0]["code"], run.items[0]["ids"]["case_id"]]
    assert [] == sent(sandbox)


def test_consent_overridden_on_the_referral_counts():
    """H39: an override that was recorded on the referral lets it go."""
    sandbox = Sandbox()
    refer(sandbox, case={"consent_for_services": False}, referral={"consent_overridden": True})

    assert ["done"] == outcomes(run_job(JOB, sandbox, cursor=LONG_AGO))


def test_a_service_type_that_is_not_agreed_is_withheld():
    """H30: a known type outside the agreement is withheld."""
    sandbox = Sandbox()
    refer(sandbox, service={"service_type": "shelter"})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert [("withheld", "not_agreed")] == [(item["outcome"], item["code"]) for item in run.items]
    assert [] == sent(sandbox)


def test_an_unknown_service_type_is_parked():
    """H30: a type that isn't in the table is parked, and named."""
    sandbox = Sandbox()
    refer(sandbox, service={"service_type": "space_travel"})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["parked"] == outcomes(run)
    assert 'SERVICE_TYPES in primero_to_progres.py has no key "space_travel"' in run.items[0]["message"]


def test_letter_case_of_the_agency_does_not_decide():
    """H12: `unhcr` is UNHCR."""
    sandbox = Sandbox()
    refer(sandbox, service={"service_implementing_agency": "unhcr"})

    assert ["done"] == outcomes(run_job(JOB, sandbox, cursor=LONG_AGO))


def test_a_referral_of_the_whole_case_is_parked():
    """H7: without a service it matches nothing, and must not vanish."""
    sandbox = Sandbox()
    refer(sandbox, referral={"service_record_id": ""})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert [("parked", "no_service")] == [(item["outcome"], item["code"]) for item in run.items]


def test_revoked_and_foreign_referrals_are_not_sent():
    """H38: status and recipient are checked at the moment of sending."""
    sandbox = Sandbox()
    case, service = refer(sandbox)
    (referral,) = held(sandbox, f"/cases/{case['id']}/referrals")
    send(sandbox, "DELETE", f"/cases/{case['id']}/referrals/{referral['id']}", None)
    to_other = {"transitioned_to": "caseworker_mockomot", "service_record_id": service["unique_id"]}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", to_other)

    run_job(JOB, sandbox, cursor=LONG_AGO)

    assert [] == sent(sandbox)


def test_a_referral_to_another_partner_in_the_same_case_is_not_sent():
    """H38: of one case, UNHCR gets the referral that was made to UNHCR, and not its neighbour's."""
    sandbox = Sandbox()
    other = {"unique_id": str(uuid.uuid4()), "service_type": "food", "service_implementing_agency": "UNHCR"}
    case, service = refer(sandbox)
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [other]})
    to_other = {"transitioned_to": "caseworker_sampleya", "service_record_id": other["unique_id"]}
    send(sandbox, "POST", f"/cases/{case['id']}/referrals", to_other)

    run_job(JOB, sandbox, cursor=LONG_AGO)

    assert 2 == len(held(sandbox, f"/cases/{case['id']}/referrals"))
    assert [f"{case['case_id']}#{service['unique_id'][-12:]}"] == [post["id"] for post in sent(sandbox)]


def test_a_referral_older_than_the_cursor_is_sent_when_its_case_is_newer():
    """H4: the case's stamp alone decides what is read, and the ledger what is new; the referral's own date does not."""
    now = [datetime(2026, 3, 1, 8, tzinfo=UTC)]
    sandbox = Sandbox(clock=lambda: now[0])
    case, _ = refer(sandbox)
    now[0] += timedelta(hours=2)
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"name_nickname": "Erfunden"})

    run = run_job(JOB, sandbox, cursor="2026-03-01T09:00:00Z")

    assert ["done"] == outcomes(run)


def test_the_administrators_contact_is_used_only_where_the_owners_is_missing_and_told():
    """H32: a written default, shown in the run."""
    sandbox = Sandbox()
    refer(sandbox, case={"owned_by": "caseworker_sampleya"})

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    (post,) = sent(sandbox)
    (owner,) = held(sandbox, "/users", "user_name=caseworker_sampleya")
    assert [owner["email"], "+251 000 000 000"] == [post["email"], post["phone"]]
    assert "administrator's contact" in run.items[0]["message"]


def test_one_unknown_language_does_not_drop_the_others():
    """H29: each language by itself."""
    sandbox = Sandbox()
    refer(sandbox, case={"language": ["language2", "language_unheard_of"]})

    run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["Nuer, Other"] == [post["language"] for post in sent(sandbox)]


def test_only_mapped_fields_are_asked_for_and_sent():
    """H40: what the mapping doesn't name is neither asked for nor sent."""
    sandbox = Sandbox()
    refer(sandbox, case={"estimated": True})
    asked, answer = [], sandbox.primero.answer
    sandbox.transport = SandboxTransport(
        {
            "primero.sandbox.test": lambda request: (asked.append(request.query), answer(request))[1],
            "dtp.sandbox.test": sandbox.dtp.answer,
        }
    )

    run_job(JOB, sandbox, cursor=LONG_AGO)

    lists = [query for query in asked if "order_by=case_id" in query]
    assert lists
    assert all("fields=" in query for query in lists)
    assert "estimated" not in str(sent(sandbox))


def test_one_bad_record_does_not_stop_the_others():
    """H5: a record that can't be mapped is parked; those behind it are sent."""
    sandbox = Sandbox()
    refer(sandbox)
    refer(sandbox, service={"service_type": "space_travel"})
    refer(sandbox)

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert ["done", "done", "parked"] == sorted(outcomes(run))


def test_a_failed_post_keeps_the_cursor():
    """H3: what was not sent is read again, so the cursor stays."""
    sandbox, ledger = Sandbox(), MemoryLedger()
    refer(sandbox)
    sandbox.dtp.faults.add(Fault("bad_gateway", method="POST", path="/ReceiveIncomingReferral"))

    run = run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO)

    assert ["failed"] == outcomes(run)
    assert run.cursor is None
    assert ["done"] == outcomes(run_job(JOB, sandbox, ledger=ledger, cursor=LONG_AGO))


def test_a_refusal_inside_a_200_is_a_refusal():
    """H14: DTP answers 200 with an error inside: parked, not counted as sent."""
    sandbox = Sandbox()
    refer(sandbox)
    sandbox.dtp.refuse("error_inside")

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert [("parked", "rejected")] == [(item["outcome"], item["code"]) for item in run.items]


def test_without_a_cursor_nothing_is_read():
    """H6: a job without a stored cursor starts from a date that the operator gives, never from one in the code."""
    sandbox = Sandbox()
    refer(sandbox)

    run = run_job(JOB, sandbox)

    assert 1 == run.exit_code
    assert "--since" in run.error.fix
    assert [] == sent(sandbox)


def test_the_cursor_is_the_newest_stamp_of_the_server():
    """H2: the cursor is what the server stamped, never our clock."""
    sandbox = Sandbox()
    case, _ = refer(sandbox)

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    assert held(sandbox, f"/cases/{case['id']}")["last_updated_at"] == run.cursor


def test_a_thousand_cases_that_shift_are_each_sent_once():
    """H1: 1,234 cases, stamps that tie, and between two pages one leaves and one enters: each referral exactly once."""
    sandbox = Sandbox()
    made = sorted((refer(sandbox) for _ in range(1234)), key=lambda pair: pair[0]["case_id"])
    leaving, _ = made[0]

    def swap():
        (referral,) = held(sandbox, f"/cases/{leaving['id']}/referrals")
        send(sandbox, "DELETE", f"/cases/{leaving['id']}/referrals/{referral['id']}", None)
        refer(sandbox, case={"case_id": "ffffffff-0000-4000-8000-000000000001"})

    sandbox.faults.add(Fault("shift_pages", act=swap))

    run = run_job(JOB, sandbox, cursor=LONG_AGO)

    staying = {f"{case['case_id']}#{service['unique_id'][-12:]}" for case, service in made[1:]}
    posted = [post["id"] for post in sent(sandbox)]
    assert staying <= set(posted)
    assert len(posted) == len(set(posted))
    assert {"done"} == set(outcomes(run))
