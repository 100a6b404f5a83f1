"""Reconciling: what was lost is found again and sent once; what nobody can vouch for is left to a person."""

import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from flows import JOBS, child, decision, held, intervention, outgoing, send
from virtual import NOON, Clock, Service, VirtualRuntime, sandbox_at

from adaptors.sandbox import Fault
from adaptors.sandbox.dtp import REFERRALS
from runner import cli, dataflow, execute, jobscript
from runner.commands import reconcile
from runner.errors import WrongUse
from runner.store import ItemRecord, Parked, RunRecord, Store

LONG_AGO = "2026-01-01T00:00:00Z"
SENDING = ("primero_decisions_to_progres", "primero_to_progres")
NUMBER = "GAM-26-PRTITV-0000901"


@pytest.fixture
def service(tmp_path):
    """A service whose scheduled jobs may begin to read; an hour has passed since it began."""
    clock = Clock()
    with Service(tmp_path / "data", sandbox=sandbox_at(clock), clock=clock) as service:
        for job in SENDING:
            service.store.move_cursor(job, LONG_AGO)
        clock.pass_by(hours=1)
        yield service


def referred(service, *, number="GAM-00000777", **case):
    """A case that a caseworker refers to UNHCR; the case and its referral."""
    entry = {
        "service_type": "alternative_care", "service_implementing_agency": "UNHCR",
        "service_response_type": "service_provision", "service_response_day_time": "2026-03-04T08:30:00.000Z",
    }  # fmt: skip
    made = send(service.sandbox, "POST", "/cases", {
        "module_id": "primeromodule-cp", "owned_by": "caseworker_mockomot", "unhcr_individual_no": number,
        "name_first": "Nyamal", "sex": "female", "age": 9, "consent_for_services": True,
        "disclosure_other_orgs": True, "services_section": [entry], **case,
    }, user="caseworker_mockomot")  # fmt: skip
    referral = refer_again(service, made)
    service.clock.pass_by(minutes=1)
    return made, referral


def refer_again(service, case):
    """Another referral of the case's one service."""
    (entry,) = held(service.sandbox, f"/cases/{case['id']}")["services_section"]
    refer = {"transitioned_to": "unhcr_cw", "service": "alternative_care", "service_record_id": entry["unique_id"]}
    return send(service.sandbox, "POST", f"/cases/{case['id']}/referrals", refer, user="caseworker_mockomot")


def asked_and_decided(service, status="accepted"):
    """UNHCR refers a child, who stands in Primero then; a caseworker decides."""
    service.post(outgoing(intervention()))
    service.settle()
    (case,) = child(service.sandbox, "GAM-00000901")
    decide(service, case, status)
    return case


def decide(service, case, status):
    (entry,) = held(service.sandbox, f"/cases/{case['id']}")["services_section"]
    change = {"services_section": [{"unique_id": entry["unique_id"], "unhcr_referral_status": status}]}
    send(service.sandbox, "PATCH", f"/cases/{case['id']}", change)


def compared(service):
    """What reconciling finds now, as the command does it, when three hours have passed."""
    state = execute.initial_state({}, service.sandbox.configuration, store=service.store)
    later = Clock(service.clock.time + timedelta(hours=3))
    state["runtime"] = VirtualRuntime(later, service.sandbox, Random(1))
    result = execute.execute(jobscript.load(JOBS / "reconcile.py", "reconcile"), state)
    assert not result.error
    return result, list(reconcile.findings(result))


def repaired(service):
    """What reconciling finds and repairs: code and what became of it."""
    result, rows = compared(service)
    reconcile.repair(service.store, result, rows)
    return sorted((row["code"], row["repair"]) for row in rows)


def codes(service):
    return sorted(row["code"] for row in compared(service)[1])


def referrals_sent(service):
    return [post.body["id"] for post in service.sandbox.dtp.received if post.body.get("request_type") == REFERRALS]


def statuses_sent(service):
    return [post.body["status"] for post in service.sandbox.dtp.received if "status" in post.body]


def forget(service, table, where="1"):
    """As a hand in the database, or a lost disk, would."""
    service.store.change(lambda db: db.execute(f"DELETE FROM {table} WHERE {where}"))


