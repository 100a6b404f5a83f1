"""What the inbox reads as JSON, and what it refuses."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.inbox import strictjson
from runner.inbox.answers import Refusal
from runner.inbox.settings import Limits

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_what_is_json_is_read_as_it_was_written(message):
    """R-WH10: within the limits, every JSON object is read, and as Python's own reader reads it."""
    assert message == strictjson.read(json.dumps(message).encode(), Limits())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1} x', "not_json"),
        (b'\xef\xbb\xbf{"a": 1}', "not_json"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not_json"),
        (b'{"a": "\n"}', "not_json"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "not_utf8"),
        ('{"a": 1}'.encode("utf-16"), "not_utf8"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"a": NaN}', "not_a_number"),
        (b'{"a": [-Infinity]}', "not_a_number"),
        (b'{"a": 1e999}', "not_a_number"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "duplicate_key"),
        (b'{"a":' * 5 + b"1" + b"}" * 5, "too_deep"),
        (b'{"a":' + b"[" * 4 + b"]" * 4 + b"}", "too_deep"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (b'{"a": 1, "b": {"c": 1, "d": 1, "e": 1, "f": 1}}', "too_many_keys"),
        (b'{"a": [' + b", ".join([b'{"b": 1}'] * 9) + b"]}", "too_many_keys"),
    ],
)  # fmt: skip
def test_what_is_refused(body, code):
    """R-WH10: text that is no UTF-8, no JSON, no object, or beyond a limit is refused, and the code says why."""
    with pytest.raises(Refusal, match=code):
        strictjson.read(body, Limits(depth=4, keys=5))


@pytest.mark.parametrize("body", [b'{"a":{"b":{"c":{}}}}', b'{"a":[[[]]]}', b'{"a":1,"b":1,"c":1,"d":{"e":1}}'])
def test_what_is_just_within_the_limits(body):
    """R-WH10: a limit is the most that is taken, not the first that is refused."""
    assert strictjson.read(body, Limits(depth=4, keys=5))


def test_half_a_surrogate_pair():
    """R-WH10: what JSON can write but UTF-8 can't hold is refused, since it can't be sent on."""
    with pytest.raises(Refusal, match="not_utf8"):
        strictjson.canonical(strictjson.read(b'{"a": "\\ud800"}', Limits()))


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.sampled_from([None, 2]), st.booleans())
def test_same_message_same_text(message, indent, plain):
    """H21: blanks, escapes and the order of keys don't make another message."""
    turned = dict(reversed(message.items()))
    written = json.dumps(turned, indent=indent, ensure_ascii=plain).encode()
    assert strictjson.canonical(message) == strictjson.canonical(strictjson.read(written, Limits()))
