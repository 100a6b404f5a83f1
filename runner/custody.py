"""The store and the vault together: at start each can be trusted with the other, and each day the keys change."""

from runner.errors import VaultError
from runner.store import Store
from runner.vault import Sealed, Vault

_MARK = "fingerprint key"


def about(holder: str) -> str:
    """What the envelope of a unit or message is bound to.

    >>> about("u1")
    'envelope/u1'
    """
    return f"envelope/{holder}"


def check(store: Store, vault: Vault) -> None:
    """At start: everything that is kept can be opened, with the keys that it was kept with (R-RT4).

    Raises VaultError when a key is missing or another; nothing was touched then, and no new key was made.
    """
    for epoch in store.pending_epochs():
        for holder, key in store.sealed_in(epoch, limit=1).items():
            vault.unwrap(key, about(holder))
    known = store.setting(_MARK)
    if known is None:
        store.set_setting(_MARK, vault.keyed(_MARK))
    elif not vault.epochs() or vault.keyed(_MARK) != known:
        raise VaultError("the vault's keys are missing, or belong to another data directory", fix="Put them back.")


def rotate(store: Store, vault: Vault) -> int:
    """When a new day has begun: wrap what is kept in its key, and destroy the older ones. How many those were.

    Each step can be the last before a crash; the next call goes on from there. Nothing is sealed in an old epoch from
    the first step on, so that no key is destroyed which something needs.
    """
    today = vault.ensure_today()
    old = [epoch for epoch in vault.epochs() if epoch < today]
    if old:
        store.retire(old[-1])
    for epoch in old:
        while keys := store.sealed_in(epoch):
            store.rewrap({holder: vault.rewrap(key, about(holder)) for holder, key in keys.items()})
        vault.destroy(epoch)
        store.destroyed(epoch)
    return len(old)


def open_sealed(store: Store, vault: Vault, holder: str, sealed: Sealed) -> bytes:
    """What an envelope holds, also when its key was wrapped anew since it was read. Raises VaultError."""
    try:
        return vault.open(sealed, about(holder))
    except VaultError:
        current = store.envelope(holder)
        if current is None or current.key == sealed.key:
            raise
        return vault.open(current, about(holder))
