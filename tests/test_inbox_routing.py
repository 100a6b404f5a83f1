"""Which jobs a message is for, and how it is split."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext import parse

from runner.inbox import paths
from runner.inbox.routing import route
from runner.project import Job
from runner.triggers import Trigger

MESSAGE = {"type": "x", "__query_params": {}, "parts": [{"child.id": "A", "n": 1}, {"child.id": " B ", "n": 2}]}


def job(name, **trigger):
    """A job with one trigger."""
    return Job(name, Path(f"{name}.py"), (Trigger.read(name, {"message": {"type": "x"}, **trigger}),))


def test_split():
    """A message is split into whole messages with one element each, in order, and each bears its subject."""
    parts = list(route(MESSAGE, [job("sort", split="$.parts[*]", subject="$.parts[*]['child.id']")]))
    assert ["A", "B"] == [part.subject for part in parts]
    assert [{**MESSAGE, "parts": [element]} for element in MESSAGE["parts"]] == [part.message for part in parts]


def test_several_jobs():
    """Each job that is enabled and waits for the message gets it, once, even where two of its triggers match."""
    twice = Job("twice", Path("t.py"), tuple(Trigger.read(name, {"message": {"type": "x"}}) for name in "ab"))
    off = Job("off", Path("o.py"), twice.triggers, enabled=False)
    other = Job("other", Path("p.py"), (Trigger.read("c", {"message": {"type": "y"}}),))
    assert ["whole", "twice"] == [part.job for part in route(MESSAGE, [job("whole"), off, twice, other])]


@pytest.mark.parametrize("parts", [{}, {"parts": []}, {"parts": None}, {"parts": {"0": {"child.id": "A"}}}])
def test_nothing_to_split(parts):
    """H37: a message without the list that it should be split by becomes nothing, so that people are told."""
    assert [] == list(route({"type": "x", **parts}, [job("sort", split="$.parts[*]")]))


@pytest.mark.parametrize(
    ("value", "subject"),
    [("A", "A"), (7, "7"), ("", None), ("  ", None), (None, None), ({"Name": "A"}, None), (["A"], None)],
)
def test_subject(value, subject):
    """H18: the subject is a text or a number that isn't empty; a message without one waits for nobody."""
    (part,) = route({"type": "x", "child": value}, [job("sort", subject="$.child")])
    assert subject == part.subject


NAMES = st.sampled_from(["a", "b", "c.d"])
DOCUMENTS = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
STEPS = st.sampled_from([".a", ".b", "['c.d']", "[0]", "[1]", '["a"]'])


@settings(deadline=None)
@given(DOCUMENTS, st.lists(STEPS, max_size=4))
def test_paths_are_jsonpath(document, steps):
    """A path of a trigger finds what the same JSONPath finds in a job."""
    path = "$" + "".join(steps)
    assert [match.value for match in parse(path).find(document)] == paths.find(path, document)


@settings(deadline=None)
@given(DOCUMENTS, st.lists(STEPS | st.just("[*]"), max_size=4))
def test_parts_hold_all_values(document, steps):
    """Splitting loses nothing: the parts' values, in order, are those of the whole."""
    path = "$" + "".join(step for step in steps if step[1] not in "01") + "[*]"
    parts = paths.split(path, document)
    assert paths.find(path, document) == [value for part in parts for value in paths.find(path, part)]
