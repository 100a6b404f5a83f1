"""Checkpoints of the audit log: how many entries there are and the hash of the last, signed, to be kept elsewhere.

Against one of them a log that was cut off at its end is found out, and one that somebody made anew with the store's key
(R-AU1, R-AU2). The signature is Ed25519; its key follows from the store's own, so that who has the public key can check
a checkpoint without the store. What is signed is the JSON of hash, number and time, keys sorted, without blanks.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UnreadableFile
from runner.project import Project
from runner.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Checkpoint = dict[str, Any]

_SIGNED = ("hash", "number", "time")


def folder_of(project: Project) -> Path | None:
    """Where the project file lets one be put each day; None where it doesn't."""
    named = project.settings.get("audit", {}).get("checkpoints")
    return project.folder / named if named else None


def make(store: Store, *, now: datetime) -> Checkpoint:
    """Sign the end of the log: `{"number", "hash", "time", "public_key", "signature"}`, keys and signature as hex.

    >>> make(store, now=now)["number"]  # doctest: +SKIP
    412
    """
    number, head = store.audit_end()
    store.record("checkpoint_made", now=now, count=number, hash=head)
    told = {"number": number, "hash": head, "time": now.isoformat(timespec="seconds")}
    key = _key(store)
    return {**told, "public_key": _public(key), "signature": key.sign(_text(told)).hex()}


def write(checkpoint: Checkpoint, target: Path) -> Path:
    """Write a checkpoint into a folder, or to a file that isn't there yet; gives its path. Raises UnreadableFile."""
    path = target / name_of(checkpoint) if target.is_dir() else target
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(json.dumps(checkpoint, indent=2) + "\n")
    except OSError as error:
        fix = "Name a folder that is yours, or a file that isn't there."
        raise UnreadableFile(f"{path} can't be written: {error.strerror}", fix=fix) from None
    return path


def name_of(checkpoint: Checkpoint) -> str:
    """The name of its file.

    >>> name_of({"number": 412})
    'checkpoint-00000412.json'
    """
    return f"checkpoint-{checkpoint['number']:08}.json"


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises UnreadableFile for what is none."""
    try:
        found = json.loads(path.read_bytes())
        told = {name: found[name] for name in (*_SIGNED, "public_key", "signature")}
        if not isinstance(told["number"], int):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        fix = "Name a file that runner audit checkpoint has written."
        raise UnreadableFile(f"{path} is no checkpoint", fix=fix) from None
    return told


def faults(store: Store, checkpoint: Checkpoint) -> Iterator[str]:
    """What doesn't fit between the log and a checkpoint of it."""
    from cryptography.exceptions import InvalidSignature

    key, number = _key(store), checkpoint["number"]
    try:
        key.public_key().verify(bytes.fromhex(checkpoint["signature"]), _text(checkpoint))
    except (InvalidSignature, ValueError, TypeError):
        yield "the checkpoint wasn't signed by this store"
        return
    found = store.audit_hash(number)
    if found is None:
        yield f"the log has no entry {number} any more, at which the checkpoint was made"
    elif found != checkpoint["hash"]:
        yield f"entry {number} is another than when the checkpoint was made"


def public_key(store: Store) -> str:
    """The key with which the store's checkpoints can be checked, as hex."""
    return _public(_key(store))


def _key(store: Store) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(store.sealed("the key of checkpoints")))


def _public(key: "Ed25519PrivateKey") -> str:
    return key.public_key().public_bytes_raw().hex()


def _text(told: Checkpoint) -> bytes:
    return json.dumps({name: told[name] for name in _SIGNED}, sort_keys=True, separators=(",", ":")).encode()
