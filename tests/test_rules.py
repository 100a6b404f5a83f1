"""What a mapping does to a value, in words (adaptors/rules.py), and how the vocabulary tells it."""

from adaptors.common import age, data_value, date, derive, free_text, join, lookup, require, text
from adaptors.outgoing import fields_of
from adaptors.promises import rules_of

KINDS = {"f": "food"}
OTHER = "other"
LIMIT = 9


def kind(value):
    """The kind, in our words.

    More of no interest.
    """
    return inner(value)


def inner(value):
    return KINDS.get(value, OTHER) if LIMIT else [KINDS for _ in value]


def told(value):
    return [rule.words for rule in rules_of([value])]


def test_a_plain_path_has_no_rule():
    """What is taken as it is has nothing to tell."""
    assert [] == told(data_value("id"))


def test_every_word_of_the_vocabulary_tells_its_rule():
    """Each step is told in its order, whatever is built of whatever."""
    assert ["date"] == told(date(data_value("born")))
    assert ["date and time, in UTC"] == told(date(data_value("born"), time=True))
    assert ["completed years today"] == told(age(data_value("born")))
    assert ["plain text", 'those that are not empty, with ", " between'] == told(join(", ", text(data_value("a"))))
    assert ["plain text", "at most 9 characters"] == told(free_text(text(data_value("notes")), 9))
    assert ["left out"] == told(free_text("notes", None))


def test_look_ups_name_their_table():
    """A look-up tells its table by name, and what becomes of what isn't in it."""
    closed, open_, kept = (
        rules_of([lookup(KINDS, data_value("kind"), **default)])[0]
        for default in ({}, {"default": "Other"}, {"default": data_value("kind")})
    )

    assert (("KINDS",), None, "by the table KINDS; what isn't in it is refused") == (
        closed.names,
        closed.default,
        closed.words,
    )
    assert (("KINDS",), "Other") == (open_.names, open_.default)
    assert "by the table KINDS; what isn't in it stays as it is" == kept.words


def test_functions_tell_by_their_docstring():
    """A function's first line is its rule; tables and texts that it uses, also by other functions, are named."""
    (rule,) = rules_of([derive(kind, "kind")])

    assert "The kind, in our words" == rule.words
    assert ["KINDS", "OTHER"] == sorted(rule.names)


def test_functions_without_a_docstring():
    """What has no docstring is told by its name."""
    assert ["inner"] == told(derive(inner, "kind"))
    assert ["len"] == told(derive(len, "kind"))


def test_fields_tell_rules_and_constants():
    """A field that may leave tells what is done to it, and the constants that the mapping gives it."""
    fields = fields_of({"kind": [lookup(KINDS, data_value("kind")), "food"], "status": "open", "empty": None})

    assert 1 == len(fields["kind"].rules)
    assert [("food",), ("open",), ()] == [field.constants for field in fields.values()]


def test_what_a_record_must_have():
    """`require` tells the paths without which it refuses."""
    assert ("id", "born") == require("id", "born").requires
