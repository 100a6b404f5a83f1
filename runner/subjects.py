"""Erasing a person: which sealed payloads name them, what is erased, and the receipt (R-ER5)."""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from runner import custody
from runner.store import About, Erased, Store
from runner.vault import Vault


@dataclass(frozen=True)
class Erasure:
    """What was erased; `receipt` is the id of its entry in the audit log, `scrubbed` whether it was seen gone from the
    files, which the service makes good otherwise."""

    receipt: str
    erased: Erased
    scrubbed: bool


def holders_about(store: Store, vault: Vault, ids: Collection[str]) -> list[str]:
    """The units and messages whose payloads name one of these ids, in whatever field. Raises StoreError, VaultError."""
    about = About(ids)
    found = []
    for holder in store.holders():
        sealed = store.envelope(holder)
        if sealed and about.is_in(json.loads(custody.open_sealed(store, vault, holder, sealed))):
            found.append(holder)
    return found


def erase(store: Store, vault: Vault, ids: Collection[str], *, now: datetime) -> Erasure:
    """Erase what is known of these ids. Raises InUse, and erases nothing, while work about them is under way.

    >>> erase(store, vault, ["GAM-00000901"], now=now).erased.payloads  # doctest: +SKIP
    1
    """
    receipt = secrets.token_hex(16)
    erased = store.erase_subject(
        ids,
        holders=holders_about(store, vault, ids),
        subjects=[vault.keyed(each) for each in ids],
        receipt=receipt,
        now=now,
    )
    return Erasure(receipt, erased, store.scrub(now=now))
