"""The operations that jobs are written in (adaptors/common.py); `each` and `once` have tests of their own."""

import pytest

from adaptors import common
from adaptors.common import (
    assert_that,
    combine,
    cursor,
    data_value,
    each,
    fn,
    fn_if,
    log_ids,
    map_values,
    merge,
    note,
    require,
    save_as,
    source_value,
)
from adaptors.errors import InvalidData, JobError, MissingFields
from adaptors.operations import Operation


def grow(state):
    state["data"] += 1
    return state


def forget(state):
    state["data"] += 1


def test_vocabulary_is_told():
    """All that the module offers is in its `__all__`, and named in its docstring."""
    assert [] == [name for name in common.__all__ if f"`{name}`" not in common.__doc__]
    assert all(callable(getattr(common, name)) for name in common.__all__)


def test_fn():
    """Any function from state to state becomes an operation that bears its name; an operation stays what it is."""
    operation = fn(grow)

    assert "grow" == operation.__name__
    assert {"data": 2} == operation({"data": 1})
    assert operation is fn(operation)


@pytest.mark.parametrize("wrap", [fn, lambda step: fn_if(True, step), combine, lambda step: save_as("x", step)])
def test_function_that_returns_nothing(wrap):
    """An operation that returns no state is an error whose fix says to return it, wherever the operation stands."""
    with pytest.raises(JobError, match="forget returned nothing") as caught:
        wrap(forget)({"data": 1})

    assert "return state" in caught.value.fix


def test_function_that_returns_something_else():
    """A state is a dict; what isn't is told as such, and not shown."""
    with pytest.raises(JobError, match=r"^<lambda> returned no state$"):
        fn(lambda state: "Nyaruot")({})


@pytest.mark.parametrize(
    "make",
    [fn, combine, lambda step: fn_if(True, step), lambda step: save_as("x", step), lambda step: common.each([], step)],
)
@pytest.mark.parametrize("wrong", [None, {"sex": "female"}, [grow], "grow"], ids=["none", "mapping", "list", "text"])
def test_no_operation(make, wrong):
    """What can't be called is refused where an operation belongs, when the job is loaded."""
    with pytest.raises(JobError, match="not an operation") as caught:
        make(wrong)

    assert "fn(" in caught.value.fix


def test_what_belongs_to_the_engine_survives():
    """An operation may make its state anew: what the engine has put there stays."""
    kept = {"configuration": {}, "ledger": 1, "outbox": [], "item": {}, "outcomes": [], "message": "m1", "cursor": "c"}

    assert {**kept, "data": 2} == fn(lambda state: {"data": 2})({**kept, "data": 1, "saved": 3})
    assert "other" == fn(lambda state: {"cursor": "other"})(kept)["cursor"]


@pytest.mark.parametrize("condition", [True, data_value("urgent"), lambda state: state["data"]["urgent"]])
def test_fn_if(condition):
    """The operation runs only when the condition holds, be it a value, a promise or a function of state."""

    def tell(state):
        return {**state, "told": True}

    assert "told" in fn_if(condition, tell)({"data": {"urgent": True}})
    assert (condition is True) == ("told" in fn_if(condition, tell)({"data": {"urgent": False}}))


def test_combine():
    """Several operations in one, in order; what they read is told together."""
    both = combine(grow, grow, map_values({"n": data_value("$"), "sex": source_value("case.sex")}))

    assert {"n": 3, "sex": "female"} == both({"data": 1, "case": {"sex": "female"}})["data"]
    assert {"$", "case.sex"} == both.reads
    assert {"data": 1} == combine()({"data": 1})


def test_map_values():
    """`data` becomes what the mapping says, and nothing of what it was."""
    state = {"data": {"first": "Abeba", "secret": 1}, "kept": 2}

    assert {"data": {"name": "Abeba", "gone": None}, "kept": 2} == map_values(
        {"name": data_value("first"), "gone": data_value("absent")}
    )(state)
    assert {"first": "Abeba", "secret": 1} == state["data"]


def test_merge():
    """What the mapping says is added to `data`; the record itself is not touched."""
    state = {"data": {"sex": "female", "age": 8}}

    assert {"sex": "female", "age": 9} == merge({"age": 9})(state)["data"]
    assert 8 == state["data"]["age"]
    assert {"age": 9} == merge({"age": 9})({})["data"]


def test_save_as():
    """What the operation makes of `data` is kept under the name; `data` and all else stays."""

    def find(state):
        return {**state, "data": {"case_id": "c-1"}, "response": 200}

    operation = save_as("case", find)

    assert {"data": {"id": 1}, "case": {"case_id": "c-1"}, "response": 200} == operation({"data": {"id": 1}})
    assert 'save_as("case", find)' == operation.__name__


