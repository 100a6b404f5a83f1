"""Where a directory's store is: in a file there, or in PostgreSQL. In both it would be two, and each would send what
the other has sent.

Once the store is in PostgreSQL a note in the directory says so, and no file is begun there any more, should the project
file not name the database one day. Moving puts the note first and removes the file last, so that neither is used
between the two.
"""

import os
from contextlib import suppress
from pathlib import Path

from runner import keyfile
from runner.errors import StoreError
from runner.store.sqlite import FILE

NOTE = "store.elsewhere"
_TEXT = "The store of this directory is in PostgreSQL: the project file names it by `store`.\n"


def check(folder: Path, *, in_file: bool) -> None:
    """Raise StoreError where the directory's store is in the other place, or on its way there.

    >>> check(Path("data/nowhere"), in_file=True)
    """
    if in_file and is_elsewhere(folder):
        fix = "Name it in the project file: store: postgresql://…; if moving it was broken off, move it again."
        raise StoreError("the store of this data directory is in PostgreSQL", fix=fix)
    if not in_file and (folder / FILE).exists():
        fix = "Move it: runner store migrate --to postgresql://…"
        raise StoreError("the data directory has a store of its own, which was not moved, or not to its end", fix=fix)


def is_elsewhere(folder: Path) -> bool:
    """Whether the directory has the note."""
    return (folder / NOTE).exists()


def put_note(folder: Path) -> None:
    """Say that the store is in PostgreSQL. Raises OSError."""
    with suppress(FileExistsError):
        handle = os.open(folder / NOTE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(handle, _TEXT.encode())
        os.close(handle)
    keyfile.flush(folder)


def take_note_away(folder: Path) -> None:
    """The store is in its file, after all. Raises OSError."""
    (folder / NOTE).unlink(missing_ok=True)
    keyfile.flush(folder)


def remove_file(folder: Path) -> None:
    """Overwrite and remove the file and what belongs to it, which nobody has open. Raises OSError."""
    for path in sorted(folder.glob(f"{FILE}*"), reverse=True):  # the file itself last
        with open(path, "r+b") as file:
            left = path.stat().st_size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    keyfile.flush(folder)
