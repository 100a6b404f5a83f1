"""Promises: values that are known only when the operation runs (adaptors/promises.py)."""

import copy
import operator

import pytest

from adaptors.common import data_value, derive, fields_read, fn_if, join, lookup, map_values, merge, source_value, text
from adaptors.errors import InvalidData, JobError, NotFound, PromiseError
from adaptors.promises import check_mapping, given, promised, reads_of, resolve

MISUSES = {
    ".upper()": lambda promise: promise.upper(),
    ".get(…)": lambda promise: promise.get("name"),
    "promise[0]": lambda promise: promise[0],
    "promise()": lambda promise: promise(),
    "==": lambda promise: promise == "female",
    "!=": lambda promise: promise != "female",
    "turned ==": lambda promise: "female" == promise,
    "<": lambda promise: promise < 3,
    "turned <": lambda promise: 3 < promise,
    "+": lambda promise: promise + "x",
    "turned +": lambda promise: "x" + promise,
    "-": lambda promise: promise - 1,
    "turned -": lambda promise: 1 - promise,
    "*": lambda promise: promise * 2,
    "turned *": lambda promise: 2 * promise,
    "/": lambda promise: promise / 2,
    "//": lambda promise: promise // 2,
    "%": lambda promise: promise % 2,
    "minus": lambda promise: -promise,
    "% in a text": lambda promise: "%s" % promise,  # noqa: UP031
    "f-string": lambda promise: f"{promise}",
    "format": lambda promise: "{:>9}".format(promise),  # noqa: UP032
    "str": str,
    "int": int,
    "float": float,
    "as a list's place": lambda promise: [1, 2][promise],
    "if": bool,
    "not": lambda promise: not promise,
    "or": lambda promise: promise or "none",
    "iteration": list,
    "unpacking": lambda promise: [*promise],
    "len": len,
    "in": lambda promise: "x" in promise,
    "in a list": lambda promise: promise in ["x"],
    "in a table": lambda promise: promise in {"x": 1},
    "table[…]": lambda promise: {"x": 1}[promise],
    "table.get(…)": lambda promise: {"x": 1}.get(promise),
    "as a key": lambda promise: {promise: 1},
    "in a set": lambda promise: {promise},
}


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES.keys())
@pytest.mark.parametrize(
    "promise", [data_value("sex"), source_value("case.sex"), derive(len, "sex"), text(data_value("sex"))], ids=repr
)
def test_used_as_if_it_were_the_value(promise, misuse):
    """Using a promise as if it were its value fails at once; message and fix say what was used and what to write."""
    with pytest.raises(PromiseError) as caught:
        misuse(promise)

    assert promise.describe in str(caught.value)
    assert "derive(" in caught.value.fix
    assert isinstance(caught.value, TypeError)


def test_harmless_looks():
    """A promise can be shown, copied and asked whether it can be called, as tools do."""
    promise = data_value("sex")

    assert '<promise data_value("sex")>' == repr(promise)
    assert {"data.sex"} == copy.copy(promise).reads
    assert "f" == resolve(copy.deepcopy({"sex": promise}), {"data": {"sex": "f"}})["sex"]


@pytest.mark.parametrize("make", [map_values, merge, check_mapping], ids=["map_values", "merge", "check_mapping"])
@pytest.mark.parametrize("wrong", [str.upper, lambda state: 1, map_values({})], ids=["method", "lambda", "operation"])
def test_bare_function_in_a_mapping(make, wrong):
    """A bare function in a mapping is refused when the job is loaded; the error names the field and says: derive."""
    with pytest.raises(JobError, match=r"services_section\[0\]\.type is a bare function") as caught:
        make({"sex": "female", "services_section": [{"type": wrong}]})

    assert "derive(function" in caught.value.fix


@pytest.mark.parametrize("wrong", [{1, 2}, b"bytes", object()], ids=["set", "bytes", "object"])
def test_strange_constant_in_a_mapping(wrong):
    """What could never be sent as JSON is refused when the job is loaded."""
    with pytest.raises(JobError, match=r"mapping\.sex is a "):
        check_mapping({"sex": wrong})


def test_function_as_a_value_of_derive():
    """Derive refuses a bare function among its values, since what that reads can't be known."""
    with pytest.raises(JobError, match="bare function"):
        derive(max, "age", len)


