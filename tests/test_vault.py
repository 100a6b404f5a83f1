"""The vault: what is sealed opens with its key and about its own matter only, and keys are kept safely."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from runner.errors import StoreError, VaultError
from runner.keyfolder import KeyFolder
from runner.vault import Vault, WrappedKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME = "Nyakim Deng"


def vault_at(folder, now=NOON):
    return Vault(KeyFolder(folder / "keys"), now=lambda: now)


def files(folder):
    return {path.name: path.read_bytes() for path in (folder / "keys").iterdir()}


def test_sealed_opens(tmp_path):
    """R-RT4: what was sealed opens, also on another day and after a restart, and is nowhere to be read before."""
    sealed = vault_at(tmp_path).seal(NAME.encode(), "envelope/u1")
    assert NAME.encode() == vault_at(tmp_path, NOON + timedelta(days=1)).open(sealed, "envelope/u1")
    assert NAME.encode() not in sealed.ciphertext + sealed.key.wrapped


def test_same_text_twice(tmp_path):
    """Two envelopes of one text have nothing in common, so that nobody sees that they are alike."""
    one, other = (vault_at(tmp_path).seal(NAME.encode(), "envelope/u1") for _ in range(2))
    assert one.key.wrapped != other.key.wrapped
    assert one.ciphertext != other.ciphertext


def test_envelopes_cant_be_exchanged(tmp_path):
    """An envelope opens only about its own matter, and with its own key."""
    vault = vault_at(tmp_path)
    one, other = vault.seal(b"one", "envelope/u1"), vault.seal(b"other", "envelope/u2")
    for wrong in (replace(one, key=other.key), replace(one, ciphertext=other.ciphertext), other):
        with pytest.raises(VaultError):
            vault.open(wrong, "envelope/u1")


def test_key_that_goes_while_it_is_used(tmp_path):
    """R-RT4 A vault whose newest key is taken away makes no other in its place, and goes on when it is back."""
    vault = vault_at(tmp_path)
    sealed = vault.seal(NAME.encode(), "envelope/u1")
    (epoch,) = (tmp_path / "keys").glob("2*.key")
    key = epoch.read_bytes()
    epoch.unlink()
    with pytest.raises(VaultError, match="is missing"):
        vault.seal(b"other", "envelope/u2")
    assert not epoch.exists()
    epoch.write_bytes(key)
    epoch.chmod(0o400)
    assert NAME.encode() == vault.open(sealed, "envelope/u1")
    assert b"other" == vault.open(vault.seal(b"other", "envelope/u2"), "envelope/u2")


class Counted:
    """Keys in a folder; counts how often each is read, and how often one asks which there are."""

    def __init__(self, folder):
        self.asked = []
        self._keys = KeyFolder(folder / "keys")

    def __getattr__(self, name):
        def ask(*arguments):
            self.asked.append((name, *arguments))
            return getattr(self._keys, name)(*arguments)

        return ask


def test_reading_once(tmp_path):
    """For the work of a moment each key is read once, whatever is sealed meanwhile; it opens as ever."""
    keys = Counted(tmp_path)
    vault = Vault(keys, now=lambda: NOON)
    vault.fingerprint(b"the first")
    keys.asked.clear()
    with vault.reading_once() as brief:
        prints = [brief.fingerprint(b"one") for _ in range(3)]
        envelopes = [brief.seal(NAME.encode(), f"envelope/u{number}") for number in range(3)]
    assert [("names",), ("read", "2026-03-01"), ("read", "fingerprint")] == sorted(keys.asked)
    assert {vault.fingerprint(b"one")} == set(prints)
    assert [NAME.encode()] * 3 == [vault.open(one, f"envelope/u{number}") for number, one in enumerate(envelopes)]


def test_key_that_goes_between_two_moments(tmp_path):
    """R-RT4 What was read once is not remembered: a key that is gone is missed by the next who seals, and none is made
    in its place."""
    vault = vault_at(tmp_path)
    with vault.reading_once() as brief:
        brief.seal(b"one", "envelope/u1")  # makes today's key
    (epoch,) = (tmp_path / "keys").glob("2*.key")
    epoch.unlink()
    for _ in range(2):
        with vault.reading_once() as brief, pytest.raises(VaultError, match="is missing"):
            brief.seal(b"other", "envelope/u2")
    with pytest.raises(VaultError, match="is missing"):
        vault.seal(b"other", "envelope/u2")
    assert not epoch.exists()


def test_new_key_while_reading_once(tmp_path):
    """R-RT4 Where the day changes in such a moment, what is sealed from then on is sealed with the new day's key."""
    time = [NOON]
    vault = Vault(KeyFolder(tmp_path / "keys"), now=lambda: time[0])
    with vault.reading_once() as brief:
        before = brief.seal(b"one", "envelope/u1")
        time[0] += timedelta(days=1)
        after = brief.seal(b"other", "envelope/u2")
        vault.destroy("2026-03-01")
    assert ("2026-03-01", "2026-03-02") == (before.key.epoch, after.key.epoch)
    assert b"other" == vault.open(after, "envelope/u2")