def pass_over(service):
    """Somebody moved the cursors beyond everything."""
    for job in SENDING:
        service.store.move_cursor(job, "2026-12-31T00:00:00Z")


def test_all_is_as_it_should_be(service):
    """What was sent and answered isn't listed, nor what will be."""
    asked_and_decided(service)
    referred(service)
    service.run(hours=2)
    assert [] == codes(service)


def test_lost_to_a_cursor(service):
    """R-DV2 What a cursor has passed over is found by ids, and sent once by its own job."""
    service.post(outgoing(intervention()))
    service.settle()
    (case,) = child(service.sandbox, "GAM-00000901")
    pass_over(service)
    referred(service)
    decide(service, case, "rejected")
    service.run(hours=5)
    assert ([], ["Pending Acknowledgement"]) == (referrals_sent(service), statuses_sent(service))
    assert [("not_sent", "queued"), ("not_sent", "queued")] == repaired(service)
    service.run(hours=2)
    assert 1 == len(referrals_sent(service))
    assert ["Pending Acknowledgement", "rejected"] == statuses_sent(service)
    assert ([], []) == (codes(service), service.store.parked())


def test_repair_twice_sends_once(service):
    """What is queued already is not queued again, and what was sent meanwhile is not queued at all."""
    pass_over(service)
    referred(service)
    assert [("not_sent", "queued")] == repaired(service)
    result, rows = compared(service)
    service.run(hours=2)
    reconcile.repair(service.store, result, rows)
    assert ["under_way"] == [row["repair"] for row in rows]
    service.run(hours=2)
    assert 1 == len(referrals_sent(service))


def test_cursors_are_gone(service):
    """R-DV2 With no cursor at all the jobs can't read; repaired, they read on from where the comparing began."""
    referred(service)
    asked_and_decided(service)
    service.run(hours=2)
    forget(service, "cursors")
    referred(service, number="GAM-00000778")
    service.run(hours=3)
    assert 1 == len(referrals_sent(service))
    assert [("not_sent", "queued")] == repaired(service)
    assert None not in [service.store.cursor(job) for job in SENDING]
    service.run(hours=3)
    assert 2 == len(referrals_sent(service))
    referred(service, number="GAM-00000779")
    service.run(hours=2)
    assert (3, 3) == (len(referrals_sent(service)), len(set(referrals_sent(service))))


def test_the_ledger_lost_what_the_runs_know(service):
    """R-DV2 Of a row that is gone from the ledger the kept runs tell that it was sent: it isn't sent again."""
    _, referral = referred(service)
    service.run(hours=2)
    before = service.store.ledger().read("referral", referral["id"])
    forget(service, "ledger")
    pass_over(service)
    assert [("not_sent", "mended")] == repaired(service)
    service.run(hours=2)
    assert (1, "done") == (len(referrals_sent(service)), before["status"])
    assert before == service.store.ledger().read("referral", referral["id"])
    assert [] == codes(service)


@pytest.mark.parametrize("table", ["runs", "audit by hand"])
def test_nothing_vouches(service, table):
    """R-ER6 What neither ledger nor runs nor audit log can vouch for is parked, and sent when a person releases it."""
    case, referral = referred(service)
    pass_over(service)
    if table == "runs":
        service.clock.pass_by(days=1)
        service.store.record("purged", now=service.clock(), runs=3)
        forget(service, "runs")
    else:
        service.store.record("run_by_hand", now=service.clock(), job="primero_to_progres")
    assert [("not_sent", "held")] == repaired(service)
    service.run(hours=5)
    assert [] == referrals_sent(service)
    (parked,) = service.store.parked("primero_to_progres")
    assert (case["id"], "not_vouched", referral["id"]) == (parked.record_id, parked.code, parked.ids["key"])
    assert [("not_sent", "under_way")] == repaired(service)
    service.store.retry(parked.id, now=service.clock())
    service.run(hours=2)
    assert (1, []) == (len(referrals_sent(service)), service.store.parked("primero_to_progres"))


