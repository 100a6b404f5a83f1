"""Keys of the inbox, circuits of credentials, and settings."""

from dataclasses import replace

import pytest

from runner.errors import StoreError
from runner.store import Circuit, Key
from tests.kept import DAY, HOUR, NOON


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


KEY = Key("k1", "unhcr", b"salt", b"digest", NOON)


def test_keys(database, store):
    """R-RT1: keys are kept with label, expiry and last use, and outlive the process."""
    other = replace(KEY, id="k2", created=NOON + HOUR, expires=NOON + DAY)
    store.add_key(other)
    store.add_key(KEY)
    store.touch_key("k1", NOON + HOUR)
    with database.open(store.folder) as restarted:
        assert [replace(KEY, last_used=NOON + HOUR), other] == restarted.keys()


def test_key_ends(store):
    """R-RT1: a key ends when it was told to, never later than before, and at once when it is revoked."""
    store.add_key(KEY)
    for when in (NOON + 2 * DAY, NOON + DAY, NOON + 3 * DAY):
        store.expire_key("k1", when, now=NOON)
    (before,) = store.keys()
    assert NOON + DAY == before.expires
    assert [True, False, False] == [store.revoke_key(name, now=NOON) for name in ("k1", "k1", "nobody")]
    (after,) = store.keys()
    assert NOON == after.revoked


def test_one_key_per_id(store):
    """A key never takes the place of another."""
    store.add_key(KEY)
    with pytest.raises(StoreError):
        store.add_key(replace(KEY, label="somebody else"))
    assert [KEY] == store.keys()


def test_circuits(database, store):
    """R-DL1: a credential is left alone until the time is over, also after a restart, or until it is closed."""
    store.open_circuit("north", NOON + HOUR, "unauthorised")
    store.open_circuit("north", NOON + 2 * HOUR, "forbidden")
    store.open_circuit("south", NOON + DAY, "forbidden")
    with database.open(store.folder) as restarted:
        assert Circuit("north", NOON + 2 * HOUR, "forbidden") == restarted.circuits(NOON + HOUR)["north"]
        assert ["south"] == list(restarted.circuits(NOON + 2 * HOUR))
        restarted.close_circuit("south")
        assert {} == store.circuits(NOON + 2 * HOUR)


def test_settings(store):
    """A setting is what was said last."""
    assert store.setting("a") is None
    store.set_setting("a", "1")
    store.set_setting("a", "2")
    assert "2" == store.setting("a")
