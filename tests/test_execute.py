"""A run: the state it begins with, its operations in order, and everything that can end it."""

import asyncio
import os
import re
import signal
import threading
from pathlib import Path

import pytest

from runner import execute
from runner.errors import JobFailed, Stopped, StoreError, WrongUse
from runner.guard import Ending
from runner.jobscript import JobScript
from runner.store import Store
from runner.work.windows import is_id, record_of

MARK = re.compile(r"-[0-9a-f]{8}\)$")


def job(*operations):
    return JobScript("referrals", Path("referrals.py"), "Carries referrals.", operations)


def begin(**given):
    return execute.initial_state(given, {}, store=None)


def first(state):
    return {**state, "data": [*state["data"], "first"]}


def second(state):
    state["data"].append("second")
    return state


def settled(*outcomes):
    def go_through(state):
        state["outcomes"] += [{"outcome": outcome, "ids": {"case_id": f"{outcome}-1"}} for outcome in outcomes]
        return state

    return go_through


def test_operations_in_order():
    """Operations run one after the other over one state, and each is timed under its name."""
    run = execute.execute(job(first, second, first), begin(data=[]))
    assert ["first", "second", "first"] == run.state["data"]
    assert ["first", "second", "first"] == [operation["name"] for operation in run.operations]
    assert all(operation["seconds"] >= 0 for operation in run.operations)
    assert ("succeeded", 0) == (run.outcome, run.exit_code)


def test_state_at_the_beginning(tmp_path):
    """The engine hands over what docs/architecture.md names, and nothing it has no use for."""
    with Store.open(tmp_path) as store:
        state = execute.initial_state({"data": {"a": 1}, "kept": 2}, {"north": {}}, store=store, dry_run=True)
        assert {
            "data", "kept", "configuration", "message", "outcomes", "errors", "ledger", "outbox", "dry_run"
        } == set(state)  # fmt: skip
        assert ({"a": 1}, {"north": {}}, [], []) == (
            state["data"],
            state["configuration"],
            state["outbox"],
            state["dry_run"],
        )
    bare = execute.initial_state({}, {}, store=None)
    assert {"data", "configuration", "message", "outcomes", "errors"} == set(bare)
    assert 32 == len(bare["message"])
    assert bare["message"] != begin()["message"]


def test_outbox_of_the_delivering_job(tmp_path):
    """A job with an outbox trigger finds the waiting answers of that system; any other finds an empty list."""
    answer = {"system": "south", "kind": "answer", "key": "1", "value": "", "send": {}}
    with Store.open(tmp_path) as store:
        store.outbox().append(answer)
        assert [answer] == execute.initial_state({}, {}, store=store, delivers_to="south")["outbox"]
        assert [] == execute.initial_state({}, {}, store=store, delivers_to="north")["outbox"]
        assert [] == execute.initial_state({}, {}, store=store)["outbox"]


@pytest.mark.parametrize(
    ("outcomes", "outcome", "exit_code", "cursor"),
    [
        (("done", "unchanged", "withheld"), "succeeded", 0, "2026"),
        (("done", "refused"), "succeeded", 4, "2026"),
        (("parked", "done"), "needs_person", 4, "2026"),
        (("failed", "parked", "done"), "failed", 4, None),
        ((), "succeeded", 0, "2026"),
    ],
)
def test_what_the_run_is(outcomes, outcome, exit_code, cursor):
    """H3: the items' outcomes decide about the run; the cursor may move unless an item is to be tried again."""
    run = execute.execute(job(settled(*outcomes)), begin(cursor="2026"))
    assert (outcome, exit_code, cursor) == (run.outcome, run.exit_code, run.cursor)