@pytest.mark.parametrize(
    ("event", "fields", "word"),
    [
        ("restored", {}, "held"),
        ("run_by_hand", {"job": "primero_to_progres", "code": "dry_run"}, "queued"),
        ("run_by_hand", {"job": "another"}, "queued"),
        ("purged", {"slots": 3}, "queued"),
        ("service_started", {}, "queued"),
    ],
)
def test_what_the_audit_log_vouches_for(service, event, fields, word):
    """R-ER6 Only what may have sent something unseen lets a record be held back."""
    pass_over(service)
    referred(service)
    service.store.record(event, now=service.clock(), **fields)
    assert [("not_sent", word)] == repaired(service)


def test_a_killed_service_may_have_sent(service):
    """R-ER6 A service that never ended in order may have sent what it had no time to tell."""
    service.store.record("service_started", now=service.clock())
    pass_over(service)
    referred(service)
    service.store.record("service_started", now=service.clock())
    assert [("not_sent", "held")] == repaired(service)


@pytest.mark.parametrize(
    ("items", "word"), [((), "queued"), ([ItemRecord(0, "done", {"referral": "another"})], "held")]
)
def test_a_run_that_broke_off_may_have_sent(service, items, word):
    """R-ER6 A run that ended with an error doesn't tell what was under way just then; one that met nothing does."""
    pass_over(service)
    referred(service)
    now = service.clock()
    broken = RunRecord("1", "primero_to_progres", None, now, now, "failed", "filter_ignored", items)
    service.store.settle_scheduled("primero_to_progres", broken, now=now)
    assert [("not_sent", word)] == repaired(service)


def test_what_is_being_tried(service):
    """What its job is trying is left to it, though a try may have failed."""
    service.sandbox.dtp.faults.add(Fault("bad_gateway", count=None))
    referred(service)
    referred(service, number="GAM-00000778")
    service.run(hours=3)
    forget(service, "ledger")
    assert [("not_sent", "under_way"), ("not_sent", "under_way")] == repaired(service)
    service.sandbox.dtp.faults.clear()
    service.run(hours=2)
    assert 2 == len(referrals_sent(service))


def test_made_before_anything_was_written_here(service):
    """R-ER6 Where the data directory itself is new, nothing vouches for what is older."""
    referred(service)
    pass_over(service)
    service.store.change(lambda db: db.execute("DROP TRIGGER audit_stays"))
    service.store.change(lambda db: db.execute("UPDATE audit SET time = '2027-01-01T00:00:00.000+00:00'"))
    assert [("not_sent", "held")] == repaired(service)


def test_a_decision_whose_row_is_gone(service):
    """R-ID4 The runs tell that a decision was sent, not which: without the ledger's row a person releases it."""
    asked_and_decided(service)
    service.run(hours=2)
    forget(service, "ledger", "kind = 'decision'")
    assert [("not_sent", "held")] == repaired(service)
    service.run(hours=2)
    assert 1 == statuses_sent(service).count("acknowledged")
    assert ["not_vouched"] == [parked.code for parked in service.store.parked("primero_decisions_to_progres")]


def test_begun_and_not_known_to_have_arrived(service):
    """What was begun when it was lost may have arrived: it is left to a person."""
    _, referral = referred(service)
    pass_over(service)
    service.store.ledger().write("referral", referral["id"], {"status": "intended", "value": "", "answer": {}})
    assert [("not_sent", "held")] == repaired(service)
    service.run(hours=2)
    assert [] == referrals_sent(service)


def test_two_referrals_of_one_case(service):
    """Of one case, one referral may be queued and another held back: each is judged by itself."""
    case, first = referred(service)
    pass_over(service)
    refer_again(service, case)
    service.store.ledger().write("referral", first["id"], {"status": "intended", "value": "", "answer": {}})
    assert [("not_sent", "held"), ("not_sent", "queued")] == repaired(service)
    service.run(hours=2)
    assert 1 == len(referrals_sent(service))


def test_what_is_parked_stays_with_the_person(service):
    """Repairing releases nothing that a person has to settle."""
    case, _ = referred(service)
    (entry,) = held(service.sandbox, f"/cases/{case['id']}")["services_section"]
    send(service.sandbox, "POST", f"/cases/{case['id']}/referrals", {"transitioned_to": "unhcr_cw"})
    service.run(hours=2)
    assert ["no_service"] == [parked.code for parked in service.store.parked("primero_to_progres")]
    assert [("not_sent", "under_way")] == repaired(service)
    service.run(hours=2)
    assert (1, ["no_service"]) == (
        len(referrals_sent(service)), [parked.code for parked in service.store.parked("primero_to_progres")]
    )  # fmt: skip
    assert entry


