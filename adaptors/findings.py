"""What a check of a live system, or of what is known of one, has found: rows for a table that people read.

A finding is `{"level": "ok" | "note" | "wrong", "what", "found", "fix"}`: what was checked, what is there, what to do.
It holds names of fields, options and users that a job names, never anything of a record.
"""

from collections.abc import Iterable

Finding = dict[str, str]


def ok(what: str, found: str) -> Finding:
    """It is as it should be.

    >>> ok("reachable", "yes")["level"]
    'ok'
    """
    return {"level": "ok", "what": what, "found": found, "fix": ""}


def note(what: str, found: str, fix: str = "") -> Finding:
    """Somebody should know it; it may well be meant so.

    >>> note("clock", "the server doesn't tell the time")["level"]
    'note'
    """
    return {"level": "note", "what": what, "found": found, "fix": fix}


def wrong(what: str, found: str, fix: str) -> Finding:
    """It must be mended.

    >>> wrong("user intake", "there is no such user", "Correct the name.")["level"]
    'wrong'
    """
    return {"level": "wrong", "what": what, "found": found, "fix": fix}


def unless(faults: Iterable[Finding], what: str, found: str) -> list[Finding]:
    """The faults; where none of them is wrong, one finding before them that says so.

    >>> [finding["found"] for finding in unless([], "fields", "12, all on forms")]
    ['12, all on forms']
    """
    faults = list(faults)
    right = not any(finding["level"] == "wrong" for finding in faults)
    return [*([ok(what, found)] if right else []), *faults]
