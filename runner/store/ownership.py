"""Whose the data directory is: that of the user who runs this, and nobody else's to read (R-RT6)."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from runner.errors import StoreError


def check(folder: Path) -> None:
    """Raise StoreError where the directory, or something in it, belongs to somebody else or can be read by others.

    For root as well: what root makes there, the service could not use any more. What isn't there yet is right.

    >>> check(Path("data/nowhere"))
    """
    for path in _kept(folder):
        try:
            found = path.stat()
        except FileNotFoundError:  # a journal comes and goes
            continue
        if found.st_uid != os.geteuid():
            whose = _name(found.st_uid)
            raise StoreError(f"{path} belongs to {whose}", fix=f"Do it as that user: sudo -u {whose} runner …")
        if found.st_mode & 0o077:
            raise StoreError(f"{path} can be read by other users of this machine", fix=f"chmod -R go= {folder}")


def _kept(folder: Path) -> Iterator[Path]:
    for kept in (folder, folder / "keys"):
        if kept.is_dir():
            yield kept
            yield from kept.iterdir()


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"
