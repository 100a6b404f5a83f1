"""What an operation is: a function from state to state, with a name, and what is known of it without running it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from adaptors.errors import JobError
from adaptors.outgoing import Field
from adaptors.promises import ANYTHING, State, reads_of

ENGINE_KEYS = (
    "configuration", "runtime", "ledger", "outbox", "outcomes", "item", "dry_run", "message", "revisit", "cursor",
    "resting",
)  # fmt: skip


class Operation:
    """One step of a job.

    `run` takes the state and returns it, changed. `reads` are the paths it reads in the state: all, unless it is said.
    `steps` are the operations within it. Where it deals with another `system`, `asks` names the fields that it takes
    from there, and `sends` the fields that may leave for it. `requires` are the paths without which it refuses a
    record.
    `stream`, where a step reads many records, gives them one by one to `each`. `prepare`, where a step sends ids and
    codes only, gives what it would send, so that it can wait. `may_repeat` says whether the step may be done again
    when it is not known whether it took effect. What it sends `only_finds` records, where it changes nothing there.

    >>> Operation("hello", lambda state: {**state, "data": "hello"})({})
    {'data': 'hello'}
    """

    def __init__(
        self,
        name: str,
        run: Callable[[State], State],
        *,
        reads: frozenset[str] = ANYTHING,
        steps: Iterable[Callable[[State], State]] = (),
        system: str = "",
        asks: Iterable[str] = (),
        sends: Mapping[str, Field] | None = None,
        requires: Iterable[str] = (),
        stream: Callable[[State], Iterator[Any]] | None = None,
        prepare: Callable[[State], dict[str, Any]] | None = None,
        may_repeat: Callable[[State], bool] | None = None,
        only_finds: bool = False,
    ) -> None:
        self.__name__ = name
        self.steps = tuple(steps)
        self.reads = reads | reads_of(self.steps)
        self.system = system
        self.asks = tuple(asks)
        self.sends = dict(sends or {})
        self.requires = tuple(requires)
        self.stream = stream
        self.prepare = prepare
        self.may_repeat = may_repeat
        self.only_finds = only_finds
        self._run = run

    def __call__(self, state: State) -> State:
        watch = getattr(state.get("runtime"), "watch", None)
        if watch:
            watch(self, state)
        return self._run(state)

    def __repr__(self) -> str:
        return f"<operation {self.__name__}>"


def call(operation: Callable[[State], State], state: State) -> State:
    """Run one operation and hold it to its signature; what belongs to the engine survives a state made anew.

    >>> call(lambda state: {"data": 1}, {"data": 0, "message": "m1"})
    {'message': 'm1', 'data': 1}
    """
    after = operation(state)
    if not isinstance(after, dict):
        raise JobError(
            f"{name_of(operation)} returned {'nothing' if after is None else 'no state'}",
            fix="End the function with: return state",
        )
    if after is state:
        return after
    return {**{key: state[key] for key in ENGINE_KEYS if key in state}, **after}


def check_operations(operations: tuple[Any, ...], where: str) -> None:
    """Raise JobError when something that can't be called stands where an operation belongs.

    >>> check_operations((print,), "each")
    """
    for place, operation in enumerate(operations, start=1):
        if not callable(operation):
            raise JobError(
                f"number {place} in {where} is a {type(operation).__name__}, not an operation",
                fix="Wrap a function in fn(…), or remove it.",
            )


def check_own_name(name: str, where: str) -> None:
    """Raise JobError when a job would save something under a name that is the engine's.

    >>> check_own_name("case", "save_as")
    """
    if name in (*ENGINE_KEYS, "data", "error", "errors"):
        raise JobError(f"{where} can't use the name \"{name}\", which is the engine's", fix="Choose another name.")


def name_of(operation: Any) -> str:
    """The name an operation goes by in reports."""
    return str(getattr(operation, "__name__", type(operation).__name__))


def tell(state: State, sentence: str) -> None:
    """Say something of the item at hand in the run's report, once; the sentence holds no data.

    >>> state = {"item": {"message": "the case was closed"}}
    >>> tell(state, "Primero reopened it")
    >>> state["item"]["message"]
    'the case was closed; Primero reopened it'
    """
    item = state.setdefault("item", {})
    said = item.get("message")
    if not said:
        item["message"] = sentence
    elif sentence not in said:
        item["message"] = f"{said}; {sentence}"


def rehearsed(state: State, system: str, action: str, fields: Any) -> bool:
    """In a dry run, note what would be sent, as names of fields, and say True: the caller then sends nothing.

    >>> state = {"dry_run": []}
    >>> rehearsed(state, "primero", "create case", {"sex": "female"}), state["dry_run"]
    (True, [{'system': 'primero', 'action': 'create case', 'fields': ['sex']}])
    """
    if state.get("dry_run") is None:
        return False
    names = sorted(str(name) for name in fields) if isinstance(fields, dict) else []
    state["dry_run"].append({"system": system, "action": action, "fields": names})
    return True
