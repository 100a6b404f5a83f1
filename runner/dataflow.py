"""What a job takes from each system and sends to it, field by field, as its operations tell without being run."""

from collections.abc import Iterable, Iterator
from typing import Any

from runner.jobscript import JobScript

MESSAGE = "message"  # where a job reads what was posted to us
ANYTHING = "anything"  # where a function may read all there is

Flow = dict[str, Any]


def flows(job: JobScript) -> list[Flow]:
    """The flows of a job, in the order of its operations.

    A flow is `{"direction": "from" | "to", "system", "operation", "fields"}`, and each of its fields
    `{"field", "reads", "free_text"}`: `reads` are the paths from which its value comes, none for a constant;
    `free_text` is `no`, `yes`, or `left out`. What is sent to find a record counts as sent.

    >>> from pathlib import Path
    >>> flows(JobScript("show", Path("show.py"), "", (print,)))
    []
    """
    return [flow for operation in all_within(job.operations) for flow in _flows_of(operation)]


def systems(job: JobScript) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The systems that a job reads, and those that it writes into, in the order of its operations; MESSAGE is none.

    What is sent only to find records writes nothing; an operation that doesn't tell is taken to write what it sends.

    >>> from pathlib import Path
    >>> systems(JobScript("show", Path("show.py"), "", (print,)))
    ((), ())
    """
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    for operation in all_within(job.operations):
        system = getattr(operation, "system", "")
        if system and getattr(operation, "asks", ()):
            reads[system] = None
        if system and getattr(operation, "sends", {}) and not getattr(operation, "only_finds", False):
            writes[system] = None
    return tuple(reads), tuple(writes)


def all_within(operations: Iterable[Any]) -> Iterator[Any]:
    """The operations and those within them, in order.

    >>> list(all_within((print,)))
    [<built-in function print>]
    """
    for operation in operations:
        yield operation
        yield from all_within(getattr(operation, "steps", ()))


def _flows_of(operation: Any) -> Iterator[Flow]:
    system, name = getattr(operation, "system", ""), getattr(operation, "__name__", "")
    asks, sends = getattr(operation, "asks", ()), getattr(operation, "sends", {})
    if asks:
        asked = [{"field": shown(field), "reads": [], "free_text": "no"} for field in asks]
        yield {"direction": "from", "system": system or MESSAGE, "operation": name, "fields": asked}
    if sends:
        sent = [_sent(field, made_of) for field, made_of in sends.items()]
        yield {"direction": "to", "system": system, "operation": name, "fields": sent}


def _sent(field: str, made_of: Any) -> dict[str, Any]:
    marked = "yes" if made_of.free_text & made_of.reads else "left out" if made_of.free_text else "no"
    return {"field": field, "reads": sorted(map(shown, made_of.reads)), "free_text": marked}


def shown(path: str) -> str:
    """A path as people name it: without what all paths of a record begin with.

    >>> shown("data.case.sex"), shown("$")
    ('case.sex', 'anything')
    """
    return ANYTHING if path == "$" else path.removeprefix("data.")
