"""Reasons that people give, and that are kept for good: plain words, without anything that could be a person's."""

import re

from runner.errors import WrongUse

_SHORTEST, _LONGEST = 10, 200  # characters


def refuse_unkept(reason: str) -> None:
    """Raise WrongUse for a reason that can't be kept: too short or long, with numbers or addresses.

    >>> refuse_unkept("the far side moves this weekend")
    """
    plain = len(reason) in range(_SHORTEST, _LONGEST + 1) and reason.isprintable()
    if not plain or re.search(r"\d{3}|@", reason):
        fix = f"Write {_SHORTEST} to {_LONGEST} signs without numbers and addresses: it stays for good."
        raise WrongUse("the reason can't be kept", fix=fix)
