#!/usr/bin/env python3
"""An example of a key command: keys in a folder that hosts share, sealed with a master key that each host has itself.

    keys.py FOLDER MASTER list
    keys.py FOLDER MASTER get|make|destroy NAME

MASTER is a file of 32 random bytes. Whoever has the folder, or a copy of it, has no key without that. What the bridge
asks of such a program, and what its exit codes say, is told in docs/scaling.md. It needs the library cryptography, as
the bridge does: let the bridge's own Python run it.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

NO_SUCH_KEY = 3
NONCE = 12


def main(folder, master, action, name=""):
    """Do one thing; the exit code."""
    place = Path(folder)
    path = place / name
    if action == "list":
        sys.stdout.writelines(f"{each.name}\n" for each in place.iterdir() if not each.name.startswith("."))
        return 0
    if not name or name.startswith(".") or "/" in name:
        return 2
    if action == "get":
        if not path.exists():
            return NO_SUCH_KEY
        sys.stdout.write(base64.b64encode(opened(path.read_bytes(), Path(master).read_bytes(), name)).decode())
    elif action == "make":
        make(path, sealed(secrets.token_bytes(32), Path(master).read_bytes(), name))
    elif action == "destroy":
        destroy(path)
    else:
        return 2
    return 0


def sealed(key, master, name):
    """A key as it lies in the folder; it is bound to its name."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(master).encrypt(nonce, key, name.encode())


def opened(content, master, name):
    """The key itself; an exception where it was changed, or the master key is another."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(master).decrypt(content[:NONCE], content[NONCE:], name.encode())


def make(path, content):
    """Put it there whole; where another host was first, its key counts."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    flush(path.parent)


def destroy(path):
    """Overwrite it, then remove it."""
    try:
        with open(path, "r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    flush(path.parent)


def flush(folder):
    """Let what was made or removed be on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
