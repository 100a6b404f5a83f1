"""One run of one job: its operations over a state, one after the other."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from runner.errors import JobFailed, RunnerError, Stopped, WrongUse
from runner.guard import Ending, OutOfTime, time_limit
from runner.jobscript import JobScript
from runner.logs.silence import DroppedLines, silence
from runner.outcome import Run, failure, settle
from runner.statefile import ENGINE_KEYS, State
from runner.store import Store
from runner.tally import Tally

Step = tuple[int, Any]
Watch = Callable[[int, str], None]

# What an operation that makes its state anew doesn't have to think of.
_CARRIED = (*ENGINE_KEYS, "configuration", "cursor", "revisit", "errors")


def initial_state(
    given: State,
    configuration: State,
    *,
    store: Store | None,
    message: str | None = None,
    delivers_to: str | None = None,
    scheduled: str | None = None,
    dry_run: bool = False,
) -> State:
    """The state that a run begins with: what was given, and what the engine hands over (docs/architecture.md).

    `message` is the id of the message that the run is about; without it, one is made. Without a store there is no
    ledger and no outbox: operations then remember for the time of the run only. `scheduled` is the name of a job that
    reads on from its cursor: after a restore, its ledger knows what it can't vouch for.

    >>> sorted(initial_state({}, {}, store=None))
    ['configuration', 'data', 'errors', 'message', 'outcomes']
    """
    state = {"data": {}, **given, "configuration": configuration, "message": message or secrets.token_hex(16)}
    state |= {"outcomes": Tally(), "errors": []}
    if store:
        state |= {"ledger": store.ledger(scheduled), "outbox": store.outbox(delivers_to)}
    if dry_run:
        state["dry_run"] = []
    return state


def choose(job: JobScript, only: str | None = None, start: str | None = None, end: str | None = None) -> list[Step]:
    """The operations to run, each with its number from 1; chosen by number or name, the ends included.

    Raises WrongUse when there is no such operation.

    >>> from pathlib import Path
    >>> choose(JobScript("show", Path("show.py"), "", (print, repr)), start="repr")
    [(2, <built-in function repr>)]
    """
    steps = list(enumerate(job.operations, start=1))
    first = _number(job, only or start, otherwise=1)
    last = _number(job, only or end, otherwise=len(steps))
    if first > last:
        raise WrongUse("the first operation comes after the last", fix=f"Choose from {_shown(job)}.")
    return steps[first - 1 : last]


def execute(
    job: JobScript,
    state: State,
    *,
    steps: Sequence[Step] | None = None,
    timeout: float | None = None,
    watch: Watch = lambda number, name: None,
    hush: Callable[[], AbstractContextManager[DroppedLines]] = silence,
) -> Run:
    """Run operations over a state. Whatever they raise ends in the Run, never here; only an Ending that isn't the
    engine's own passes.

    `timeout` is in seconds; `watch` is told the number and name of each operation, and may end the run with Stopped;
    `hush` is what becomes of all that is printed.

    >>> from pathlib import Path
    >>> job = JobScript("greet", Path("greet.py"), "", (lambda state: {**state, "data": "hello"},))
    >>> execute(job, initial_state({}, {}, store=None)).state["data"]
    'hello'
    """
    timings: list[dict[str, Any]] = []
    error: RunnerError | None = None
    with hush() as printed:
        try:
            with time_limit(timeout):
                for number, operation in choose(job) if steps is None else steps:
                    watch(number, name_of(operation))
                    with _timed(name_of(operation), timings):
                        state = _operate(job, number, operation, state)
        except (JobFailed, Stopped) as ended:
            error = ended
        except OutOfTime:
            error = Stopped(f"{job.name} took more than {timeout:g} seconds", fix="Give it more: timeout or --timeout.")
        except KeyboardInterrupt:
            error = Stopped(f"{job.name} was interrupted", fix="Run it again: what was sent isn't sent again.")
        finally:
            _close(state)
    return settle(job, state, timings, error, printed.count)


def name_of(operation: Any) -> str:
    """The name of an operation in reports.

    >>> name_of(print)
    'print'
    """
    return str(getattr(operation, "__name__", type(operation).__name__))


def _operate(job: JobScript, number: int, operation: Any, state: State) -> State:
    try:
        after = operation(state)
        if not isinstance(after, dict):
            raise _NoState("it returned no state")
    except (KeyboardInterrupt, Ending):
        raise
    except BaseException as error:
        raise failure(job, number, name_of(operation), state, error) from None
    return after if after is state else {**{key: state[key] for key in _CARRIED if key in state}, **after}


class _NoState(TypeError):
    code = "no_state"
    fix = "End the function with: return state"


@contextmanager
def _timed(name: str, timings: list[dict[str, Any]]) -> Iterator[None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        timings.append({"name": name, "seconds": round(time.monotonic() - begun, 3)})


def _close(state: State) -> None:
    close = getattr(state.get("runtime"), "close", None)
    if close:
        close()


def _number(job: JobScript, wanted: str | None, *, otherwise: int) -> int:
    names = [name_of(operation) for operation in job.operations]
    if wanted is None:
        return otherwise
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted)
    if names.count(wanted) == 1:
        return names.index(wanted) + 1
    why = "is the name of several operations" if wanted in names else "is no operation"
    raise WrongUse(f"{wanted} {why} of {job.name}", fix=f"Choose by number from {_shown(job)}.")


def _shown(job: JobScript) -> str:
    return ", ".join(f"{number} {name_of(operation)}" for number, operation in enumerate(job.operations, start=1))
