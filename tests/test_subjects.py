"""Erasing a person: nothing is left of their ids, and nothing about them is sent again."""

import hashlib
import json
from dataclasses import replace

import pytest
from virtual import Service, item, made

from adaptors.common import once
from adaptors.items import each
from runner import subjects
from runner.cli import main
from runner.errors import InUse
from runner.store import ItemRecord, Parked, Store
from tests.canaries import traces
from tests.kept import DAY, NOON, claim, run
from tests.test_commands import document

CHILD, OTHER = "GAM-00000901", "GAM-00000902"
CASE = "4f1c2a8e-9d15-4c51-8d0e-0a8a3c9d7f01"
NUMBER = "GAM-26-PRTITV-0000901"
DONE = {"status": "done", "value": "accepted", "answer": {"case_id": CASE}}
ANSWER = {"system": "south", "kind": "answer", "key": NUMBER, "value": "m1", "send": {"status": "delivered"}}


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Refused(Exception):
    """A far side that refused what it was sent."""

    code, fix, outcome = "rejected", "Correct it.", "refused"


def sort(state):
    """Ends as the message says."""
    if state["data"]["sort"] in ("dead", "again"):
        raise Refused if state["data"]["sort"] == "dead" else Away
    state["outcomes"].append(item(state["data"]["sort"], state["data"]["case"]))
    return state


@pytest.fixture
def service(tmp_path):
    """A service with one job for messages about one child each."""
    jobs = [made("sort", sort, on="x", subject="$.child")]
    with Service(tmp_path / "data", jobs=jobs) as service:
        yield service


def posted(service, sort, child=CHILD, **more):
    message = service.post({"type": "x", "sort": sort, "child": child, "case": CASE, "number": 1, **more})
    service.settle()
    return message


def erased(service, *ids):
    return subjects.erase(service.store, service.vault, ids, now=service.clock())


@pytest.mark.parametrize("sort", ["again", "parked", "dead"])
@pytest.mark.parametrize("name", [CHILD, CASE], ids=["subject", "another id"])
def test_payloads(service, sort, name):
    """R-ER5 A payload that waits, is parked or dead is erased by any id in it, with a receipt; another's isn't."""
    mine, others = posted(service, sort), posted(service, sort, child=OTHER, case="c-2")
    done = erased(service, name)
    assert (1, True) == (done.erased.payloads, done.scrubbed)
    assert [None, True] == [
        service.store.envelope(service.store.units(message=message)[0].id) and True for message in (mine, others)
    ]
    assert ["discarded"] == [unit.status for unit in service.store.units(message=mine)]
    (receipt,) = service.store.receipts(mine)
    assert ("erased", True) == (receipt.reason, receipt.verified is not None)


def test_quarantined(service):
    """R-ER5 A message that no job waits for is erased by an id at any depth in it."""
    quarantined = service.post({"type": "unheard of", "parts": [{"ids": [CHILD]}]})
    other = service.post({"type": "unheard of", "parts": [{"ids": [CHILD + "1"]}]})
    assert 1 == erased(service, CHILD).erased.payloads
    assert ["discarded", "quarantined"] == [service.store.message(each).status for each in (quarantined, other)]


def test_next_of_the_subject_goes_on(service):
    """What waited behind an erased unit of the same child isn't held up by it."""
    posted(service, "again", case="c-first")
    behind = posted(service, "done", case="c-other")
    assert ["pending"] == [unit.status for unit in service.store.units(message=behind)]
    erased(service, "c-first")
    service.settle()
    assert ["succeeded"] == [unit.status for unit in service.store.units(message=behind)]


def test_while_it_runs(service):
    """R-ER5 While a unit about the child is running nothing is erased, and it can be tried again."""
    posted(service, "again")
    service.store.ledger().write("referral", CHILD, DONE)
    claimed = claim(service.store, service.clock() + DAY)
    with pytest.raises(InUse) as caught:
        erased(service, CHILD)
    assert "Try again in a moment." == caught.value.fix
    assert service.store.envelope(claimed.id)
    assert DONE == service.store.ledger().read("referral", CHILD)
    service.store.put_back(claimed, now=service.clock())
    assert 1 == erased(service, CHILD).erased.payloads


def known(store):
    """Everything in which a store can name a child."""
    ledger = store.ledger()
    ledger.write("referral", NUMBER, DONE)
    ledger.write("decision", f"{CASE}#12", {**DONE, "answer": {}})
    ledger.write("referral", "r-2", {**DONE, "answer": {"other": NUMBER}})
    ledger.write("answer", NUMBER, {"status": "waiting", "value": "m1", "answer": {}})
    ledger.write("referral", f"{CASE}1", {**DONE, "answer": {}})
    store.outbox().append(ANSWER)
    store.outbox().append({**ANSWER, "key": "INT-2"})
    parked = [
        Parked("read", CASE, {"id": CASE, "referral": "r-1"}, "no_service"),
        Parked("read", "c-2", {"id": "c-2", "referral": NUMBER}, "no_service"),
        Parked("read", "c-3", {"id": "c-3"}, "no_service", f"told of {CASE}, too"),
        Parked("read", f"{CASE}1", {"id": f"{CASE}1"}, "no_service"),
    ]
    tries = {CASE: 1, "c-4": 1}
    store.settle_scheduled("read", run("r1", "done", job="read"), parked=parked, now=NOON)
    store.settle_scheduled("read", named_run("r2"), tries=tries, now=NOON)


def named_run(name):
    """A run whose items name the child: in their ids, and in their sentences."""
    items = (
        ItemRecord(0, "parked", {"id": CASE}, "no_service", "it has no service", "Add one."),
        ItemRecord(1, "parked", {"id": "c-9"}, "ambiguous", f"{NUMBER} is in two cases", "Choose."),
        ItemRecord(2, "done", {"id": "c-2"}),
    )
    return replace(run(name, job="read"), items=items)


