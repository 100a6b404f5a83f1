"""What the log tells of a service at work: each thing once, when it happens, by ids, codes, counts and times."""

import json
from datetime import timedelta

import pytest
from virtual import NOON, Clock, Service, item, made, settled

from runner.logs.log import Log, as_json
from runner.triggers import Trigger

CANARY = "Nyaruot Beispiel"


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Refused(Exception):
    """A far side that read the request and refused it."""

    code, fix, outcome = "rejected", "Correct it.", "refused"


class NotAllowed(Exception):
    """A far side that refuses a credential."""

    code, fix, retryable, credential = "not_allowed", "Correct it.", True, "north"


def fail(error):
    def send(state):
        raise error

    return send


@pytest.fixture
def heard(tmp_path):
    """Makes a service of jobs whose events a test reads: `heard(job, …)` gives the service and the list of events."""
    clock, lines = Clock(), []
    log = Log(lambda _, line: lines.append(json.loads(line)), now=clock, form=as_json, keyed=lambda text: "0" * 64)
    services = []

    def begin(*jobs, **more):
        services.append(Service(tmp_path, jobs=jobs, clock=clock, log=log, **more))
        return services[0], lines

    yield begin
    services[0].store.close()


def told(lines, event):
    """The events of this name, without what all have, and without ids that are made anew each time."""
    dropped = ("time", "level", "event", "run", "unit", "message")
    return [
        {name: value for name, value in line.items() if name not in dropped} for line in lines if line["event"] == event
    ]


def test_a_message_that_succeeds(heard):
    """R-LG1 H41 From its beginning to the scrubbed file, a message is told by ids, codes and counts."""
    service, lines = heard(made("sort", settled("done", "unchanged", "refused"), on="x"))
    service.post({"type": "x", "name": CANARY})
    service.settle()
    events = ["run_started", "item", "run_ended", "payload_erased", "payloads_scrubbed"]
    assert events == [line["event"] for line in lines]
    counts = {"done": 1, "unchanged": 1, "refused": 1}
    assert [{"job": "sort", "outcome": "succeeded", "seconds": 0.0, **counts}] == told(lines, "run_ended")
    expected = {"job": "sort", "index": 2, "outcome": "refused", "code": "refused", "operation": "find"}
    assert [{**expected, "ids": {"id": "keyed:000000000000"}}] == told(lines, "item")
    assert CANARY not in json.dumps(lines)


def test_a_message_that_is_tried_again(heard):
    """H35 A unit that will be tried again is told with its tries and its time, one that is given up as dead."""
    service, lines = heard(made("sort", fail(Away(CANARY)), on="x"), retry={"hours": 0.1, "jitter": 0.001})
    service.post({"type": "x"})
    service.run(hours=2)
    again = told(lines, "unit_again")
    assert [1, 2] == [line["tries"] for line in again][:2]
    assert {"unreachable"} == {line["code"] for line in again}
    assert again[0]["due"] > NOON.isoformat()
    assert ["sort"] == [line["job"] for line in told(lines, "unit_dead")]
    assert CANARY not in json.dumps(lines)


def test_a_message_that_needs_a_person(heard):
    """H37 A unit that a person must settle is told once, and what nobody settled is told when it is erased."""
    service, lines = heard(made("sort", settled("parked"), on="x"))
    service.post({"type": "x"})
    service.run(days=8)
    assert [{"job": "sort", "code": "parked"}] == told(lines, "unit_parked")
    assert [{"count": 1}] == told(lines, "payloads_expired")


def test_an_error_that_nobody_foresaw(heard):
    """H41 R-LG3 It is told by class, file, line and operation, once a run, however many items met it."""

    def wrong(state):
        raise ValueError(CANARY)

    def items(state):
        place = {"type": "KeyError", "file": "sort.py", "line": 12, "operation": "sort"}
        state["outcomes"] += [item("failed", f"c-{number}", **place) for number in range(3)]
        return wrong(state)

    service, lines = heard(made("sort", items, on="x"))
    service.post({"type": "x"})
    service.settle()
    raised = told(lines, "job_raised")
    assert [("ValueError", "test_runlog.py"), ("KeyError", "sort.py")] == [
        (each["type"], each["file"]) for each in raised
    ]
    assert ["items", "sort"] == [each["operation"] for each in raised]
    assert CANARY not in json.dumps(lines)