def test_revoked_after_sending(service):
    """A revocation isn't transmitted: people must tell UNHCR, although the case isn't referred any more."""
    case, referral = referred(service)
    service.run(hours=2)
    send(service.sandbox, "DELETE", f"/cases/{case['id']}/referrals/{referral['id']}", None)
    assert ["revoked_after_sending"] == codes(service)
    _, (row,) = compared(service)
    assert {"case": case["id"], "case_id": case["case_id"], "referral": referral["id"]} == row["ids"]


def test_revoked_before_sending(service):
    """What never left needs no word to anybody."""
    case, referral = referred(service)
    send(service.sandbox, "DELETE", f"/cases/{case['id']}/referrals/{referral['id']}", None)
    assert [] == codes(service)


def test_consent_withdrawn(service):
    """Consent withdrawn after sending is listed; withdrawn before, nothing is sent and nothing is listed."""
    before, _ = referred(service, number="GAM-00000778")
    send(service.sandbox, "PATCH", f"/cases/{before['id']}", {"disclosure_other_orgs": False})
    after, referral = referred(service)
    service.run(hours=2)
    send(service.sandbox, "PATCH", f"/cases/{after['id']}", {"disclosure_other_orgs": False})
    _, rows = compared(service)
    assert [("consent_withdrawn", referral["id"])] == [(row["code"], row["ids"]["referral"]) for row in rows]
    assert 1 == len(referrals_sent(service))


def test_told(service):
    """What a person has told the other agency isn't listed again; what is only similar, is."""
    for number in ("GAM-00000777", "GAM-00000778"):
        case, referral = referred(service, number=number)
        service.run(hours=2)
        send(service.sandbox, "DELETE", f"/cases/{case['id']}/referrals/{referral['id']}", None)
    _, rows = compared(service)
    with pytest.raises(WrongUse):
        reconcile.remember_told(service.store, rows, case["id"])
    reconcile.remember_told(service.store, rows, referral["id"])
    _, (row,) = compared(service)
    assert referral["id"] != row["ids"]["referral"]
    assert ["told"] == [line.event for line in service.store.audit_log(event="told")]


def test_told_of_a_decision_is_of_that_decision(service):
    """R-ID4 Another decision for the same number is missed again."""
    case = asked_and_decided(service)
    pass_over(service)
    _, rows = compared(service)
    reconcile.remember_told(service.store, rows, NUMBER)
    assert [] == codes(service)
    decide(service, case, "rejected")
    assert ["not_sent"] == codes(service)


@pytest.mark.parametrize(("days", "listed"), [(13, []), (15, ["unanswered"])])
def test_unanswered(service, days, listed):
    """What UNHCR hasn't answered for 14 days is listed."""
    referred(service)
    service.run(days=days)
    assert listed == nightly(service)


def nightly(service):
    """What the service's own comparing has parked."""
    return [parked.code for parked in service.store.parked("reconcile")]


def test_answered(service):
    """What UNHCR has answered isn't waited for."""
    case, _ = referred(service)
    service.run(hours=2)
    service.post(decision(referrals_sent(service)[0], "accepted"))
    service.run(days=20)
    assert ([], []) == (nightly(service), codes(service))
    assert case


def test_every_night(service):
    """R-DV2 The service compares every night: what is found waits for a person, and is gone when it is settled."""
    referred(service)
    pass_over(service)
    service.run(days=2)
    assert ["not_sent"] == nightly(service)
    assert [("not_sent", "queued")] == repaired(service)
    service.run(days=2)
    assert ([], 1) == (nightly(service), len(referrals_sent(service)))


def test_on_its_way(service):
    """What was changed within two hours may be on its way: withheld, and no reason to worry."""
    service.run(hours=12)  # it is 01:00
    pass_over(service)
    service.run(minutes=5)
    referred(service)
    service.run(minutes=40)
    assert [] == nightly(service)
    (run,) = service.store.runs(1, job="reconcile")
    assert ("succeeded", {"withheld": 1}) == (run.outcome, run.counts)


