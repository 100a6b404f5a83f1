"""The whole service against the sandbox, in virtual time: outages, kills, repeats, contradictions."""

import httpx
import pytest
from flows import INTERVENTION, child, decision, held, intervention, outgoing, send
from virtual import Clock, Service, sandbox_at

from adaptors.sandbox import Fault
from adaptors.sandbox.dtp import REFERRALS
from runner.guard import Ending
from runner.store import Ledger

LONG_AGO = "2026-01-01T00:00:00Z"
SCHEDULED = ("primero_decisions_to_progres", "primero_to_progres")


@pytest.fixture
def service(tmp_path):
    """A service whose scheduled jobs may begin to read."""
    clock = Clock()
    with Service(tmp_path, sandbox=sandbox_at(clock), clock=clock) as service:
        for job in SCHEDULED:
            service.store.move_cursor(job, LONG_AGO)
        yield service


def numbered(number, **changes):
    """The intervention of a child of this number."""
    return intervention(
        individuals__progres_id=f"GAM-000{number}", progres_interventionnumber=f"GAM-26-PRTITV-{number}", **changes
    )


def away(stand_in):
    """Let nobody reach a stand-in, until its faults are cleared."""
    stand_in.faults.add(Fault("bad_gateway", count=None))


def posts(service, **fields):
    """What DTP took, in order, with these fields."""
    bodies = [post.body for post in service.sandbox.dtp.received]
    return [body for body in bodies if fields.items() <= body.items()]


def referred(sandbox, number="GAM-00000777"):
    """A case that a caseworker refers to UNHCR; its id and that of its referral."""
    service = {
        "service_type": "alternative_care", "service_implementing_agency": "UNHCR",
        "service_response_type": "service_provision", "service_response_day_time": "2026-03-04T08:30:00.000Z",
    }  # fmt: skip
    case = send(sandbox, "POST", "/cases", {
        "module_id": "primeromodule-cp", "owned_by": "caseworker_mockomot", "unhcr_individual_no": number,
        "name_first": "Nyamal", "sex": "female", "age": 9, "consent_for_services": True,
        "disclosure_other_orgs": True, "services_section": [service],
    }, user="caseworker_mockomot")  # fmt: skip
    (made,) = held(sandbox, f"/cases/{case['id']}")["services_section"]
    refer = {"transitioned_to": "unhcr_cw", "service": "alternative_care", "service_record_id": made["unique_id"]}
    referral = send(sandbox, "POST", f"/cases/{case['id']}/referrals", refer, user="caseworker_mockomot")
    return case, referral["id"]


def decide(service, number, status):
    """A caseworker decides about a service that UNHCR asked for."""
    (case,) = child(service.sandbox, number)
    (entry,) = case["services_section"]
    change = {"unique_id": entry["unique_id"], "unhcr_referral_status": status}
    send(service.sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [change]})


def test_dtp_away_for_ten_days(service):
    """H51: nothing is lost; then every answer, decision and referral arrives, in order per intervention, once."""
    away(service.sandbox.dtp)
    for number in range(10, 13):
        service.post(outgoing(numbered(number)))
        service.run(hours=5)
    decide(service, "GAM-00010", "accepted")
    decide(service, "GAM-00011", "rejected")
    referred(service.sandbox)
    service.run(days=10)
    assert [] == posts(service)
    service.sandbox.dtp.faults.clear()
    service.run(hours=3)
    assert [
        ["Pending Acknowledgement", "acknowledged"], ["Pending Acknowledgement", "rejected"],
        ["Pending Acknowledgement"],
    ] == [
        [body["status"] for body in posts(service, progres_interventionnumber=f"GAM-26-PRTITV-{number}")]
        for number in range(10, 13)
    ]  # fmt: skip
    assert 1 == len(posts(service, request_type=REFERRALS))
    service.run(days=1)  # what reconciling missed meanwhile, it finds again
    assert ([], 0) == (service.store.parked(), service.store.counts().outbox)


def test_primero_away_beyond_the_agreed_time(service):
    """H36: "Delivery Fail" once per intervention, with words a UNHCR officer can act on; and a dead letter each."""
    away(service.sandbox)
    service.post(outgoing(numbered(20), numbered(21)))
    service.run(hours=71)
    assert [] == posts(service)
    service.run(hours=20)
    service.sandbox.faults.clear()
    service.run(hours=30)
    assert [("GAM-26-PRTITV-20", "Delivery Fail"), ("GAM-26-PRTITV-21", "Delivery Fail")] == sorted(
        (body["progres_interventionnumber"], body["status"]) for body in posts(service)
    )
    assert {"Primero could not be reached in the agreed time"} == {body["closure_reason"] for body in posts(service)}
    assert [] == child(service.sandbox, "GAM-00020")