def test_items_of_the_report():
    """H5: each item is told with its position; those that need a look are also the state's errors."""
    run = execute.execute(job(settled("done", "parked")), begin())
    assert [(0, "done", {"case_id": "done-1"}), (1, "parked", {"case_id": "parked-1"})] == [
        (item["index"], item["outcome"], item["ids"]) for item in run.items
    ]
    assert {"index", "outcome", "ids", "code", "message", "fix"} == set(run.items[0])
    assert [run.items[1]] == run.state["errors"]


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ("GAM-26-0000901", "GAM-26-0000901"),
        ("c-1 c-2", "c-1 c-2"),
        (901, "901"),
        ("Nyaruot", "(7-characters)"),
        ("nyaruot", "(7-characters)"),
        ("asha7@example.org", "(17-characters)"),
        ("c-1\nNyaruot", "(11-characters)"),
    ],
)
def test_what_is_called_an_id(called, told):
    """H41: what a far side or a job gives as an id is told only when it looks like one, also in the cause of a try."""

    def find(state):
        state["outcomes"].append({"outcome": "failed", "ids": {"case_id": called, "kind": "answer"}})
        return state

    run = execute.execute(job(find), begin())
    ids = {"case_id": told, "kind": "answer"}
    everywhere = [run.items[0]["ids"], run.causes[0].item, *(error["ids"] for error in run.state["errors"])]
    assert [ids] * 3 == [{**each, "case_id": MARK.sub(")", each["case_id"])} for each in everywhere]


def test_records_whose_ids_are_not_told():
    """H41 H52: two records are never taken for one because neither's id may be told; and one is always the same."""

    def find(state):
        state["outcomes"] += [{"outcome": "parked", "ids": {"id": name}} for name in ("Nyaruot", "Nyamuon", "Nyaruot")]
        return state

    one, other, again = (record_of(item) for item in execute.execute(job(find), begin()).items)
    assert one != other
    assert one == again
    assert not is_id(one)


def test_state_made_anew():
    """An operation may make a new state of its own; what the engine put there survives."""
    run = execute.execute(job(settled("done"), lambda state: {"data": 1}, settled("done")), begin(cursor="2026"))
    assert (1, 2, "2026") == (run.state["data"], len(run.items), run.cursor)


@pytest.mark.parametrize("returned", [None, [], 3])
def test_operation_that_returns_no_state(returned):
    """An operation that returns no dict is told what to write."""
    run = execute.execute(job(lambda state: returned), begin())
    assert (1, "End the function with: return state") == (run.exit_code, run.error.fix)
    assert "no_state" == run.error.cause.code


def test_unforeseen_error_shows_no_data():
    """H41: of an error that isn't made to be shown only type, place and operation are told: its text may hold data."""

    def look(state):
        return {"x": 1}[state["data"]["name"]]

    run = execute.execute(job(settled("done"), look, first), begin(data={"name": "Nyaruot"}))
    assert isinstance(run.error, JobFailed)
    assert "Nyaruot" not in f"{run.error} {run.error.cause}"
    assert "referrals, operation 2 (look), after 1 item: KeyError in test_execute.py, line" in str(run.error)
    assert ("failed", 1, "look") == (run.outcome, run.exit_code, run.operations[1]["name"])
    assert run.error.__cause__ is None


def test_error_made_to_be_shown():
    """An adaptor's error is known by its attributes: code, fix, retryable; its message is ours and is shown."""

    class NotAllowedError(Exception):
        code, fix, retryable = "not_allowed", "Check the password.", True

    def get_cases(state):
        raise NotAllowedError("401 from north.example.org")

    run = execute.execute(job(get_cases), begin())
    assert "referrals, operation 1 (get_cases): NotAllowedError: 401 from north.example.org" == str(run.error)
    assert {
        "code": "not_allowed", "type": "NotAllowedError", "operation": "get_cases", "item": {},
        "fix": "Check the password.", "retryable": True,
    } == run.state["error"]  # fmt: skip
    assert run.cursor is None


def test_store_that_fails(tmp_path):
    """H16: a ledger that can't be written ends the run, since nothing may be sent unremembered."""
    store = Store.open(tmp_path)
    state = execute.initial_state({}, {}, store=store)
    store.close()

    def send(state):
        state["ledger"].write("referral", "r1", {"status": "intended", "value": "", "answer": {}})
        return state

    with pytest.raises(StoreError) as caught:
        send(state)
    assert caught.value.stops_run
    assert (1, "store") == (execute.execute(job(send), state).exit_code, caught.value.code)


def test_job_that_exits():
    """A job that calls exit ends itself, not the runner."""

    def leave(state):
        raise SystemExit(0)

    assert 1 == execute.execute(job(leave), begin()).exit_code


