"""The value tables of a job script, read and changed as text (runner/mapping/tables.py)."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InvalidJob
from runner.mapping import tables

SCRIPT = '''"""Carries calls."""

# Kinds of calls.
KINDS = {
    "f": "food",  # agreed in May
    "c": "cash # not a comment",
    "é": 'single quotes'  # the last has no comma
}
AGREED = ["f", "c"]
NOBODY = {}
OTHER = "other"
REASONS = {
    "a": OTHER,
    "b": "of our own",
}
SIZES = {"f": 1}
MIXED = {**KINDS, "x": "y"}
AGENCY = "UNICEF"
CALL = {"agency": AGENCY, "kind": lookup(KINDS, "kind")}
lower = {"a": "b"}
'''


def entries(script):
    return {name: table.entries for name, table in tables.tables(script).items()}


def test_tables_hold_texts_only():
    """Tables are what holds texts under a name in capitals; constants with a name count as texts."""
    assert {
        "KINDS": {"f": "food", "c": "cash # not a comment", "é": "single quotes"},
        "AGREED": {"f": None, "c": None},
        "NOBODY": {},
        "REASONS": {"a": "other", "b": "of our own"},
    } == entries(SCRIPT)


def test_constants_in_mappings_keep_their_name():
    """A constant that a mapping gives by name is found by field and text."""
    assert {("agency", "UNICEF"): "AGENCY", ("a", "other"): "OTHER"} == tables.named_constants(SCRIPT)


def test_only_what_changes_is_touched():
    """An entry is changed, removed or added on its own line; comments and the lines around stay."""
    after = tables.changed(SCRIPT, {"KINDS": {"f": "meals", "é": "single quotes", "0012": "kept as text"}})

    assert [
        "--- a/calls.py",
        "+++ b/calls.py",
        "@@ -2,9 +2,9 @@",
        " ",
        " # Kinds of calls.",
        " KINDS = {",
        '-    "f": "food",  # agreed in May',
        '-    "c": "cash # not a comment",',
        "-    \"é\": 'single quotes'  # the last has no comma",
        '+    "f": "meals",  # agreed in May',
        "+    \"é\": 'single quotes',  # the last has no comma",
        '+    "0012": "kept as text",',
        " }",
        ' AGREED = ["f", "c"]',
        " NOBODY = {}",
    ] == tables.difference(SCRIPT, after, "calls.py")


def test_short_tables_are_written_anew():
    """A table on one line gets a line for each entry, and back; several tables are changed in one go."""
    after = tables.changed(SCRIPT, {"NOBODY": {"a": "b"}, "AGREED": {"food": ""}, "REASONS": {}})

    assert {"NOBODY": {"a": "b"}, "AGREED": {"food": None}, "REASONS": {}}.items() <= entries(after).items()
    assert 'NOBODY = {\n    "a": "b",\n}\n' in after


def test_what_can_not_be_changed_is_said():
    """A table that would not become what was asked for, such as one with a key written twice, is left as it is."""
    with pytest.raises(InvalidJob) as raised:
        tables.changed('KINDS = {\n    "a": "b",\n    "a": "c",\n}\n', {"KINDS": {}})

    assert "KINDS" in str(raised.value)
    assert raised.value.fix


def test_no_python():
    """What is no Python is told as such."""
    with pytest.raises(InvalidJob):
        tables.tables("KINDS = {")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.dictionaries(TEXTS, TEXTS, max_size=5), st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_any_table_becomes_any_other(before, after):
    """Whatever a table holds, it can be made to hold anything else, and the rest of the script is the same."""
    script = tables.changed("HEAD = {}\nTAIL = 1\n", {"HEAD": before})
    changed = tables.changed(script, {"HEAD": after})

    assert [before, after] == [entries(text)["HEAD"] for text in (script, changed)]
    assert changed.endswith("}\nTAIL = 1\n")
    assert script == tables.changed(script, {"HEAD": dict(reversed(before.items()))})


def test_constants_are_changed_where_they_stand():
    """Another text comes into the place of a constant's, in whatever quotes need no escape; its comment stays."""
    script = 'AGENCY = "UNICEF"  # é\nUSER = "é"; OTHER = "other"\n'
    after = tables.with_constants(script, {"AGENCY": 'the "Agency"', "OTHER": "it's"})
    assert 'AGENCY = \'the "Agency"\'  # é\nUSER = "é"; OTHER = "it\'s"\n' == after


@pytest.mark.parametrize("script", ["SIZE = 1", "AGENCY = (\n    'UNICEF'\n    ' and others'\n)", "OTHER = 'x'"])
def test_no_constant_to_change(script):
    """What is no text, or not on one line, or isn't there, is refused rather than left."""
    with pytest.raises(InvalidJob, match="no text stands there"):
        tables.with_constants(script, {"SIZE": "2"} if "SIZE" in script else {"AGENCY": "IRC"})


def test_git_applies_the_difference(tmp_path):
    """The diff that is printed is one that git applies."""
    (tmp_path / "calls.py").write_text(SCRIPT, "utf-8")
    after = tables.changed(SCRIPT, {"KINDS": {"x": 'with "quotes" \\ and\ttab'}, "NOBODY": {"n": "b"}})
    diff = "\n".join(tables.difference(SCRIPT, after, "calls.py")) + "\n"

    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)

    assert after == (tmp_path / "calls.py").read_text("utf-8")
