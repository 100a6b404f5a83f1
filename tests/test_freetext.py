"""Free text: marked, capped, left out (adaptors/freetext.py)."""

import pytest

from adaptors.common import data_value, derive, fields_read, free_text, join
from adaptors.errors import JobError
from adaptors.promises import resolve

TEXT = "Lives with her aunt and two siblings"


def read(limit, text):
    """The text as it may leave, and what the run's report says."""
    state = {"data": {"notes": text}, "item": {}}
    return resolve(free_text("notes", limit), state), state["item"].get("message")


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (36, TEXT),
        (35, "Lives with her aunt and two…"),
        (28, "Lives with her aunt and two…"),
        (27, "Lives with her aunt and…"),
        (11, "Lives with…"),
        (10, "Lives…"),
        (4, "Liv…"),
        (1, "…"),
    ],
)
def test_cut_after_a_word(limit, left):
    """R-LP3 Free text has the agreed length at most, the sign of what is missing included, and ends with a word."""
    text, told = read(limit, TEXT)

    assert left == text
    assert len(text) <= limit
    assert (None if text == TEXT else f"notes was cut to {limit} characters") == told


@pytest.mark.parametrize("limit", [1, 2, 5, 19])
def test_text_without_blanks(limit):
    """A text without a blank is cut where it must be."""
    text, _ = read(limit, "x" * 20)

    assert "x" * (limit - 1) + "…" == text


@pytest.mark.parametrize("value", [None, "", 125080001, True, ["a", "b"]])
def test_what_is_no_long_text_stays(value):
    """Absent values, short texts and codes are not touched."""
    assert (value, None) == read(3, value)


def test_left_out():
    """R-LP3 With None as limit a field is left out, isn't asked for, and is still known as free text."""
    promise = free_text("case.notes", None)

    assert resolve(promise, {"data": {"case": {"notes": TEXT}}}) is None
    assert [] == fields_read({"notes": promise}, "case")
    assert {"data.case.notes"} == promise.free_text


def test_the_mark_goes_through():
    """What is made of free text is free text, whatever is around it."""
    promise = join(", ", derive(str, free_text("notes", 9)), data_value("place"))

    assert ({"data.notes"}, {"data.notes", "data.place"}) == (promise.free_text, promise.reads)


def test_told_once():
    """A text that is resolved twice for one item is told once."""
    promise, state = free_text("notes", 9), {"data": {"notes": TEXT}, "item": {"message": "closed case"}}
    for _ in range(2):
        resolve(promise, state)

    assert "closed case; notes was cut to 9 characters" == state["item"]["message"]


@pytest.mark.parametrize("limit", [0, -1, "10", 1.5, True])
def test_a_limit_is_a_number(limit):
    """A limit that is no whole number from 1 on is refused when the job is loaded."""
    with pytest.raises(JobError, match="how many characters"):
        free_text("notes", limit)
