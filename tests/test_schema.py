"""The quick check of a document agrees with jsonschema, and complaints name no values."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner import schema

GOOD = {
    "name": "Gambella",
    "jobs": {
        "one": {"script": "a.py", "trigger": "x", "credentials": ["north"], "enabled": True, "timeout": 3.5},
        "two": {"script": "b.py", "trigger": ["x", "y"], "credentials": {"north": "a"}, "workers": 2},
    },
    "triggers": {
        "x": {"message": {"type": "a"}, "except": {"b": 1}, "split": "$.a[*]", "subject": "$.a"},
        "y": {"cron": "@hourly", "timezone": "UTC"},
    },
    "retry": {"minutes": [1, 2]},
}  # fmt: skip

WORDS = st.sampled_from(["script", "trigger", "message", "cron", "split", "x", "a b", "", "$.x", "timeout", "name"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_quick_check_agrees_with_jsonschema(data):
    """A document fits by the quick check exactly when jsonschema finds nothing wrong with it."""
    document = copy.deepcopy(GOOD)
    for _ in range(data.draw(st.integers(0, 2))):
        table = document
        while data.draw(st.booleans()) and (inner := [value for value in table.values() if isinstance(value, dict)]):
            table = data.draw(st.sampled_from(inner))
        table[data.draw(st.sampled_from([*table, "name", "jobs"]) | WORDS)] = data.draw(VALUES)
    valid = Draft202012Validator(schema.project_schema()).is_valid(document)
    assert valid == schema.fits(document, schema.project_schema())
    assert valid == (not list(schema.complaints(document, schema.project_schema())))


def test_our_schema_is_one():
    """The published schema is itself right by the rules of JSON Schema."""
    Draft202012Validator.check_schema(schema.project_schema())
    assert schema.fits(GOOD, schema.project_schema())


def test_all_that_is_wrong_is_told_without_values():
    """Every mistake is told at once, by names of keys; a value may be a secret."""
    document = {
        "jobs": {"one": {"scrpt": "s3cret", "enabled": "s3cret", "timeout": 0}},
        "triggers": {"x": {"split": "s3cret"}},
    }
    found = list(schema.complaints(document, schema.project_schema()))
    assert "s3cret" not in str(found)
    assert {
        ((), "name is missing", "Add it."),
        (("jobs", "one"), "script is missing", "Add it."),
        (("jobs", "one", "scrpt"), "unknown key scrpt", "Did you mean script?"),
        (("jobs", "one", "enabled"), "enabled must be true or false", "Change it."),
    } < set(found)
    assert 8 == len(found)