def test_an_error_that_was_foreseen(heard):
    """An error made to be shown is the code of the run's end, and no mistake of the program."""
    service, lines = heard(made("sort", fail(Refused(CANARY)), on="x"))
    service.post({"type": "x"})
    service.settle()
    assert ["rejected"] == [line["code"] for line in told(lines, "run_ended")]
    assert [] == told(lines, "job_raised")


def test_prints(heard, capsys):
    """R-LG2 H48 What a job prints is told as a number of lines."""

    def show(state):
        print(f"{CANARY}\n{CANARY}")  # noqa: T201
        return state

    service, lines = heard(made("sort", show, on="x"))
    service.post({"type": "x"})
    service.settle()
    assert [{"job": "sort", "lines": 2}] == told(lines, "job_printed")
    assert ("", "") == capsys.readouterr()


def test_a_credential_that_is_refused(heard):
    """R-DL1 When a credential begins to rest, and when it may be used again, is told once each."""
    service, lines = heard(
        made("sort", fail(NotAllowed(CANARY)), on="x", credentials={"north": "north_eu"}), retry={"rest": 30}
    )
    service.post({"type": "x"})
    service.run(minutes=29)
    until = (NOON + timedelta(minutes=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert [{"credential": "north_eu", "code": "not_allowed", "until": until}] == told(lines, "circuit_opened")
    assert [] == told(lines, "circuit_closed")
    service.run(minutes=2)
    assert [{"credential": "north_eu"}] == told(lines, "circuit_closed")


def test_a_schedule(heard):
    """H15 A slot is told with how late it was; those that were missed, and the cursor that moved, are told too."""

    def read(state):
        state["outcomes"].append(item("parked", "c-1"))
        return {**state, "cursor": "2026-03-02T12:30:00Z"}

    service, lines = heard(made("read", read, cron="0 * * * *"))
    service.run(hours=1)
    service.clock.pass_by(hours=3, minutes=10)
    service.kill()
    service.settle()
    slots = [(line["slot"][11:16], line["late"]) for line in told(lines, "schedule_fired")]
    assert [("13:00", 0.0), ("16:00", 600.0)] == slots
    assert [("14:00", "16:00")] == [
        (line["slot"][11:16], line["until"][11:16]) for line in told(lines, "schedule_missed")
    ]
    assert "2026-03-02T12:30:00.000Z" == told(lines, "cursor_moved")[0]["cursor"]
    ids = {"id": "keyed:000000000000"}
    assert [{"job": "read", "ids": ids, "code": "parked"}] == told(lines, "record_parked")


def test_answers_that_wait(heard):
    """H51 Answers that are kept are counted when they are kept, and again when they are delivered."""
    entry = {"system": "south", "kind": "answer", "key": "k-1", "value": "yes", "send": {"id": "k-1"}}

    def keep(state):
        state["outbox"].append(entry)
        return state

    def deliver(state):
        for each in list(state["outbox"]):
            state["outbox"].remove(each)
            state["outcomes"].append(item("done", "k-1"))
        return state

    delivering = made("deliver", deliver)
    delivering.triggers = (Trigger("waiting", "outbox", "south"),)
    service, lines = heard(made("sort", keep, on="x"), delivering)
    service.post({"type": "x"})
    service.settle()
    assert [{"job": "sort", "count": 1}] == told(lines, "answers_kept")
    assert [{"job": "deliver", "count": 1}] == told(lines, "answers_delivered")


def test_a_new_day(heard):
    """R-ER3 That the old keys are destroyed is told, with how many they were."""
    service, lines = heard(made("sort", on="x"))
    service.post({"type": "x"})
    service.run(days=1)
    assert [{"count": 1}] == told(lines, "epoch_changed")


def test_a_remark(heard):
    """R-RT2 R-RT3 What a run found out about keys and certificates is told as a warning, by its code."""
    service, lines = heard(made("sort", settled("done", remarks=["secondary_key"]), on="x"))
    service.post({"type": "x"})
    service.settle()
    assert [{"job": "sort", "index": 0, "code": "secondary_key"}] == told(lines, "remark")
    assert ["warning"] == [line["level"] for line in lines if line["event"] == "remark"]
