"""`each`: one record at a time, each with its own outcome (adaptors/items.py)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adaptors.common import data_value, each, fn, log_ids, note, require, save_as, source_value
from adaptors.errors import (
    Ambiguous,
    InvalidData,
    JobError,
    MappingError,
    MissingFields,
    NotAllowed,
    NotFound,
    Parked,
    Rejected,
    TimedOut,
    Unreachable,
    Untrustworthy,
    Withheld,
)
from adaptors.operations import Operation

PERSON = "Nyaruot Beispiel"


def raises(error):
    def fail(state):
        raise error

    return fail


def only_bad(error):
    """An operation that fails for the record "bad" only."""

    def look(state):
        if state["data"] == "bad":
            raise error
        return state

    return look


def outcomes(state):
    return [item["outcome"] for item in state["outcomes"]]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "error", [InvalidData("x"), Unreachable("x"), JobError("x"), KeyError(PERSON), RecursionError()], ids=repr
)
def test_a_bad_item_stops_no_other(error, workers):
    """H5: a bad item never stops the others, whatever its error and however many run at a time."""
    seen = []

    state = each(
        ["a", "bad", "b", "c"], only_bad(error), lambda state: seen.append(state["data"]) or state, workers=workers
    )({})

    assert ["a", "b", "c"] == sorted(seen)
    assert ["done", "done", "done"] == [outcome for place, outcome in enumerate(outcomes(state)) if place != 1]
    assert "done" != outcomes(state)[1]


@pytest.mark.parametrize(
    ("error", "alone", "told"),
    [
        (MissingFields("x"), "parked", "refused"),
        (InvalidData("x"), "parked", "refused"),
        (MappingError("x"), "parked", "refused"),
        (Ambiguous("x"), "parked", "refused"),
        (Rejected("x"), "parked", "refused"),
        (Withheld("x"), "withheld", "withheld"),
        (Parked("x"), "parked", "parked"),
        (NotFound("x"), "parked", "parked"),
        (NotAllowed("x"), "failed", "failed"),
        (Unreachable("x"), "failed", "failed"),
        (TimedOut("x"), "failed", "failed"),
        (JobError("x"), "failed", "failed"),
        (ZeroDivisionError("x"), "failed", "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_outcome_by_type(error, alone, told):
    """H10: the outcome follows the error's type; what is refused and told to nobody is parked."""
    answered = []

    assert [alone] == outcomes(each([1], raises(error))({}))
    assert [told] == outcomes(each([1], raises(error), when_refused=[lambda state: answered.append(1) or state])({}))
    assert (told == "refused") == bool(answered)


def test_what_an_error_leaves_in_the_item():
    """An item tells code, message, fix, operation, and the ids known before and with the error."""
    error = InvalidData("sex is no code", code="odd", fix="Correct it.", ids={"case_id": "c-1"})

    (item,) = each([{"n": "INT-1"}], log_ids(intervention=data_value("n")), raises(error))({})["outcomes"]

    assert {"intervention": "INT-1", "case_id": "c-1"} == item["ids"]
    assert ("odd", "sex is no code", "Correct it.", "fail") == tuple(
        item[key] for key in ("code", "message", "fix", "operation")
    )


def test_the_unforeseen_is_told_without_its_message():
    """H41: an error that isn't ours may hold data in its text, so only its type and place are told."""

    def slip(state):
        return {"female": 1}[state["data"]]

    (item,) = each([PERSON], slip)({})["outcomes"]

    assert ("failed", "unforeseen", "slip") == (item["outcome"], item["code"], item["operation"])
    assert item["message"].startswith("KeyError in test_items.py, line ")
    assert PERSON not in str(item)


@pytest.mark.parametrize("returned", [None, PERSON, [1]], ids=["nothing", "text", "list"])
def test_operation_that_returns_no_state(returned):
    """An operation that returns no state fails its item; the fix says to end it with return state."""
    (item,) = each([1], lambda state: returned)({})["outcomes"]

    assert ("failed", "job_script") == (item["outcome"], item["code"])
    assert "return state" in item["fix"]
    assert PERSON not in str(item)


