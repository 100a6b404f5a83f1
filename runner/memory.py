"""The memory of a process that holds records and keys: no crash writes it to a file, nobody else reads it (R-ER9)."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_private() -> None:
    """Have this process leave no core dump, and on Linux be closed to debuggers of its own user, too.

    Elsewhere there is no such switch. A program that it starts has to do the same for itself.

    >>> keep_private()  # doctest: +SKIP
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
