"""The line on a terminal that shows how far a run is."""

import sys
import threading
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import TextIO

_EVERY = 0.1  # seconds


@contextmanager
def shown(outcomes: Sized, total: int, stream: TextIO | None = None) -> Iterator[Callable[[int, str], None]]:
    """Show a line while the block runs, on a terminal only; gives the function that is told of each operation.

    `outcomes` is watched, not told: it grows while an operation goes through its items.

    >>> with shown([], 2) as tell:
    ...     tell(1, "get_cases")
    """
    stream = stream or sys.stderr  # as it is now, not as it was when this was imported
    at = [0, ""]

    def tell(number: int, name: str) -> None:
        at[:] = [number, name]

    if not stream.isatty():
        yield tell
        return
    ended = threading.Event()

    def keep_writing() -> None:
        while not ended.wait(_EVERY):
            stream.write(f"\r\x1b[Koperation {at[0]}/{total} {at[1]}, {len(outcomes)} items")
            stream.flush()

    writer = threading.Thread(target=keep_writing, daemon=True)
    writer.start()
    try:
        yield tell
    finally:
        ended.set()
        writer.join()
        stream.write("\r\x1b[K")
        stream.flush()