def test_who_is_told_of_a_refusal():
    """H34: what tells the sender finds the error's code, type, operation, ids and fields in the state."""
    told = []

    def tell(state):
        told.append((state["data"], state["error"]))
        return state

    error = MissingFields("missing: sex", fix="Ask for it.", fields=("sex",), ids={"case_id": "c-1"})
    state = each(["bad", "good"], only_bad(error), when_refused=[tell])({})

    expected = {
        "code": "missing_fields", "type": "MissingFields", "operation": "look", "item": {"case_id": "c-1"},
        "fix": "Ask for it.", "retryable": False, "fields": ["sex"], "ids": {"case_id": "c-1"},
    }  # fmt: skip
    assert [("bad", expected)] == told
    assert ["refused", "done"] == outcomes(state)
    assert "error" not in state


def test_what_was_found_before_a_refusal_is_there_for_the_answer():
    """H33: an answer to a refusal has what earlier operations saved for that very item."""
    told = []
    find = save_as("case", lambda state: {**state, "data": {"case_id": state["data"]}})

    each(
        ["c-1", "c-2"],
        find,
        raises(InvalidData("x")),
        when_refused=[lambda state: told.append(state["case"]["case_id"]) or state],
    )({})

    assert ["c-1", "c-2"] == told


def test_a_refusal_that_cannot_be_told():
    """H35: when telling the sender fails for good, a person must; both reasons stand in the item."""
    state = each([1], raises(InvalidData("no sex")), when_refused=[raises(Rejected("the gateway refused"))])({})

    (item,) = state["outcomes"]
    assert "parked" == item["outcome"]
    assert "no sex; and nobody could be told: the gateway refused" == item["message"]


def test_a_refusal_that_cannot_be_told_now():
    """H35: when telling the sender fails for now, the item is tried again."""
    state = each([1], raises(InvalidData("no sex")), when_refused=[raises(Unreachable("down"))])({})

    assert ["failed"] == outcomes(state)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("where", ["operation", "answer"])
def test_what_stops_the_run(workers, where):
    """H13: an answer that can't be trusted stops the run at once; what was settled before stays known."""
    stop, state = Untrustworthy("another question's answer"), {"outcomes": []}
    steps = [raises(stop)] if where == "operation" else [raises(InvalidData("x"))]
    seen = []

    def until(state):
        seen.append(state["data"])
        return state if state["data"] < 3 else steps[0](state)

    with pytest.raises(Untrustworthy):
        each(range(1_000), until, when_refused=[raises(stop)], workers=workers)(state)

    assert ["done"] * 3 == outcomes(state)
    assert len(seen) <= 3 + 2 * workers


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_in_order(workers):
    """However many run at a time, results stand in the order of the records."""
    turn = threading.Barrier(2, timeout=30)

    def slow_for_even(state):
        if workers > 1 and state["data"] < 2:
            turn.wait()  # the first two are under way together
        return {**state, "data": state["data"] * 10}

    state = each(range(20), slow_for_even, workers=workers, collect="tens")({})

    assert [place * 10 for place in range(20)] == state["tens"]
    assert ["done"] * 20 == outcomes(state)


def test_as_many_at_a_time_as_asked():
    """`workers` is how many run at a time, and the pool comes from the run's runtime."""
    asked = []

    class Pools:
        def pool(self, workers):
            asked.append(workers)
            return ThreadPoolExecutor(workers)

    each(range(5), fn(lambda state: state), workers=3)({"runtime": Pools()})

    assert [3] == asked


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_source_is_not_read_far_ahead(workers):
    """H1: pages stream: no more than twice `workers` records are read before their turn."""
    read, done, ahead = [], [], []

    def records():
        for place in range(50):
            read.append(place)
            yield place

    def note_distance(state):
        ahead.append(len(read) - len(done))
        return state

    def settled(state):
        done.append(state["data"])
        return state

    each(records(), note_distance, settled, workers=workers)({})

    assert 50 == len(done)
    assert max(ahead) <= (1 if workers == 1 else 2 * workers)


def test_reading_operation_streams():
    """An operation that reads is gone through record by record, and may leave its cursor in the state."""

    def stream(state):
        yield from "ab"
        state["cursor"] = "2026-03-01T00:00:00Z"

    state = each(Operation("get_cases", lambda state: state, stream=stream), fn(lambda state: state))({"cursor": "old"})

    assert ["done", "done"] == outcomes(state)
    assert "2026-03-01T00:00:00Z" == state["cursor"]


