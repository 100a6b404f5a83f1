"""Reasons that people give, and that are kept for good: plain words, without anything that could be a person's."""

import re

from runner.errors import WrongUse

_SHORTEST, _LONGEST = 10, 200  # characters


def may_be_kept(reason: str) -> bool:
    """Whether it is neither too short nor too long, and has no numbers or addresses.

    >>> may_be_kept("the far side moves this weekend"), may_be_kept("because"), may_be_kept("the child GAM-00000901")
    (True, False, False)
    """
    plain = len(reason) in range(_SHORTEST, _LONGEST + 1) and reason.isprintable()
    return plain and not re.search(r"\d{3}|@", reason)


def refuse_unkept(reason: str) -> None:
    """Raise WrongUse for a reason that can't be kept.

    >>> refuse_unkept("the far side moves this weekend")
    """
    if not may_be_kept(reason):
        fix = f"Write {_SHORTEST} to {_LONGEST} signs without numbers and addresses: it stays for good."
        raise WrongUse("the reason can't be kept", fix=fix)