def test_answered_twice_differently(service):
    """UNHCR was told that it failed, and the service stands in Primero; with a decision, that is told by it."""
    asked_and_decided(service, "pending")
    ledger = service.store.ledger()
    ledger.write("answer", NUMBER, {"status": "done", "value": "m2 Delivery Fail", "answer": {}})
    assert ["answered_twice_differently"] == codes(service)
    ledger.write("answer", NUMBER, None)
    assert [] == codes(service), "it may be on its way"
    service.run(days=4)
    assert ["answer_unknown"] == codes(service)


def test_everything_at_once(service):
    """R-DV2 Cursor, ledger and messages lost at once: all come to the right state, and nothing is sent twice."""
    known, _ = referred(service)
    case = asked_and_decided(service)
    service.run(hours=2)
    forget(service, "cursors")
    forget(service, "ledger")
    forget(service, "parked")
    lost, _ = referred(service, number="GAM-00000778")
    service.run(hours=2)
    assert [("answer_unknown", None), ("not_sent", "held"), ("not_sent", "mended"), ("not_sent", "queued")] == repaired(
        service
    )
    service.run(days=1)
    sent = referrals_sent(service)
    assert (2, 2) == (len(sent), len(set(sent)))
    assert {known["case_id"], lost["case_id"]} == {one.partition("#")[0] for one in sent}
    assert 1 == statuses_sent(service).count("acknowledged")
    assert [(case["id"], "not_vouched")] == [
        (parked.record_id, parked.code) for parked in service.store.parked("primero_decisions_to_progres")
    ]


def test_no_name_is_asked_for(service):
    """R-DV2 Reconciling asks Primero for ids, statuses and numbers, and sends nothing anywhere."""
    referred(service, name_first="Nyaruot-Canary")
    asked_and_decided(service)
    before = len(service.sandbox.dtp.received)
    result, rows = compared(service)
    flows = dataflow.flows(jobscript.load(JOBS / "reconcile.py", "reconcile"))
    (flow,) = [flow for flow in flows if flow["operation"] == "get_cases" and flow["direction"] == "from"]
    names = {field["field"].rpartition(".")[2] for field in flow["fields"]}
    assert not {name for name in names if "name" in name and name != "associated_user_names"}
    assert "Canary" not in json.dumps([rows, result.items], default=str)
    assert before == len(service.sandbox.dtp.received)


def test_says_the_same_as_the_other_jobs():
    """What must be edited in several jobs is the same in all of them."""

    def of(job):
        known = {}
        exec(compile((JOBS / f"{job}.py").read_text("utf-8"), job, "exec"), known)
        return known

    ours, sending, deciding = of("reconcile"), of("primero_to_progres"), of("primero_decisions_to_progres")
    assert deciding["STATUSES"] == ours["STATUSES"]
    for name in ("AGREED_SERVICE_TYPES", "UNHCR_USER", "UNHCR_AGENCY", "CONSENTS"):
        assert sending[name] == ours[name], name


COMPARING = '''"""Compares."""

import json
from pathlib import Path

FINDINGS = json.loads(Path(__file__).with_name("findings.json").read_text())


def compare(state):
    """Finds what the file says."""
    empty = {"message": None, "fix": None, "operation": "compare"}
    state["outcomes"] += [{**empty, **one} for one in FINDINGS]
    return {**state, "cursor": "2026-03-01T00:00:00Z"}


operations = [compare]
'''
PROJECT = """\
name: Made
jobs:
  send: {script: compare.py, trigger: hourly}
  reconcile: {script: compare.py, trigger: hourly}
triggers:
  hourly: {cron: "0 * * * *"}
"""
LOST = {
    "outcome": "parked", "code": "not_sent", "ids": {"case": "c-1", "referral": "r-1"},
    "compared": {"job": "send", "kind": "referral", "key": "r-1", "value": "", "record": "c-1", "made": None,
                 "sent": False},
}  # fmt: skip
REVOKED = {"outcome": "parked", "code": "revoked", "ids": {"case": "c-2", "referral": "r-2"}}
FINE = {"outcome": "unchanged", "code": None, "ids": {"case": "c-3"}}