@pytest.mark.parametrize("name", ["ledger", "outbox", "configuration", "data", "errors", "resting", "cursor"])
def test_names_of_the_engine(name):
    """What is saved can't take the place of what the engine keeps in the state; refused when the job is loaded."""
    with pytest.raises(JobError, match=f'"{name}", which is the engine\'s'):
        save_as(name, dict)
    with pytest.raises(JobError, match="collect can't use the name"):
        each([], dict, collect=name)


@pytest.mark.parametrize("value", [None, "", "  ", [], {}])
def test_require_refuses_what_is_empty(value):
    """Absent, null, empty and blank are all missing, and the error lists every one by name."""
    with pytest.raises(MissingFields, match=r"^missing: a\.b, gone, \$\.c\.d$") as caught:
        require("a.b", "there", "gone", "$.c.d")({"data": {"a.b": value, "there": 1, "c": {}}})

    assert (("a.b", "gone", "$.c.d"), "missing_fields", "refused") == (
        caught.value.fields,
        caught.value.code,
        caught.value.outcome,
    )


@pytest.mark.parametrize("value", [0, False, "x", ["x"], {"Name": None}])
def test_require_takes_what_is_there(value):
    """Zero and false are values."""
    assert {"data": {"n": value}} == require("n")({"data": {"n": value}})


@pytest.mark.parametrize("condition", [data_value("ok"), lambda state: state["data"]["ok"]])
def test_assert_that(condition):
    """A record for which the condition doesn't hold is refused, with the sentence, code and fix of the job."""
    operation = assert_that(condition, "no consent", code="no_consent", fix="Ask for it.")

    assert {"data": {"ok": True}} == operation({"data": {"ok": True}})
    with pytest.raises(InvalidData, match=r"^no consent$") as caught:
        operation({"data": {"ok": False}})
    assert ("no_consent", "Ask for it.", "refused") == (caught.value.code, caught.value.fix, caught.value.outcome)


def test_log_ids():
    """Ids are kept under their names; absent ones are left out, earlier ones stay."""
    state = {"data": {"case_id": "c-1", "n": 7, "gone": None}, "item": {"ids": {"id": "1"}}}

    log_ids(case_id=data_value("case_id"), n=data_value("n"), gone=data_value("gone"), now="GAM/26-01#a")(state)

    assert {"id": "1", "case_id": "c-1", "n": "7", "now": "GAM/26-01#a"} == state["item"]["ids"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Nyaruot Beispiel", "(16 characters)"),
        ("ንያሩት", "(4 characters)"),
        ("x" * 81, "(81 characters)"),
        ("a\nb", "(3 characters)"),
        ({"Name": "Abeba"}, "dict"),
        (["Abeba"], "list"),
    ],
)
def test_log_ids_shows_only_ids(value, shown):
    """H41: what doesn't look like an id may be somebody's name: its length is told, or its type."""
    assert shown == log_ids(case_id=value)({})["item"]["ids"]["case_id"]


def test_note():
    """Sentences about an item stand one after the other."""
    assert "one; two" == combine(note("one"), note("two"))({"item": {}})["item"]["message"]


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T09:50:00Z"),
        ("2026-03-01T10:00:00.123Z", "2026-03-01T09:50:00Z"),
        ("2026-03-01T00:05:00+03:00", "2026-02-28T20:55:00Z"),
        ("2026-03-01", "2026-02-28T23:50:00Z"),
    ],
)
def test_cursor(stamp, since):
    """H2: reading starts ten minutes before the newest stamp that was settled; the cursor itself stays."""
    assert {"cursor": stamp, "since": since} == cursor()({"cursor": stamp})


def test_overlap_of_the_cursor():
    """H2: a job may say how large the overlap is."""
    assert "2026-03-01T09:00:00Z" == cursor(overlap_minutes=60)({"cursor": "2026-03-01T10:00:00Z"})["since"]


@pytest.mark.parametrize("stamp", [None, ""])
def test_no_cursor(stamp):
    """H6: without a cursor there is no start; the fix says how the operator gives one."""
    with pytest.raises(JobError) as caught:
        cursor()({"cursor": stamp})

    assert "no_cursor" == caught.value.code
    assert "--since" in caught.value.fix


@pytest.mark.parametrize(
    "stamp", ["yesterday", "20260301", "2026-02-30", "2026-03-01T10:00", 20260301, "2026-03-01T10:00:00"]
)
def test_cursor_that_is_no_stamp(stamp):
    """H2: a cursor that doesn't say its moment exactly is refused, not guessed."""
    with pytest.raises(JobError, match="no time stamp"):
        cursor()({"cursor": stamp})


def test_operations_show_their_names():
    """An operation shows itself by its name, in reports and at the prompt."""
    assert "<operation require>" == repr(require("a"))
    assert isinstance(require("a"), Operation)