@pytest.mark.parametrize(
    "raised", [GeneratorExit, BaseException, asyncio.CancelledError, type("Own", (BaseException,), {})]
)
def test_errors_outside_exception(raised):
    """Whatever a job raises ends its run as a failure that is told without its text, and not what runs the job."""

    def stumble(state):
        raise raised("Nyaruot")

    run = execute.execute(job(stumble), begin())
    assert ("failed", "unforeseen", raised.__name__) == (run.outcome, run.code, run.causes[0].type)
    assert "Nyaruot" not in str(run.error)


def test_an_end_from_outside():
    """An end from outside of the job is no failure of its own: it passes, and the run keeps nothing of it."""

    def end(state):
        raise Ending

    with pytest.raises(Ending):
        execute.execute(job(end), begin())


def test_items_before_an_error_are_told():
    """What was settled before a run ended is in its report."""

    def stumble(state):
        state["outcomes"].append({"outcome": "done"})
        raise ValueError

    assert ["done"] == [item["outcome"] for item in execute.execute(job(stumble), begin()).items]


def test_time_limit():
    """A run that takes too long is stopped even where every item catches its own errors."""

    def hang(state):
        while True:
            try:
                threading.Event().wait(30)
            except Exception:
                continue

    before = signal.getsignal(signal.SIGALRM)
    run = execute.execute(job(hang), begin(), timeout=0.05)
    assert isinstance(run.error, Stopped)
    assert (5, "failed") == (run.exit_code, run.outcome)
    assert before == signal.getsignal(signal.SIGALRM)


def test_interrupted():
    """Ctrl-C ends the run with a report, and is told as such."""

    def wait(state):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(30)
        return state

    run = execute.execute(job(settled("done"), wait), begin())
    assert (5, 1) == (run.exit_code, len(run.items))


def test_printing_is_dropped(capsys):
    """H48: what a job prints is counted and shown nowhere."""

    def show(state):
        print(state, "\nsecond line")  # noqa: T201
        return state

    assert 2 == execute.execute(job(show), begin(data="Nyaruot")).printed
    assert ("", "") == capsys.readouterr()


def test_printing_of_runs_at_the_same_time(capsys):
    """H48: while any run goes on, nothing that a job prints is shown; afterwards people are heard again."""
    inside, outside = threading.Event(), threading.Event()

    def linger(state):
        inside.set()
        outside.wait(30)
        print("Nyaruot")  # noqa: T201
        return state

    lingering = threading.Thread(target=execute.execute, args=(job(linger), begin()))
    lingering.start()
    inside.wait(30)
    execute.execute(job(first), begin(data=[]))
    outside.set()
    lingering.join()
    print("heard")  # noqa: T201
    assert ("heard\n", "") == capsys.readouterr()


def test_time_limit_in_a_thread():
    """A run in a thread is held to its time as well, even where it catches every error."""
    runs = []

    def hang(state):
        for _ in range(2000):
            try:
                threading.Event().wait(0.01)
            except Exception:
                continue
        return state

    thread = threading.Thread(target=lambda: runs.append(execute.execute(job(hang), begin(), timeout=0.05)))
    thread.start()
    thread.join()
    assert [5] == [run.exit_code for run in runs]


def test_runtime_is_closed():
    """What lives as long as the run, such as an HTTP client, is closed at its end, however it ends."""
    closed = []

    class Runtime:
        def close(self):
            closed.append(True)

    def fail(state):
        state["runtime"] = Runtime()
        raise ValueError

    execute.execute(job(fail), begin())
    assert [True] == closed


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        ({}, [1, 2, 3]), ({"only": "2"}, [2]), ({"only": "second"}, [2]), ({"start": "2"}, [2, 3]),
        ({"end": "second"}, [1, 2]), ({"start": "second", "end": "3"}, [2, 3]),
    ],
)  # fmt: skip
def test_choosing_operations(choice, numbers):
    """Operations are chosen by number from 1 or by name, both ends included."""
    assert numbers == [number for number, _ in execute.choose(job(first, second, first), **choice)]


@pytest.mark.parametrize(
    "choice", [{"only": "0"}, {"only": "4"}, {"start": "first"}, {"end": "x"}, {"start": "3", "end": "1"}]
)
def test_choosing_what_is_not_there(choice):
    """A number out of range, an unknown name, or a name of several is wrong use, and the fix lists the operations."""
    with pytest.raises(WrongUse) as caught:
        execute.choose(job(first, second, first), **choice)
    assert "1 first, 2 second, 3 first" in caught.value.fix
