"""What the key command does with a key of a trial: all that will be asked of it, before a message depends on it."""

import secrets
from collections.abc import Iterator

from runner.check.findings import OK, WRONG, Finding
from runner.errors import StoreError, VaultError
from runner.vault import Keys

_WHERE = "keys"
_FIX = "Mend the program: docs/scaling.md tells what it must do."


def of_command(keys: Keys) -> Iterator[Finding]:
    """Make, read and destroy a key of its own name; nothing of it is left, and no other is touched.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from runner.keyfolder import KeyFolder
    >>> [finding.level for finding in of_command(KeyFolder(Path(tempfile.mkdtemp()) / "keys"))]
    ['ok']
    """
    name = f"check-{secrets.token_hex(8)}"
    try:
        faults = list(_tried(keys, name))
        keys.destroy(name)
        faults += _left(keys, name)
    except (StoreError, VaultError) as error:
        yield Finding(WRONG, _WHERE, "command", str(error), str(error.fix))
        return
    for fault in faults:
        yield Finding(WRONG, _WHERE, "command", fault, _FIX)
    if not faults:
        yield Finding(OK, _WHERE, "command", "makes a key, keeps it, hands it out and destroys it")


def _tried(keys: Keys, name: str) -> Iterator[str]:
    keys.make(name)
    made = keys.read(name)
    if name not in keys.names():
        yield "list doesn't show what make has made"
    keys.make(name)
    if keys.read(name) != made:
        yield "make replaces a key that is there: what it seals would be lost"


def _left(keys: Keys, name: str) -> Iterator[str]:
    if name in keys.names():
        yield "list shows what destroy has destroyed"
    try:
        keys.read(name)
    except VaultError:
        keys.destroy(name)  # which must be no error
    else:
        yield "get gives what destroy has destroyed"
