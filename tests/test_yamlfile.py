"""YAML for settings: plain values, places, and what is refused."""

from pathlib import Path

import pytest

from runner import yamlfile
from runner.errors import InvalidYaml, UnreadableFile

HERE = Path("project.yaml")


def test_words_stay_text():
    """Only true and false are booleans; no, on, dates and numbers with a leading zero stay as they are written."""
    text = "a: no\nb: on\nc: 2026-03-01\nd: 0123\ne: true\nf: 1e5\ng: 12:30\nh: '7'"
    expected = {"a": "no", "b": "on", "c": "2026-03-01", "d": "0123", "e": True, "f": "1e5", "g": "12:30", "h": "7"}
    assert expected == yamlfile.parse(text, HERE).value


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("-3", -3), ("2.5", 2.5), ("~", None), ("null", None), ("", None)]
)
def test_plain_values(text, value):
    """Whole numbers, decimals and null are read as such."""
    assert {"key": value} == yamlfile.parse(f"key: {text}", HERE).value


def test_place_of_an_entry():
    """Every entry of a mapping or list knows its line and column; what is missing has the place of what is around."""
    document = yamlfile.parse("jobs:\n  one:\n    script: a.py\n    trigger: [x, y]\n", HERE)
    assert "project.yaml, line 3, column 5" == document.place(("jobs", "one", "script"))
    assert "project.yaml, line 4, column 18" == document.place(("jobs", "one", "trigger", 1))
    assert "project.yaml, line 2, column 3" == document.place(("jobs", "one", "timeout"))


def test_key_written_twice():
    """A key that is written twice is refused with the lines of both."""
    with pytest.raises(InvalidYaml, match="line 3, column 1: a is written twice") as caught:
        yamlfile.parse("a: 1\nb: 2\na: 3\n", HERE)
    assert "It stands in line 1 too." == caught.value.fix


@pytest.mark.parametrize(
    "text", ["a: !!python/name:os.system x", "a: &x 1\nb: *x", "a: &x [*x]", "? [a]\n: 1", "a: !!int '3'"]
)
def test_more_than_plain(text):
    """Tags, aliases and keys that are no words are refused: settings need none, and they can hide anything."""
    with pytest.raises(InvalidYaml, match="line"):
        yamlfile.parse(text, HERE)


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\ta: 1", "a: 'x", "\x00"])
def test_no_yaml(text):
    """What is not YAML is an error of ours, with the file's name."""
    with pytest.raises(InvalidYaml, match=r"project\.yaml"):
        yamlfile.parse(text, HERE)


CHANGES = [
    ("plain", "bridge_2", "bridge_2"),
    ("no text to YAML", "12", '"12"'),
    ("a boolean", "true", '"true"'),
    ("a comment", "a #b", '"a #b"'),
    ("a list's comma", "a, b", '"a, b"'),
    ("a table", "a: b", '"a: b"'),
    ("an address", "https://primero.example.org", "https://primero.example.org"),
]


@pytest.mark.parametrize(
    ("value", "written"), [change[1:] for change in CHANGES], ids=[change[0] for change in CHANGES]
)
def test_one_value_is_changed(value, written):
    """Another value reads as it was said, in a table on one line as well; all around it stays to the letter."""
    text = "# ours\ndesk: {user: 'a' , name:  b}   # é\nrest:\n    - user: a\n"
    after = yamlfile.changed(text, {("desk", "user"): value}, HERE)
    assert text.replace("'a'", written) == after
    assert value == yamlfile.parse(after, HERE).value["desk"]["user"]


@pytest.mark.parametrize("where", [("desk",), ("desk", "name"), ("rest", "user"), ("user", "name")])
def test_no_value_to_change(where):
    """A place that isn't there, or holds a table or a list, is refused."""
    with pytest.raises(InvalidYaml, match="holds no single value"):
        yamlfile.changed("desk: {user: a}\nrest: [b]\nuser: c\n", {where: "b"}, HERE)


def test_unreadable_file(tmp_path):
    """A file that is missing, or not UTF-8, can't be read."""
    with pytest.raises(UnreadableFile):
        yamlfile.read(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(UnreadableFile):
        yamlfile.read(tmp_path / "latin.yaml")