def test_everything_that_names_them(tmp_path):
    """R-ER5 H53 Ledger, outbox, parked records, tries and items of runs: no form of the ids is in any file, what is
    someone else's stays, and the receipt counts it all."""
    with Store.open(tmp_path / "data") as store:
        known(store)
        done = store.erase_subject([CASE, NUMBER], receipt="5" * 32, now=NOON)
        assert (0, 3, 1, 4, 2) == (done.payloads, done.records, done.answers, done.ledger, done.items)
        assert store.scrub(now=NOON)
        assert [f"{CASE}1"] == [record.record_id for record in store.parked()]
        assert {"c-4": 1} == store.item_tries("read")
        assert ["INT-2"] == [entry["key"] for entry in store.outbox("south")]
        assert {**DONE, "answer": {}} == store.ledger().read("referral", f"{CASE}1")
        (told,) = store.audit_log(event="subject_erased")
        assert {"id": "5" * 32, "payloads": 0, "records": 3, "answers": 1, "ledger": 4, "items": 2} == told.about
        assert [{}, {}, {"id": "c-2"}] == [dict(item.ids) for item in store.run("r2").items]
        # What begins with an id is another's, and would be found as a trace of it.
        store.settle_scheduled("read", run("r3"), settled=[f"{CASE}1"], now=NOON)
        store.ledger().write("referral", f"{CASE}1", None)
        assert store.checkpoint()
        assert [] == traces(tmp_path, CASE, NUMBER)


def test_tombstones(tmp_path):
    """H53 A tombstone says *done* to who knows the id, also to a second one, and to a new value it is still known."""
    with Store.open(tmp_path) as store:
        known(store)
        store.erase_subject([CASE, NUMBER], receipt="5" * 32, now=NOON)
        for kind, key in (("referral", NUMBER), ("decision", f"{CASE}#12"), ("referral", "r-2")):
            assert {**DONE, "answer": {}} == store.ledger().read(kind, key)
        assert "done" == store.ledger().read("answer", NUMBER)["status"]
        assert 0 == store.erase_subject([CASE, NUMBER], receipt="6" * 32, now=NOON).ledger
        again = {"status": "done", "value": "rejected", "answer": {"case_id": CASE}}
        store.ledger().write("decision", f"{CASE}#12", again)
        assert {**again, "answer": {}} == store.ledger().read("decision", f"{CASE}#12")
        rows = store.read("SELECT key FROM ledger WHERE kind = 'decision'")
        assert [True] == [key.startswith("keyed:") for (key,) in rows]
        store.ledger().write("decision", f"{CASE}#12", None)
        assert store.ledger().read("decision", f"{CASE}#12") is None
    with Store.open(tmp_path) as store:
        assert store.ledger().read("referral", NUMBER)


def test_not_sent_again(tmp_path):
    """H53 After the erasure a job reads the same record again and again, and sends nothing."""
    sent = []

    def send(state):
        sent.append(state["data"]["id"])
        return state

    read = each([{"id": CASE}], once("referral", lambda state: state["data"]["id"], send))
    with Service(tmp_path / "data", jobs=[made("read", read, cron="0 * * * *")]) as service:
        service.run(hours=2)
        assert [CASE] == sent
        assert 1 == erased(service, CASE).erased.ledger
        service.run(hours=3)
        assert [CASE] == sent
        assert [] == traces(service.folder, CASE)


def test_nobody_reads_a_tombstone(tmp_path):
    """R-RP3 Who has the database alone can't tell from a tombstone whether it is a certain child's."""
    with Store.open(tmp_path) as store:
        store.ledger().write("referral", NUMBER, DONE)
        store.erase_subject([NUMBER], receipt="5" * 32, now=NOON)
        ((key,),) = store.read("SELECT key FROM ledger")
    for text in (NUMBER, f"referral {NUMBER}", f"ledger referral {NUMBER}"):
        assert hashlib.sha256(text.encode()).hexdigest() not in key
    with Store.open(tmp_path / "other") as other:
        assert other.sealed(f"ledger referral {NUMBER}") not in key


PROJECT = """\
name: test
jobs:
  sort: {script: sort.py, trigger: posted}
  read: {script: sort.py, trigger: hourly}
triggers:
  posted: {message: {type: x}}
  hourly: {cron: "0 * * * *"}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, in which the command is given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    return tmp_path


def test_command(service, folder, capsys):
    """R-ER5 `runner erase --subject` erases by several ids, prints the receipt, and tells what was never delivered."""
    posted(service, "dead")
    service.store.ledger().write("answer", NUMBER, {"status": "waiting", "value": "m1", "answer": {}})
    service.store.outbox().append(ANSWER)
    found, code = document(capsys, "erase", "--subject", CHILD, "--subject", NUMBER)
    assert (0, {"payloads": 1, "records": 0, "answers": 1, "ledger": 1, "items": 0}) == (code, found["erased"])
    assert found["receipt"] == service.store.audit_log(event="subject_erased")[0].about["id"]
    assert found["scrubbed"]
    assert 0 == main(["erase", "--subject", CHILD])
    told = capsys.readouterr()
    assert "0 payloads" in told.out
    assert CHILD not in told.out + told.err + json.dumps(found)


def test_command_beside_a_job(service, folder, capsys):
    """R-ER5 While a scheduled job runs, which may hold the child's record, nothing is erased."""
    posted(service, "dead")
    with service.store.lock("job/read"):
        assert 2 == main(["erase", "--subject", CHILD])
    assert "read is running" in capsys.readouterr().err
    assert 1 == service.store.counts().units["dead"]
    assert 2 == main(["erase", "--subject", " "])