def test_primero_away_within_the_agreed_time(service):
    """H36: back within it, nobody notices: the only answer is that it was delivered."""
    away(service.sandbox)
    service.post(outgoing(numbered(20)))
    service.run(hours=71.9)
    service.sandbox.faults.clear()
    service.run(hours=1)
    assert ["Pending Acknowledgement"] == [body["status"] for body in posts(service)]
    assert 1 == len(child(service.sandbox, "GAM-00020")[0]["services_section"])


def test_stands_in_primero_and_both_are_away(service):
    """H49: the reply was lost, then both sides are away for days: the only answer is that it was delivered."""
    service.sandbox.faults.add(Fault("fail_after", method="POST", path="/api/v2/cases"))
    service.post(outgoing(numbered(20)))
    service.settle()
    away(service.sandbox)
    away(service.sandbox.dtp)
    service.run(days=5)
    service.sandbox.faults.clear()
    service.sandbox.dtp.faults.clear()
    service.run(hours=3)
    assert ["Pending Acknowledgement"] == [body["status"] for body in posts(service)]


def test_unforeseen_in_the_job(service):
    """H35: what the job doesn't expect ends in a general refusal to the sender, not in silence."""
    wrong = numbered(20, languages__progres_languagecodeid={"Name": ["Nuer"]})
    service.post(outgoing(wrong))
    service.run(hours=3)
    assert ["Delivery Fail"] == [body["status"] for body in posts(service)]


def test_wrong_password(service):
    """R-DL1: after a 401 nothing asks Primero for half an hour, so that the account isn't locked."""
    asked = []
    answer = service.sandbox.transport.handle_request

    def counted(request):
        asked.append(request.url.host)
        return answer(request)

    service.sandbox.transport.handle_request = counted
    service.credentials["primero"] |= {"password": "wrong"}
    for number in range(20, 25):
        service.post(outgoing(numbered(number)))
    service.run(minutes=29)
    assert 1 == len(asked)
    service.credentials = service.sandbox.configuration
    service.run(hours=2)
    assert 5 == len(posts(service))


def test_gateway_refuses_our_key(service):
    """R-DL1 H36: while DTP refuses our key, children still come into Primero, and each answer waits, DTP unasked."""
    asked = []
    answer = service.sandbox.transport.handle_request

    def counted(request):
        asked.append(request.url.host)
        return answer(request)

    service.sandbox.transport.handle_request = counted
    refused = {**service.credentials["progres"], "subscription_key": "withdrawn", "secondary_subscription_key": None}
    service.credentials = {**service.credentials, "progres": refused}
    gateway = httpx.URL(service.credentials["progres"]["decision_url"]).host
    for number in range(20, 25):
        service.post(outgoing(numbered(number)))
        service.run(minutes=5)
    assert [1] * 5 == [len(child(service.sandbox, f"GAM-000{number}")) for number in range(20, 25)]
    assert (["succeeded"] * 5, 5) == (service.outcomes("progres_to_primero"), service.store.counts().outbox)
    assert 2 == asked.count(gateway)  # the first answer, and its delivery, which opened the circuit
    assert ["progres"] == list(service.store.circuits(service.clock()))

    service.run(days=4)
    assert ([], 0) == ([unit for unit in service.store.units() if unit.status == "dead"], len(posts(service)))
    service.credentials = service.sandbox.configuration
    service.run(hours=3)
    assert (["Pending Acknowledgement"] * 5, 0) == (
        [body["status"] for body in posts(service)], service.store.counts().outbox,
    )  # fmt: skip


def test_answer_that_must_not_be_repeated(service):
    """H19: with `on_unknown: park`, an answer that may have arrived is posted again only when a person says so."""
    service.credentials = {**service.credentials, "progres": {**service.credentials["progres"], "on_unknown": "park"}}
    service.sandbox.dtp.faults.add(Fault("fail_after", method="POST"))
    service.post(outgoing(numbered(20)))
    service.run(days=3)
    assert (["succeeded"], 1) == (service.outcomes("progres_to_primero"), len(posts(service)))
    (parked,) = service.store.parked()
    assert ("progres_answers/GAM-26-PRTITV-20", "outcome_unknown") == (parked.id, parked.code)

    assert 1 == service.store.retry(parked.id, now=service.clock())
    service.run(hours=2)
    assert (2, 0, []) == (len(posts(service)), service.store.counts().outbox, service.store.parked())
    assert [] == service.store.revisit("progres_answers")


