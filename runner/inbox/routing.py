"""Which jobs a message is for, and the units of work that it becomes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from runner.inbox import paths
from runner.project import Job
from runner.triggers import Trigger, matches

Message = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What one job has to do for one subject: a whole message, with one element where the trigger says `split`."""

    job: str
    subject: str | None = field(repr=False)
    message: Message = field(repr=False)


def route(message: Message, jobs: Iterable[Job]) -> Iterator[Part]:
    """The parts of a message, in order; none when no job that is enabled waits for it (H37).

    >>> from pathlib import Path
    >>> trigger = Trigger("t", "message", {"type": "x"}, split="$.parts[*]", subject="$.parts[*].child")
    >>> job = Job("sort", Path("sort.py"), (trigger,))
    >>> [part.subject for part in route({"type": "x", "parts": [{"child": "A"}, {"child": "B"}]}, [job])]
    ['A', 'B']
    """
    for job in jobs:
        trigger = next((trigger for trigger in job.triggers if matches(trigger, message)), None)
        if job.enabled and trigger:
            for part in paths.split(trigger.split, message) if trigger.split else [message]:
                yield Part(job.name, _subject(trigger, part), part)


def _subject(trigger: Trigger, message: Message) -> str | None:
    """What is worked on one at a time. Numbers and texts that read the same are the same."""
    found = paths.find(trigger.subject, message) if trigger.subject else []
    texts = (str(value).strip() for value in found if isinstance(value, (str, int)))
    return next((text for text in texts if text), None)
