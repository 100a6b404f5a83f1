"""The ledger: what was sent is remembered by kind and key, so that it is sent neither twice nor never.

It is an object with two methods, `read(kind, key)` and `write(kind, key, entry)`; docs/architecture.md tells what an
entry holds. The engine brings one that lasts; the one in here lasts as long as its state.
"""

from dataclasses import dataclass
from typing import Any

from adaptors.errors import Parked
from adaptors.promises import State
from adaptors.runtime import runtime_of

Entry = dict[str, Any]

TOLD = "told"  # under which kind it knows that a person has settled with the other agency what was found
_RELEASED = "released"  # beside what a person had released when it was begun


class MemoryLedger:
    """A ledger that lasts as long as its state.

    >>> ledger = MemoryLedger()
    >>> ledger.write("referral", "r1", {"status": "done", "value": "", "answer": {}})
    >>> ledger.read("referral", "r1")["status"]
    'done'
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}

    def read(self, kind: str, key: str) -> Entry | None:
        """The entry, or None."""
        return self._entries.get((kind, key))

    def write(self, kind: str, key: str, entry: Entry | None) -> None:
        """Keep the entry; forget it when it is None."""
        if entry is None:
            self._entries.pop((kind, key), None)
        else:
            self._entries[(kind, key)] = entry


def ledger_of(state: State) -> Any:
    """The run's ledger: the engine's, or one in memory, shared by all items of the run.

    >>> state = {}
    >>> ledger_of(state) is ledger_of(state)
    True
    """
    if state.get("ledger") is not None:
        return state["ledger"]
    return runtime_of(state).resource("ledger", MemoryLedger)


@dataclass(frozen=True)
class Line:
    """One line of a ledger: all that it knows of what is sent under a kind and a key.

    >>> line = Line(MemoryLedger(), "referral", "r1")
    >>> line.write("intended", "accepted")
    >>> line.says("intended", "accepted"), line.says("done", "accepted")
    (True, False)
    """

    ledger: Any
    kind: str
    key: str

    def read(self) -> Entry | None:
        """The entry, or None."""
        entry: Entry | None = self.ledger.read(self.kind, self.key)
        return entry

    def says(self, status: str, value: str) -> bool:
        """Whether the entry has this status and this value."""
        found = self.read()
        return bool(found and (found["status"], found["value"]) == (status, value))

    def write(self, status: str, value: str, answer: dict[str, Any] | None = None) -> None:
        """Write a new entry; `answer` holds ids and codes."""
        self.put_back({"status": status, "value": value, "answer": answer or {}})

    def put_back(self, entry: Entry | None) -> None:
        """Write an entry as it was before; None forgets the line."""
        self.ledger.write(self.kind, self.key, entry)


def may_repeat(operation: Any, state: State) -> bool:
    """Whether what may have taken effect can be sent again unasked: so it is unless the operation says otherwise."""
    allowed = getattr(operation, "may_repeat", None)
    return allowed is None or bool(allowed(state))


def begin(line: Line, value: str, state: State) -> None:
    """Write that a sending begins. With it the release of a person is used up: it is for one sending."""
    line.write("intended", value, {_RELEASED: True} if _is_released(state) else {})


def may_send(line: Line, operation: Any, state: State) -> bool:
    """Whether what was begun before can be sent again, by itself or by a release that isn't used up."""
    found = line.read()
    used = found and found["answer"].get(_RELEASED)
    return may_repeat(operation, state) or (_is_released(state) and not used)


def outcome_unknown(line: Line, fix: str) -> Parked:
    """What is raised when only a person can find out whether something was sent; they may release it then."""
    if found := line.read():
        line.put_back({**found, "answer": {}})
    return Parked("it was sent before, and whether it arrived is not known", code="outcome_unknown", fix=fix)


def _is_released(state: State) -> bool:
    """Whether a person let the record at hand be tried again."""
    return bool(state.get("item", {}).get("ids", {}).get("id") in (state.get("revisit") or ()))