def test_answer_that_is_given_up(service):
    """H19 H51 An answer that may have arrived, and that a person discards, is never posted again; what waits behind it
    hides it from nobody, and then goes."""
    service.credentials = {**service.credentials, "progres": {**service.credentials["progres"], "on_unknown": "park"}}
    service.sandbox.dtp.faults.add(Fault("fail_after", method="POST"))
    service.post(outgoing(numbered(20)))
    service.settle()
    service.post(outgoing(numbered(20, user__title="Protection Officer")))
    service.run(hours=3)
    (parked,) = service.store.parked()
    assert ("progres_answers/GAM-26-PRTITV-20", "outcome_unknown") == (parked.id, parked.code)
    assert "discard drops it" in parked.fix
    assert (2, 1) == (service.store.counts().outbox, len(posts(service)))

    assert service.store.discard(parked.id, reason="it arrived", now=service.clock())
    service.run(hours=3)
    assert (2, 0, []) == (len(posts(service)), service.store.counts().outbox, service.store.parked())
    assert ["succeeded"] * 2 == service.outcomes("progres_to_primero")


def test_primero_says_when_to_come_back(service):
    """R-DL1: Primero's `Retry-After` reaches the worker through the item that met it."""
    answer = service.sandbox.transport.handle_request

    def busy(request):
        return httpx.Response(503, headers={"retry-after": "600"}) if request.method == "POST" else answer(request)

    service.sandbox.transport.handle_request = busy
    service.post(outgoing(numbered(20)))
    service.settle()
    (unit,) = service.store.units()
    assert ("server_error", 600) == (unit.code, (unit.due - service.clock()).total_seconds())


def test_two_messages_about_one_new_child(service):
    """H18: two messages about one new child at once become one case with two services, both answered."""
    service.post(outgoing(intervention()))
    service.post(outgoing(intervention(progres_interventionnumber="GAM-26-PRTITV-0000902")))
    service.settle()
    (case,) = child(service.sandbox, INTERVENTION["individuals.progres_id"])
    assert (2, 2) == (len(case["services_section"]), len(posts(service)))


def test_repeated_message(service):
    """H21: the same notification ten times is one run and one answer."""
    assert 1 == len({service.post(outgoing(intervention())) for _ in range(10)})
    service.settle()
    assert (1, 1) == (len(service.outcomes("progres_to_primero")), len(posts(service)))


def test_message_after_a_refusal(service):
    """H21: after a refusal the sender's second try is a new message, and is answered again."""
    bad = outgoing(numbered(20, individuals__progres_sex="9"))
    first = service.post(bad)
    service.settle()
    assert first != service.post(bad)
    service.settle()
    assert ["Delivery Fail"] * 2 == [body["status"] for body in posts(service)]


def test_overlap_changes_nothing(service):
    """R-ID5 H22: reading the overlap again writes nothing to Primero and sends nothing to DTP."""
    referred(service.sandbox)
    service.post(outgoing(numbered(20)))
    service.settle()
    decide(service, "GAM-00020", "accepted")
    service.run(hours=1)
    sent, cases = len(posts(service)), held(service.sandbox, "/cases")
    service.run(hours=48)
    assert (3, sent, cases) == (sent, len(posts(service)), held(service.sandbox, "/cases"))


def test_contradicting_decision(service):
    """R-RP4: H23: a decision that contradicts the one in Primero is parked, and nothing is overwritten."""
    case, referral = referred(service.sandbox)
    service.run(hours=1)
    (sent,) = posts(service, request_type=REFERRALS)
    for code in ("125080000", "125080001"):
        service.post(decision(sent["id"], code))
        service.settle()
    (found,) = held(service.sandbox, f"/cases/{case['id']}/referrals")
    assert (referral, "accepted") == (found["id"], found["status"])
    assert {"succeeded": 1, "parked": 1} == service.store.counts().jobs["progres_decisions_to_primero"]


def test_decision_before_its_referral(service):
    """R-RP4: a decision about a referral that nobody made is parked, not failed."""
    service.post(decision("0" * 32 + "#" + "a" * 12, "125080000"))
    service.run(hours=1)
    assert {"parked": 1} == service.store.counts().jobs["progres_decisions_to_primero"]


class Killed(Ending):
    """The process is killed here."""


