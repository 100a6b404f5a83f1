"""What a run hands to the next: the state that each kind of trigger starts with (engine.md, "State handed over").

A hand-over is kept as JSON in an encrypted envelope; what JSON can't hold, such as records that stream, stays behind.
"""

import json
from collections.abc import Iterator

from runner.errors import Cause
from runner.outcome import Run
from runner.project import Job, Project
from runner.statefile import ENGINE_KEYS, State, is_json

Start = tuple[Job, State]


def pack(state: State) -> bytes:
    """The state as bytes, to be encrypted: without configuration, and without what belongs to the engine.

    >>> pack({"data": {"a": 1}, "configuration": {"north": {}}, "outcomes": []})
    b'{"data": {"a": 1}}'
    """
    own = {key: value for key, value in state.items() if key != "configuration" and key not in ENGINE_KEYS}
    try:
        packed = json.dumps(own, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        packed = json.dumps({key: value for key, value in own.items() if is_json(value)})
    return packed.encode("ascii")


def unpack(plain: bytes) -> State:
    """The state again.

    >>> unpack(pack({"data": "ünïcödé"}))
    {'data': 'ünïcödé'}
    """
    state: State = json.loads(plain)
    return state


def after_success(project: Project, run: Run) -> list[Start]:
    """The jobs that a job's success starts, each with the final state of that very run."""
    return [(job, run.state) for job in _following(project, "success", run.job)]


def after_failure(project: Project, name: str, given: State, cause: Cause) -> list[Start]:
    """The jobs that start when a job was given up, each with the state that its run began with, and the `error`."""
    return [(job, {**given, "error": cause.record}) for job in _following(project, "failure", name)]


def _following(project: Project, kind: str, name: str) -> Iterator[Job]:
    for job in project.jobs.values():
        if job.enabled and any(trigger.kind == kind and trigger.value == name for trigger in job.triggers):
            yield job