@pytest.fixture
def found(tmp_path, monkeypatch, capsys):
    """The command `reconcile` in a project whose job finds what is given: the document and the exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compare.py").write_text(COMPARING)
    (tmp_path / "project.yaml").write_text(PROJECT)

    def command(findings, *arguments):
        (tmp_path / "findings.json").write_text(json.dumps(findings))
        code = cli.main(["reconcile", "--json", *arguments])
        return json.loads(capsys.readouterr().out), code

    return command


def test_command_with_nothing_to_find(found, capsys):
    """All as it should be: 0."""
    assert ({"job": "reconcile", "compared": 1, "findings": []}, 0) == found([FINE])
    assert 0 == cli.main(["reconcile"])
    assert "1 compared, all as it should be" in capsys.readouterr().out


def test_command_lists(found, capsys):
    """What is found is listed by ids, with the job that should have sent it and the fix: 4. Nothing is changed."""
    document, code = found([FINE, LOST, REVOKED])
    assert (4, ["not_sent", "revoked"], ["send", "reconcile"]) == (
        code, [row["code"] for row in document["findings"]], [row["job"] for row in document["findings"]]
    )  # fmt: skip
    with Store.open(Path("data")) as store:
        assert ([], None) == (store.revisit("send"), store.cursor("send"))
    cli.main(["reconcile"])
    assert "not_sent  send       case=c-1 referral=r-1" in capsys.readouterr().out


def test_command_repairs(found):
    """--repair: what can't be vouched for is held back, and still needs a look; a job without a cursor gets one."""
    document, code = found([LOST], "--repair")
    assert (4, ["held"]) == (code, [row["repair"] for row in document["findings"]])
    with Store.open(Path("data")) as store:
        assert (["c-1"], "2026-03-01T00:00:00Z") == (store.revisit("send"), store.cursor("send"))
        assert ["repaired"] == [line.event for line in store.audit_log(event="repaired")]
    document, code = found([LOST | {"compared": {**LOST["compared"], "made": "2026-01-01"}}, REVOKED], "--repair")
    assert ["held", None] == [row["repair"] for row in document["findings"]]


def test_command_that_repairs_all(found):
    """What is queued or mended needs no look any more: 0."""
    with Store.open(Path("data")) as store:
        store.ledger().write("referral", "r-1", {"status": "done", "value": "accepted", "answer": {}})
    decided = LOST | {"compared": {**LOST["compared"], "value": "rejected"}}
    document, code = found([decided], "--repair")
    assert (0, ["queued"]) == (code, [row["repair"] for row in document["findings"]])


def test_command_told(found):
    """--told names a finding by the last of its ids; what isn't found is wrong use."""
    assert ([], 0) == (found([REVOKED], "--told", "r-2")[0]["findings"], found([FINE])[1])
    assert 2 == cli.main(["reconcile", "--told", "c-2"])
    with Store.open(Path("data")) as store:
        assert "done" == store.ledger().read("told", "r-2")["status"]


def test_command_lists_what_is_parked(found):
    """What waits for a person in other jobs is listed with the rest."""
    with Store.open(Path("data")) as store:
        parked = [Parked("send", "c-9", {"id": "c-9"}, "decided_otherwise"), Parked("reconcile", "x=1", {}, "revoked")]
        run = RunRecord("1", "send", None, NOON, NOON, "needs_person")
        store.settle_scheduled("send", run, parked=parked[:1], now=NOON)
        run = RunRecord("2", "reconcile", None, NOON, NOON, "needs_person")
        store.settle_scheduled("reconcile", run, parked=parked[1:], now=NOON)
    document, code = found([FINE])
    assert (4, [("decided_otherwise", "send")]) == (
        code, [(row["code"], row["job"]) for row in document["findings"]]
    )  # fmt: skip


def test_command_whose_job_fails(found, capsys):
    """What can't be compared is told as any run that fails, and nothing is repaired."""
    Path("compare.py").write_text(
        '"""Fails."""\n\n\ndef fail(state):\n    """Fails."""\n    raise ValueError\n\n\noperations = [fail]\n'
    )
    assert 1 == cli.main(["reconcile", "--repair"])
    assert "ERROR" in capsys.readouterr().err
