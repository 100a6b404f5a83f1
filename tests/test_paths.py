"""Paths: dotted names, JSONPath, and the fast way that must find what JSONPath finds (adaptors/paths.py)."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext.parser import parse

from adaptors import paths
from adaptors.errors import JobError
from adaptors.paths import MISSING, check_path, find, find_all

NAMES = st.sampled_from(["a", "b", "_c", "d1"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(["", "a", "0"])
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=3), max_leaves=20
)
STEPS = st.one_of(NAMES.map(".{}".format), st.integers(0, 3).map("[{}]".format), st.just("[*]"))
PLAIN_PATHS = st.lists(STEPS, max_size=5).map(lambda steps: "$" + "".join(steps))


@settings(max_examples=500, deadline=None)
@given(path=PLAIN_PATHS, document=DOCUMENTS)
@example(path="$.a[*]", document={"a": {"b": 1, "d1": [2]}})
@example(path="$.a[*]", document={"a": "text"})
@example(path="$.a[*]", document={"a": None})
@example(path="$.a[*].b", document={"a": [{"b": None}, {}, 3, None, {"b": False}]})
@example(path="$.a[*]", document={})
@example(path="$.a[0]", document={"a": "text"})
@example(path="$[1]", document=[0])
@example(path="$", document=None)
def test_fast_way_equals_jsonpath(path, document):
    """The plain walk finds exactly what jsonpath_ng finds, in the same order, on any document."""
    assert paths._plain_steps(path) is not None

    assert [match.value for match in parse(path).find(document)] == list(find_all(path, document))


@pytest.mark.parametrize(
    ("path", "values"),
    [("$..n", [1, 2]), ("$.rows[?(@.n > 1)].n", [2]), ("$.rows[-1].n", [2]), ("$['with space']", ["x"])],
)
def test_true_jsonpath(path, values):
    """What the plain walk doesn't know is left to jsonpath_ng, filters included."""
    document = {"rows": [{"n": 1}, {"n": 2}], "with space": "x"}

    assert paths._plain_steps(path) is None
    assert values == list(find_all(path, document))


def test_longest_name_first():
    """The longest literal key wins; only then one dot deeper."""
    document = {"a.b.c": 1, "a.b": {"c": 2, "d": 3}, "a": {"b": {"c": 4, "d": 5, "e": 6}, "f": {"g.h": 7}}}

    assert [1, 3, 6, 7] == [find(path, document) for path in ("a.b.c", "a.b.d", "a.b.e", "a.f.g.h")]


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5), data=st.data())
def test_dotted_names_however_they_are_split(parts, data):
    """A value is found wherever the dots of its name are keys' own and wherever they are steps."""
    cuts = [data.draw(st.booleans()) for _ in parts[1:]]
    keys = [parts[0]]
    for cut, part in zip(cuts, parts[1:], strict=True):
        if cut:
            keys.append(part)
        else:
            keys[-1] += f".{part}"
    document = "found"
    for key in reversed(keys):
        document = {key: document}

    assert "found" == find(".".join(parts), document)


@pytest.mark.parametrize("document", [None, "text", 3, [], {}, {"a": None}, {"a": "text"}, {"a": [{"b": 1}]}])
def test_missing_is_not_null(document):
    """What isn't there is MISSING, whatever stands in its place; null is a value."""
    assert MISSING is find("a.b", document)
    assert MISSING is find("$.a.b", document)
    assert not MISSING
    assert None is find("a", {"a": None})
    assert None is find("$.a", {"a": None})


@pytest.mark.parametrize("name", [".", "..", "a.", ".a", "a..b"])
def test_odd_dots(name):
    """Dots at the ends or in a row are part of a name, never an endless search."""
    assert MISSING is find(name, {"a": {"b": 1}})
    assert 1 == find(name, {name: 1})


def test_several_values_where_one_is_needed():
    """A JSONPath that finds several values is an error with a fix, not the first of them."""
    with pytest.raises(JobError, match=r"finds 2 values") as caught:
        find("$.a[*]", {"a": [1, 2]})

    assert "each()" in caught.value.fix
    assert 1 == find("$.a[*]", {"a": [1]})


@pytest.mark.parametrize("path", ["", "  ", None, 3, ["a"], "$.", "$[", "$.a[?(", "$x", "$.a b c", "$.'", "$['a]"])
def test_no_path(path):
    """What is no path is refused when the job is loaded, with a fix."""
    with pytest.raises(JobError) as caught:
        check_path(path)

    assert caught.value.fix


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # some of jsonpath_ng's old operators
@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="$.[]()*?@'\"ab01,:&|~<>= `\\ \n", max_size=12).map("$".__add__))
def test_any_text_is_a_path_or_refused(path):
    """No text, however wrong, makes anything but a JobError."""
    with contextlib.suppress(JobError):
        check_path(path)


def test_parsed_once():
    """A JSONPath is parsed once and kept, since parsing costs far more than walking."""
    assert paths._compiled("$..kept") is paths._compiled("$..kept")
    assert paths._plain_steps("$.kept[*]") is paths._plain_steps("$.kept[*]")