@pytest.mark.parametrize("part", ["ciphertext", "wrapped"])
def test_changed_bytes(tmp_path, part):
    """An envelope in which one bit was changed, or of which nothing is left, doesn't open."""
    vault = vault_at(tmp_path)
    sealed = vault.seal(NAME.encode(), "envelope/u1")
    whole = sealed.ciphertext if part == "ciphertext" else sealed.key.wrapped
    for changed in (whole[:-1] + bytes([whole[-1] ^ 1]), bytes([whole[0] ^ 1]) + whole[1:], b"", whole[:5]):
        broken = (
            replace(sealed, ciphertext=changed)
            if part == "ciphertext"
            else replace(sealed, key=WrappedKey(sealed.key.epoch, changed))
        )
        with pytest.raises(VaultError):
            vault.open(broken, "envelope/u1")


def test_rewrap(tmp_path):
    """R-RT4: the next day the key is wrapped anew, the envelope stays as it is, and the old key can go."""
    vault, tomorrow = vault_at(tmp_path), vault_at(tmp_path, NOON + timedelta(days=1))
    sealed = vault.seal(NAME.encode(), "envelope/u1")
    rewrapped = replace(sealed, key=tomorrow.rewrap(sealed.key, "envelope/u1"))
    tomorrow.destroy("2026-03-01")
    assert "2026-03-02" == rewrapped.key.epoch
    assert NAME.encode() == tomorrow.open(rewrapped, "envelope/u1")
    with pytest.raises(VaultError, match="2026-03-01"):
        tomorrow.open(sealed, "envelope/u1")


def test_destroyed_twice(tmp_path):
    """A key that is gone already is no trouble: a crash may have come before that was written down."""
    vault = vault_at(tmp_path)
    vault.ensure_today()
    vault.destroy("2026-03-01")
    vault.destroy("2026-03-01")
    assert [] == vault.epochs()


def test_destroyed_key_is_overwritten(tmp_path):
    """R-ER3: a key's bytes are overwritten before its file goes, so that a link to it holds nothing."""
    vault = vault_at(tmp_path)
    path = tmp_path / "keys" / f"{vault.ensure_today()}.key"
    key, link = path.read_bytes(), tmp_path / "link"
    link.hardlink_to(path)
    vault.destroy("2026-03-01")
    assert not path.exists()
    assert key != link.read_bytes()


def test_one_key_a_day(tmp_path):
    """There is one key for a day; a clock that was set back brings no older one."""
    assert ["2026-03-01", "2026-03-01", "2026-03-02", "2026-03-02"] == [
        vault_at(tmp_path, NOON + timedelta(days=days)).ensure_today() for days in (0, 0, 1, -1)
    ]
    assert ["2026-03-01", "2026-03-02"] == vault_at(tmp_path).epochs()


def test_many_at_the_first_moment(tmp_path):
    """Of many who make the first key at once, all get the same."""
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda _: vault_at(tmp_path).seal(b"x", "envelope/u1"), range(40)))
    assert {b"x"} == {vault_at(tmp_path).open(each, "envelope/u1") for each in sealed}
    assert {"2026-03-01.key", "fingerprint.key"} == set(files(tmp_path))


def test_modes(tmp_path):
    """R-RT6: the folder is its owner's only, and the keys can't even be written."""
    vault_at(tmp_path).ensure_today()
    assert 0o700 == (tmp_path / "keys").stat().st_mode & 0o777
    assert {0o400} == {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}


@pytest.mark.parametrize("name", ["2026-03-01.key", "fingerprint.key"])
@pytest.mark.parametrize("trouble", ["missing", "another", "short", "readable"])
def test_wrong_key(tmp_path, name, trouble):
    """R-RT4: a key that is missing, another, cut off, or readable by others is refused, and nothing is touched."""
    vault = vault_at(tmp_path)
    sealed, mark, path = vault.seal(b"x", "envelope/u1"), vault.keyed("c-1"), tmp_path / "keys" / name
    whole = path.read_bytes()
    path.unlink()
    if trouble != "missing":
        path.write_bytes({"another": bytes(32), "short": whole[:31], "readable": whole}[trouble])
        path.chmod(0o440 if trouble == "readable" else 0o400)
    before = files(tmp_path)
    if name == "fingerprint.key" and trouble == "another":
        assert mark != vault.keyed("c-1")
    else:
        with pytest.raises(VaultError) as caught:
            vault.open(sealed, "envelope/u1") if name != "fingerprint.key" else vault.keyed("c-1")
        assert caught.value.fix
        assert 3 == caught.value.exit_code
    assert before == files(tmp_path)


def test_fingerprints(tmp_path):
    """R-RP3: the same bytes have the same fingerprint here, another one elsewhere, and a text is no message."""
    here = vault_at(tmp_path / "a")
    body = b'{"child": "P-1"}'
    found = [
        here.fingerprint(body),
        here.fingerprint(body + b" "),
        here.keyed(body.decode()),
        vault_at(tmp_path / "b").fingerprint(body),
    ]
    assert found[0] == vault_at(tmp_path / "a", NOON + timedelta(days=400)).fingerprint(body)
    assert all(one != other for one, other in combinations(found, 2))


def test_folder_that_cant_be_used(tmp_path):
    """R-WH2 A folder in which no key can be made is told with the reason, as what may pass."""
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(StoreError) as caught:
        vault_at(tmp_path).ensure_today()
    assert caught.value.fix


def test_nothing_of_the_key_is_shown(tmp_path):
    """R-ER9: what prints an error of the vault shows neither key nor envelope."""
    vault = vault_at(tmp_path)
    sealed = vault.seal(NAME.encode(), "envelope/u1")
    with pytest.raises(VaultError) as caught:
        vault.open(sealed, "envelope/other")
    assert caught.value.__cause__ is None
    assert NAME not in f"{caught.value} {caught.value.fix}"
