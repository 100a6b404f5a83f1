"""Whether the service could take a message now: its store answers, its keys are there, and its disk has room."""

from runner.errors import StoreError, VaultError
from runner.room import Room
from runner.store import Store
from runner.vault import Vault


def is_ready(store: Store, vault: Vault) -> bool:
    """Nothing is told but yes or no, since anybody may ask (R-WH12).

    >>> is_ready(store, vault)  # doctest: +SKIP
    True
    """
    try:
        store.keys()
        vault.keyed("ready")
        return not Room.of(store.folder).is_gone
    except (StoreError, VaultError, OSError):
        return False
