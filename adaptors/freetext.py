"""Free text: marked as such in the mapping, so that an agreement can cap it or leave it out."""

from typing import Any

from adaptors.errors import JobError
from adaptors.operations import tell
from adaptors.promises import Promise, State, check_mapping, data_value, reads_of, resolve, rules_of
from adaptors.rules import Rule


def free_text(value: Any, limit: int | None) -> Promise:
    """What people wrote, `limit` characters of it at most: cut after a word, with "…" at its end, and told in the run.

    A text is a path in `state["data"]`, as in `derive`. With `None` as limit the field is left out: it isn't even read.
    What is no text, such as a code, is never cut.

    >>> resolve(free_text("notes", 20), {"data": {"notes": "Lives with her aunt and two siblings"}})
    'Lives with her aunt…'
    >>> free_text("notes", None).reads
    frozenset()
    """
    promise = data_value(value) if isinstance(value, str) else value
    check_mapping(promise, "free_text(…)")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise JobError(
            "free_text() needs to know how many characters may leave",
            fix="Write a whole number from 1 on, or None to leave the field out.",
        )
    marked = reads_of(promise)
    names = ", ".join(sorted(path.removeprefix("data.") for path in marked))

    def apply(state: State) -> Any:
        text = resolve(promise, state)
        if limit is None or not isinstance(text, str) or len(text) <= limit:
            return text
        tell(state, f"{names} was cut to {limit} characters")
        return _cut(text, limit)

    if limit is None:
        return Promise(
            f"free_text({names}, left out)",
            frozenset(),
            lambda state: None,
            free_text=marked,
            rules=(Rule("left out"),),
        )
    rules = (*rules_of([promise]), Rule(f"at most {limit} characters"))
    return Promise(f"free_text({names}, {limit})", marked, apply, free_text=marked, rules=rules)


def _cut(text: str, limit: int) -> str:
    start = text[:limit]  # one more than fits beside the "…", to see whether a word ends there
    last_blank = max(start.rfind(" "), start.rfind("\n"))
    return (start[:last_blank].rstrip() if last_blank > 0 else start[:-1]) + "…"
