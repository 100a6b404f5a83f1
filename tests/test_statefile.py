"""State files: what is read, what is refused, and what is never written."""

import json

import pytest

from runner import statefile
from runner.credentials import Secret
from runner.errors import UnreadableFile


def test_openfn_state_file(tmp_path):
    """A state file from OpenFn is read as it is; what belongs to the engine is not taken from it."""
    path = tmp_path / "state.json"
    path.write_text('\ufeff{"data": {"a": 1}, "configuration": {"user": "u"}, "ledger": {}, "dry_run": []}', "utf-8")
    assert {"data": {"a": 1}, "configuration": {"user": "u"}} == statefile.read(path)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", '"text"', "{", '{"a": 1', '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', '{"a": 1, "a": 2}',
        '{"a": [{"b": 1, "b": 2}]}', '{"a":' * 100_000, "{'a': 1}", '{"a": ' + "1" * 5000 + "}",
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_refused(tmp_path, text):
    """What isn't one JSON object, without doubled keys and endless numbers, is refused."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(UnreadableFile) as caught:
        statefile.read(path)
    assert 2 == caught.value.exit_code


def test_unreadable(tmp_path):
    """A missing file, a folder, and bytes that are no text can't be read."""
    (tmp_path / "bytes.json").write_bytes(b'{"a": "\xff"}')
    for name in ("missing.json", "", "bytes.json"):
        with pytest.raises(UnreadableFile):
            statefile.read(tmp_path / name)


def test_what_is_written(tmp_path):
    """H40: neither the configuration nor anything of the engine is written, and only the owner can read the file."""
    path = tmp_path / "out.json"
    state = {
        "data": {"name": "ኘያሪት", "half": "\ud800"}, "configuration": {"password": "p"}, "runtime": object(),
        "ledger": object(), "outbox": [], "outcomes": [], "item": {}, "dry_run": [], "message": "m", "cursor": "2026",
    }  # fmt: skip
    assert [] == statefile.write(path, state)
    assert {"data": {"name": "ኘያሪት", "half": "\ud800"}, "cursor": "2026"} == json.loads(path.read_text("utf-8"))
    assert "ኘያሪት" in path.read_text("utf-8")
    assert 0o600 == path.stat().st_mode & 0o777


def test_what_cannot_be_written(tmp_path):
    """What isn't plain data, such as pages still to be read, a secret or NaN, is left out and named."""
    state = {"data": 1, "pages": iter([1]), "kept": {"password": Secret("p")}, "number": float("nan")}
    assert ["pages", "kept", "number"] == statefile.write(tmp_path / "out.json", state)
    assert {"data": 1} == json.loads((tmp_path / "out.json").read_text())


def test_writing_replaces_wholly(tmp_path):
    """The file is replaced in one step, and nothing else is left in the folder."""
    path = tmp_path / "out.json"
    path.write_text("old and longer than the new one")
    statefile.write(path, {"data": 1})
    assert {"data": 1} == json.loads(path.read_text())
    assert [path] == list(tmp_path.iterdir())


def test_place_that_cannot_be_written(tmp_path):
    """Where nothing can be written is found before a run, not after it."""
    for path in (tmp_path, tmp_path / "missing" / "out.json"):
        with pytest.raises(UnreadableFile):
            statefile.check_writable(path)
