"""Store and vault together: trusted with each other at start, and with a new key each day."""

import pytest

from runner import custody
from runner.errors import EpochRetired, VaultError
from runner.keyfolder import KeyFolder
from runner.vault import Vault
from tests.kept import DAY, NOON, claim, post, run, unit


class Place:
    """A data directory with its vault, and a clock that is set by hand."""

    def __init__(self, folder, database):
        self.folder, self.time = folder, NOON
        self.store = database.open(folder)
        self.vault = Vault(KeyFolder(folder / "keys"), now=lambda: self.time)

    def post(self, name):
        sealed = self.vault.seal(b"a state", custody.about(name))
        return post(self.store, f"m-{name}", unit(name, envelope=sealed), now=self.time)

    def opened(self, name):
        return custody.open_sealed(self.store, self.vault, name, self.store.envelope(name))

    def keys(self):
        return {path.name: path.read_bytes() for path in (self.folder / "keys").glob("*")}


@pytest.fixture
def place(database, tmp_path):
    place = Place(tmp_path, database)
    yield place
    place.store.close()


def test_trusted(place):
    """R-RT4: at the first start and at later ones, with something kept or without, all is well."""
    for _ in range(2):
        custody.check(place.store, place.vault)
    place.post("u1")
    custody.check(place.store, place.vault)
    assert b"a state" == place.opened("u1")


@pytest.mark.parametrize("pending", [True, False])
@pytest.mark.parametrize("trouble", ["no folder", "no epoch", "another epoch", "no fingerprint", "another fingerprint"])
def test_keys_that_are_not_ours(place, trouble, pending):
    """R-RT4: a missing or wrong key stops the service with a plain message, and nothing is touched."""
    custody.check(place.store, place.vault)
    if pending:
        place.post("u1")
    kind = "fingerprint" if "fingerprint" in trouble else "2026-03-01"
    for path in (place.folder / "keys").glob("*"):
        if trouble == "no folder" or path.stem == kind:
            path.unlink()
            if "another" in trouble:
                path.write_bytes(bytes(32))
                path.chmod(0o400)
    before = place.keys()
    if pending or "epoch" not in trouble:
        with pytest.raises(VaultError) as caught:
            custody.check(place.store, place.vault)
        assert caught.value.fix
        assert "a state" not in str(caught.value)
    assert before == place.keys()
    assert (["2026-03-01"] if pending else []) == place.store.pending_epochs()


def test_a_new_day(place):
    """R-RT4: on a new day all that is kept is wrapped in its key, opens as before, and the old key is gone."""
    for number in range(5):
        place.post(f"u{number}")
    assert 0 == custody.rotate(place.store, place.vault)
    place.time += DAY
    place.post("u5")
    assert (1, 0) == (custody.rotate(place.store, place.vault), custody.rotate(place.store, place.vault))
    assert ["2026-03-02"] == place.vault.epochs() == place.store.pending_epochs()
    assert {b"a state"} == {place.opened(f"u{number}") for number in range(6)}


def test_after_a_week_without_service(place):
    """All older keys go at once when the service was down for days."""
    place.post("u1")
    place.time += DAY
    place.post("u2")
    place.time += 7 * DAY
    assert 2 == custody.rotate(place.store, place.vault)
    assert (["2026-03-09"], b"a state", b"a state") == (place.vault.epochs(), place.opened("u1"), place.opened("u2"))


def test_sealed_just_before_midnight(place):
    """R-WH1: what was sealed before the change of keys and is kept after it is refused, not lost; sealed again it is
    kept."""
    late = place.vault.seal(b"a state", custody.about("u1"))
    place.time += DAY
    custody.rotate(place.store, place.vault)
    with pytest.raises(EpochRetired):
        post(place.store, "m1", unit("u1", envelope=late))
    assert place.store.message("m1") is None
    place.post("u1")
    assert b"a state" == place.opened("u1")


def test_claimed_just_before_midnight(place):
    """R-RT4: what was claimed before the change of keys opens after it."""
    place.post("u1")
    work = claim(place.store)
    place.time += DAY
    custody.rotate(place.store, place.vault)
    assert b"a state" == custody.open_sealed(place.store, place.vault, "u1", work.sealed)
    place.store.succeed(work, run("r1"), now=place.time)
    with pytest.raises(VaultError):
        custody.open_sealed(place.store, place.vault, "u1", work.sealed)


def test_key_that_cant_be_read_is_not_destroyed(place):
    """R-RT4: when something can't be wrapped anew, its old key stays, and so does everything else."""
    place.post("u1")
    path = place.folder / "keys" / "2026-03-01.key"
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(bytes(32))
    path.chmod(0o400)
    place.time += DAY
    with pytest.raises(VaultError):
        custody.rotate(place.store, place.vault)
    assert ["2026-03-01", "2026-03-02"] == place.vault.epochs()
    path.unlink()
    path.write_bytes(good)
    path.chmod(0o400)
    assert 1 == custody.rotate(place.store, place.vault)
    assert b"a state" == place.opened("u1")


def test_erased_for_good(in_postgres, tmp_path):
    """R-ER3 R-ER4 Where nothing is overwritten, the end of the day's key marks the receipts of that day."""
    place = Place(tmp_path, in_postgres)
    place.post("u1")
    place.store.succeed(claim(place.store), run("r1", "done"), now=NOON)
    custody.rotate(place.store, place.vault)
    assert 0 == place.store.unscrubbed()
    place.time += DAY
    custody.rotate(place.store, place.vault)
    assert 1 == place.store.unscrubbed()
    assert place.store.scrub(now=place.time)
    assert [place.time] == [receipt.verified for receipt in place.store.receipts("u1")]
    place.store.close()