def test_source_that_breaks_off():
    """H3: when reading ends in an error, that is the run's; what was settled before stays known."""

    def records():
        yield 1
        raise Unreachable("page 2")

    state = {"outcomes": []}
    with pytest.raises(Unreachable):
        each(records(), fn(lambda state: state))(state)

    assert ["done"] == outcomes(state)


@pytest.mark.parametrize(
    "source",
    [
        "$.data.list[*]",
        [1, 2],
        (1, 2),
        iter([1, 2]),
        data_value("list"),
        source_value("data.list"),
        lambda state: state["data"]["list"],
        lambda state: (number for number in (1, 2)),
    ],
)
def test_sources(source):
    """A source is a JSONPath, a list, anything iterable, a promise or a function of state."""
    state = each(source, fn(lambda state: state), collect="found")({"data": {"list": [1, 2]}})

    assert [1, 2] == state["found"]


@pytest.mark.parametrize("source", ["$.data[*]", [], data_value("absent"), lambda state: None])
def test_nothing_to_go_through(source):
    """H54: no record at all is a valid answer."""
    assert [] == each(source, raises(Parked("x")))({"data": {}})["outcomes"]


@pytest.mark.parametrize("source", ["interventions[*]", "$.a[", "", "$x"])
def test_text_that_is_no_path(source):
    """A source that is no path from $ is refused when the job is loaded."""
    with pytest.raises(JobError) as caught:
        each(source)

    assert caught.value.fix


@pytest.mark.parametrize(
    "source",
    [lambda state: "text", lambda state: {"a": 1}, lambda state: 3, data_value("one"), fn(lambda state: state)],
)
def test_source_that_is_no_list(source):
    """What can't be gone through record by record is an error with a fix, not one record."""
    with pytest.raises(JobError) as caught:
        each(source)({"data": {"one": {"a": 1}}})

    assert caught.value.fix


@pytest.mark.parametrize("workers", [1, 3])
def test_each_item_has_a_state_of_its_own(workers):
    """Every item works on its own shallow copy: keys of the outer state are readable, what an item saves is its own."""
    leaked = []

    def look(state):
        leaked.append("saved" in state)
        state["saved"] = state["outer"] + state["data"]
        return state

    state = each([1, 2, 3], look, workers=workers)({"outer": 10, "data": "kept"})

    assert [False] * 3 == leaked
    assert ("kept", False) == (state["data"], "saved" in state)


def test_nested():
    """Items of an inner `each` count one by one; the outer item counts only where it has its own to say."""
    inner = each(lambda state: state["data"]["services"], only_bad(InvalidData("x")))
    cases = [{"services": ["a", "bad"]}, {"services": []}, {"services": ["b"]}]

    assert ["done", "parked", "done"] == outcomes(each(cases, inner)({}))
    assert ["done", "parked", "parked", "parked", "done", "parked"] == outcomes(
        each(cases, inner, raises(Parked("y")))({})
    )
    assert ["parked"] * 3 == outcomes(each(cases, raises(Parked("y")), inner)({}))


def test_collecting():
    """Only records that came through well are collected, as the operations left them."""
    state = each(["a", "bad", "b"], only_bad(Withheld("x")), save_as("x", fn(lambda state: state)), collect="kept")({})
    assert ["a", "bad", "b"] == state["kept"]

    state = each(["a", "bad", "b"], only_bad(InvalidData("x")), collect="kept")({})
    assert ["a", "b"] == state["kept"]


def test_outcomes_add_up():
    """Outcomes of one `each` stand after those of the one before."""
    twice = each([2], raises(Parked("x")))(each([1], note("seen"))({}))

    assert ["done", "parked"] == outcomes(twice)
    assert "seen" == twice["outcomes"][0]["message"]


def test_what_each_reads():
    """H40: what the operations read, those that answer refusals among them, is known without running them."""
    operation = each([], require("sex"), when_refused=[require("id")])

    assert {"data.sex", "data.id"} == operation.reads


@pytest.mark.parametrize("where", ["operations", "when_refused"])
def test_no_operation_within(where):
    """What is no operation is refused when the job is loaded, with its number."""
    with pytest.raises(JobError, match="number 2 in"):
        each([], *([require("a"), {}] if where == "operations" else []), when_refused=[require("a"), {}])