def killed_at(service, number):
    """Let the transport's call of this number (from 0), or the moment after it when negative, be the last."""
    answer, calls = service.sandbox.transport.handle_request, []

    def handle(request):
        calls.append(1)
        before = number == len(calls) - 1
        if before:
            raise Killed
        response = answer(request)
        if -number == len(calls):
            raise Killed
        return response

    service.sandbox.transport.handle_request = handle
    return lambda: setattr(service.sandbox.transport, "handle_request", answer)


@pytest.mark.parametrize("number", range(-4, 4))
def test_killed_at_any_call(service, number):
    """R-ID2: H16: killed before or after any call, the service goes on by itself: one case, one service, one effect."""
    restore = killed_at(service, number)
    service.post(outgoing(numbered(20)))
    with pytest.raises(Killed):
        service.settle()
    restore()
    service.kill()
    service.run(hours=1)
    (case,) = child(service.sandbox, "GAM-00020")
    assert 1 == len(case["services_section"])
    assert {"Pending Acknowledgement"} == {body["status"] for body in posts(service)}
    assert 1 == len(service.sandbox.dtp.effects)


def test_killed_between_sending_and_remembering(service):
    """R-ID2: a referral that DTP took just before the kill is posted again under the same id, and no other."""
    referred(service.sandbox)
    write, sent = service.store.ledger().__class__.write, []

    def die_before_done(ledger, kind, key, entry):
        if kind == "referral" and entry["status"] == "done" and not sent:
            sent.append(1)
            raise Killed
        write(ledger, kind, key, entry)

    service.store.ledger().__class__.write = die_before_done
    try:
        with pytest.raises(Killed):
            service.run(hours=1)
    finally:
        service.store.ledger().__class__.write = write
    service.kill()
    service.run(hours=2)
    referrals = posts(service, request_type=REFERRALS)
    assert (2, 1) == (len(referrals), len({body["id"] for body in referrals}))


def test_killed_before_the_answer_that_makes_up(service, monkeypatch):
    """H51 H49 What was given up, then retried and brought into Primero, is told to stand before any decision about it,
    also where the service was killed in between and is started again after the decision."""
    away(service.sandbox)
    service.post(outgoing(numbered(20)))
    service.run(hours=80)
    service.sandbox.faults.clear()
    service.store.retry(code="server_error", now=service.clock())
    write = Ledger.write

    def killed_before_answering(ledger, kind, *entry):
        if kind == "answer":
            raise Killed
        write(ledger, kind, *entry)

    monkeypatch.setattr(Ledger, "write", killed_before_answering)
    with pytest.raises(Killed):
        service.settle()
    monkeypatch.undo()
    decide(service, "GAM-00020", "accepted")
    service.clock.pass_by(hours=2)
    service.kill()
    service.run(hours=2)
    told = ["Delivery Fail", "Pending Acknowledgement", "acknowledged"]
    assert told == [body["status"] for body in posts(service)]


def test_refused_while_it_stands(service):
    """H49 A later message about what stands in Primero is refused, and the only answer is that it was delivered."""
    service.post(outgoing(numbered(20)))
    service.settle()
    service.post(outgoing(numbered(20, individuals__progres_sex="9")))
    service.settle()
    assert ["Pending Acknowledgement"] * 2 == [body["status"] for body in posts(service)]


def test_refused_and_delivered_in_one_message(service):
    """H49 An intervention that comes twice in one message, first refused and then delivered, is told to stand."""
    service.post(outgoing(numbered(20, individuals__progres_sex="9"), numbered(20)))
    service.settle()
    assert ["Delivery Fail", "Pending Acknowledgement"] == [body["status"] for body in posts(service)]


def test_refused_answer_is_found_by_its_code(service):
    """R-DL5 A unit that was parked bears the code of what was parked in it, so that all of a code can be retried."""
    service.sandbox.dtp.refuse("error_inside")
    service.post(outgoing(numbered(20)))
    service.settle()
    (unit,) = service.store.units()
    assert ("parked", "answer_refused") == (unit.status, unit.code)


def test_password_refused_just_after_creating(service):
    """H10 A 401 when a new case is read back says nothing of the case: it is tried again, and answered."""
    answer, struck = service.sandbox.transport.handle_request, []

    def refuse_once(request):
        if request.method == "GET" and "/cases/" in request.url.path and not struck:
            struck.append(1)
            return httpx.Response(401)
        return answer(request)

    service.sandbox.transport.handle_request = refuse_once
    service.post(outgoing(numbered(20)))
    service.run(hours=2)
    assert (1, ["Pending Acknowledgement"]) == (len(struck), [body["status"] for body in posts(service)])
