"""A second look at a job: what it would send, field by field, and by which rows of its tables.

Its operations are run once more over what the far sides hold now, in this process, with a DTP of their own.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

from adaptors.errors import AdaptorError
from adaptors.operations import Operation, call
from adaptors.promises import State
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import Dtp
from adaptors.sandbox.inprocess import DTP_HOST, PRIMERO_HOST
from adaptors.sandbox.transport import SandboxTransport
from adaptors.trial.script import Script
from adaptors.trial.watched import Row
from adaptors.trial.ways import resolved

SENDING = ("upsert_case", "update_referral", "send_referral", "send_decision", "send_feedback")
_BEGINNING = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Sending:
    """What an operation would send of a record: values by field, and the rows that each was made by. `item` is the
    record of what became of it, with its ids.
    """

    operation: str
    item: dict[str, Any]
    values: dict[str, Any]
    rows: dict[str, frozenset[Row]]

    def is_about(self, mark: str) -> bool:
        """Whether its record is known by this id."""
        return mark in self.item["ids"].values()


def review(script: Script, sandbox: Sandbox, state: State, *, dry_run: bool = False) -> list[Sending]:
    """Run a job's operations from this state, and give all that it would send. In a dry run nothing leaves them."""
    runtime = _Watching(script, SandboxTransport({PRIMERO_HOST: sandbox.primero.answer, DTP_HOST: Dtp().answer}))
    state = {"data": {}, "message": "review", "cursor": _BEGINNING, "outcomes": [], "errors": [], "outbox": [], **state}
    state |= {"configuration": sandbox.configuration, "runtime": runtime}
    state |= {"dry_run": []} if dry_run else {}
    try:
        with redirect_stdout(StringIO()):
            for operation in script.operations:
                state = call(operation, state)
    except AdaptorError:
        pass  # what ended the real run is told by the real run
    finally:
        runtime.close()
    return runtime.sendings


class _Watching(Runtime):
    """A runtime that takes down what is to be sent, before it is."""

    def __init__(self, script: Script, transport: SandboxTransport) -> None:
        super().__init__(transport=transport)
        self._script = script
        self.sendings: list[Sending] = []

    def pool(self, workers: int) -> Any:
        """One at a time, so that it is known for whom a table was looked at."""
        return super().pool(1)

    def watch(self, operation: Operation, state: State) -> None:
        """Resolve the fields of an operation that sends."""
        if operation.__name__ not in SENDING:
            return
        sending = Sending(operation.__name__, state["item"], {}, {})
        for name, field in operation.sends.items():
            (value, code), rows = self._script.watch.during(partial(resolved, field, state))
            if not code:
                sending.values[name], sending.rows[name] = value, rows
        self.sendings.append(sending)
