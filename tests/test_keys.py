"""Keys of the inbox, and the command that minds them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from runner import keys
from runner.cli import main
from runner.errors import WrongUse
from runner.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    """A store that holds nothing."""
    with Store.open(tmp_path / "data") as opened:
        yield opened


def holder(store, text, now=NOW):
    """The label of the key that a text is, or None."""
    found = keys.recognise(text, store.keys(), now)
    return found and found.label


def test_a_key_opens_until_it_is_revoked(store):
    """R-RT4: a key is known by its text alone, until it is revoked."""
    text = keys.create(store, "unhcr", now=NOW)
    assert "unhcr" == holder(store, text)
    assert [None] * 4 == [holder(store, wrong) for wrong in ("", text[:-1], text + "=", "é")]
    keys.revoke(store, "unhcr", now=NOW)
    assert holder(store, text) is None


def test_keys_are_long_and_differ(store):
    """R-RT4: a key has 256 random bits."""
    made = {keys.create(store, "unhcr", now=NOW) for _ in range(20)}
    assert 20 == len(made)
    assert {43} == {len(text) for text in made}


def test_what_is_kept_does_not_open(store, tmp_path):
    """R-RT4: a key stands nowhere in the data directory; the same key twice would be kept as two texts."""
    text = keys.create(store, "unhcr", now=NOW)
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    assert not any(text.encode() in path.read_bytes() for path in files)
    one, other = keys.create(store, "a", now=NOW), keys.create(store, "b", now=NOW)
    assert one != other
    known = store.keys()
    assert 3 == len({key.salt for key in known})


def test_expiry(store):
    """A key that was made for a time ends with it, to the instant."""
    text = keys.create(store, "unhcr", now=NOW, expires=NOW + timedelta(days=1))
    assert "unhcr" == holder(store, text, NOW + timedelta(hours=23))
    assert holder(store, text, NOW + timedelta(days=1)) is None


def test_rotation_has_no_gap(store):
    """R-RT1: from the rotation to the end of the overlap both keys open, afterwards the new one alone."""
    old = keys.create(store, "unhcr", now=NOW)
    new = keys.rotate(store, "unhcr", overlap=timedelta(hours=72), now=NOW)
    for hours, opens in ((0, True), (71, True), (72, False), (1000, False)):
        at = NOW + timedelta(hours=hours)
        assert ("unhcr", "unhcr" if opens else None) == (holder(store, new, at), holder(store, old, at))


def test_rotation_prolongs_nothing(store):
    """R-RT1: a key that would have ended before the overlap does still ends then."""
    old = keys.create(store, "unhcr", now=NOW, expires=NOW + timedelta(hours=1))
    keys.rotate(store, "unhcr", overlap=timedelta(hours=72), now=NOW)
    assert holder(store, old, NOW + timedelta(hours=2)) is None


@pytest.mark.parametrize("wanted", ["other", ""])
def test_no_such_key(store, wanted):
    """What isn't there is neither rotated nor revoked; one of several isn't guessed."""
    keys.create(store, "unhcr", now=NOW)
    with pytest.raises(WrongUse, match="there is no key"):
        keys.rotate(store, wanted, overlap=timedelta(hours=1), now=NOW)
    with pytest.raises(WrongUse, match="there is no key"):
        keys.revoke(store, wanted, now=NOW)


def test_which_of_two(store):
    """Of two keys with one label, the one to revoke is named by its id."""
    first = keys.create(store, "unhcr", now=NOW)
    keys.rotate(store, "unhcr", overlap=timedelta(hours=72), now=NOW)
    with pytest.raises(WrongUse, match="2 keys") as caught:
        keys.revoke(store, "unhcr", now=NOW)
    known = keys.recognise(first, store.keys(), NOW)
    assert known.id in caught.value.fix
    keys.revoke(store, known.id, now=NOW)
    assert holder(store, first) is None


def command(folder, capsys, *words):
    """What a command prints, read as JSON; its exit code is 0."""
    assert 0 == main(["keys", *words, "--json", "--data", str(folder / "data")])
    return json.loads(capsys.readouterr().out)


def test_commands(tmp_path, capsys, store):
    """R-RT1: `keys` makes a key, shows it once, lists it without it, rotates and revokes it."""
    first = command(tmp_path, capsys, "create", "unhcr", "--valid", "365d")
    assert "unhcr" == holder(store, first["key"], datetime.now(UTC))
    second = command(tmp_path, capsys, "rotate", "unhcr")
    listed = command(tmp_path, capsys, "list")
    assert first["key"] not in str(listed)
    assert second["key"] not in str(listed)
    assert [("unhcr", True), ("unhcr", True)] == [(row["label"], row["active"]) for row in listed["keys"]]
    left = [command(tmp_path, capsys, "revoke", row["id"]) for row in listed["keys"]]
    assert not any(row["active"] for row in left[-1]["keys"])


def test_key_alone_on_standard_output(tmp_path, capsys):
    """The key is one line of its own, so that it can be put where it belongs; the warning stands beside it."""
    assert 0 == main(["keys", "create", "unhcr", "--data", str(tmp_path / "data")])
    shown = capsys.readouterr()
    assert 1 == len(shown.out.splitlines())
    assert "only time" in shown.err
    assert 0 == main(["keys", "list", "--data", str(tmp_path / "data")])
    table = capsys.readouterr().out
    assert shown.out.strip() not in table
    assert ["id", "label", "created", "expires", "last used", "revoked", "active"] == [
        word.strip() for word in table.splitlines()[0].split("  ") if word
    ]


@pytest.mark.parametrize("time", ["72", "h", "-1h", "nanh", "1y", "9999999d", ""])
def test_no_time(time, capsys):
    """A span of time that can't be read is refused."""
    with pytest.raises(SystemExit):
        main(["keys", "rotate", "unhcr", "--overlap", time])
    assert "--overlap" in capsys.readouterr().err