@pytest.mark.parametrize("wrong", ["first", None, data_value("first")], ids=["text", "none", "promise"])
def test_derive_needs_a_function(wrong):
    """Derive without a function first is refused when the job is loaded."""
    with pytest.raises(JobError, match="needs a function"):
        derive(wrong, "last")


def test_derive_gets_exactly_those_values():
    """The function gets the values it names, absent ones as None, and nothing else."""
    got = []
    promise = derive(
        lambda *values: got.append(values), "a.b", "absent", source_value("case.id"), 7, ["x", data_value("n")]
    )

    resolve(promise, {"data": {"a.b": 1, "n": 2, "secret": 3}, "case": {"id": "c-1"}})

    assert [(1, None, "c-1", 7, ["x", 2])] == got
    assert {"data.a.b", "data.absent", "case.id", "data.n"} == promise.reads


def test_derive_tells_of_a_value_it_cannot_use():
    """H41: what a function raises is told by fields and type, never with the value."""
    with pytest.raises(InvalidData) as caught:
        resolve(derive(int, "age"), {"data": {"age": "Nyaruot"}})

    assert "age: int can't use what it was given (ValueError)" == str(caught.value)
    assert ("age",) == caught.value.fields
    assert caught.value.__suppress_context__


def test_derive_lets_our_errors_pass():
    """An error of ours keeps its type and code; one about bad input also names the fields."""

    def nothing(name):
        raise NotFound("no such case")

    def unknown(name):
        return lookup({"f": "female"}, name, code="no_sex")

    with pytest.raises(NotFound, match=r"^no such case$"):
        resolve(derive(nothing, "name"), {"data": {}})
    with pytest.raises(ValueError, match=r"^sex: .*has no key") as caught:
        resolve(derive(unknown, "sex"), {"data": {"sex": "x"}})
    assert ("no_sex", ("sex",)) == (caught.value.code, caught.value.fields)


def test_at_once_or_promised():
    """Vocabulary works at once on values at hand, and promises when one of them is a promise."""
    assert 5 == promised("sum", operator.add, 2, 3)
    promise = promised("sum", operator.add, 2, data_value("n"))
    assert 'sum(2, data_value("n"))' == promise.describe
    assert 5 == resolve(promise, {"data": {"n": 3}})


def test_resolving():
    """Promises are kept wherever they stand; in lists what is absent is left out, and an empty list is absent."""
    mapping = {
        "plain": False,
        "deep": {"one": [{"two": data_value("here")}]},
        "list": [data_value("gone"), data_value("here"), 0],
        "empty": [data_value("gone")],
        "gone": data_value("gone"),
    }

    assert {"plain": False, "deep": {"one": [{"two": 1}]}, "list": [1, 0], "empty": None, "gone": None} == resolve(
        mapping, {"data": {"here": 1}}
    )


def test_arguments_of_operations():
    """An argument of an operation may be a value, a promise or a function of state."""
    state = {"data": {"id": "c-1"}}

    assert ["c-1"] * 3 == [given(way, state) for way in ("c-1", data_value("id"), lambda state: state["data"]["id"])]


def test_what_a_mapping_reads():
    """H40: what a mapping reads is known without running it, through every kind of promise."""
    mapping = {
        "a": data_value("one.x"),
        "b": [lookup({}, source_value("case.two"), default=data_value("three"))],
        "c": {"d": derive(print, text(data_value("$.four[*].x")), "five")},
        "e": join(" ", data_value("six"), "constant"),
    }

    assert {"data.one.x", "case.two", "data.three", "$.four[*].x", "data.five", "data.six"} == reads_of(mapping)
    assert reads_of(mapping) == map_values(mapping).reads == merge(mapping).reads


def test_what_operations_read():
    """H40: operations that hold others tell what those read."""
    assert {"data.urgent", "data.sex"} == fn_if(data_value("urgent"), map_values({"sex": data_value("sex")})).reads


def test_fields_to_ask_for():
    """H40: the fields to ask for are those that the mapping reads of that record, each once, and no others."""
    mapping = {
        "name": data_value("case.name_first"),
        "again": derive(len, "case.name_first"),
        "saved": source_value("case.sex"),
        "inside": data_value("$.case.services_section[0].type"),
        "other": data_value("service.type"),
        "longer": data_value("casework.note"),
        "bare": data_value("name_last"),
    }

    assert ["name_first", "services_section", "sex"] == fields_read(mapping, "case")
