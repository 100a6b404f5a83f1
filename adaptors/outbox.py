"""The outbox: answers that wait for the far side, as ids and codes only, and `deliver`, which sends them in order.

It is a list in the state; the engine's keeps each change at once. While an answer waits, the ledger says *waiting*.
"""

import re
from collections.abc import Callable
from typing import Any

from adaptors.errors import FarSideError, Parked, Unreachable
from adaptors.items import each
from adaptors.ledger import Entry, Line, begin, ledger_of, may_repeat, may_send, outcome_unknown
from adaptors.operations import Operation, call, check_operations, name_of
from adaptors.promises import State

_BY_RETRY = "Ask the other agency by the id; retry sends it once more, discard drops it."
# What may wait without encryption: ids, codes and our own sentences.
_WAITABLE = re.compile(r"[\w #@.,:;()/+-]{0,1000}", re.ASCII)


def keep(state: State, operation: Any, line: Line, value: str, *, begun: bool = False) -> State:
    """Put into the outbox what the operation would send; `begun` when it may have arrived, and is for a person.

    Raises Parked for what is more than ids and codes, and Unreachable where there is no outbox.
    """
    send = operation.prepare(state)
    for name, content in send.items():
        if content is not None and not _WAITABLE.fullmatch(str(content)):
            raise Parked(f"{name} can't wait in the outbox: it is more than ids and codes", code="not_waitable")
    if state.get("outbox") is None:
        raise Unreachable("the far side can't be reached, and there is no outbox to wait in")
    if begun:
        _under_way(line).write("intended", value)
    waiting = {"system": operation.system, "kind": line.kind, "key": line.key, "value": value, "send": send}
    state["outbox"].append(waiting)
    if not line.says("waiting", value):  # the engine's outbox has seen to it at the same time
        line.write("waiting", value)
    return state


def deliver(operation: Callable[[State], State]) -> Operation:
    """Send what waits in the outbox, in order per key: behind one that can't be delivered, its later ones wait.

    For the job with trigger `outbox`. The operation finds what to send as `data`. What was delivered leaves
    `state["outbox"]`; what is left is kept by the engine, without end. What may have arrived, and must not be repeated
    then, is parked until a person releases or discards it.

    >>> entry = {"system": "progres", "kind": "answer", "key": "INT-1", "value": "", "send": {"status": "…"}}
    >>> state = deliver(lambda state: state)({"outbox": [entry]})
    >>> state["outbox"], len(state["outcomes"])
    ([], 1)
    """
    check_operations((operation,), "deliver")

    def send_one(state: State) -> State:
        waiting, outbox, ids = state["data"], state["outbox"], state["item"]["ids"]
        ids |= {"kind": waiting["kind"], "key": waiting["key"]}
        if next(other for other in outbox if other["key"] == waiting["key"]) is not waiting:
            raise Unreachable("an earlier answer for the same key is still waiting", code="waiting_behind")
        ids["id"] = waiting["key"]  # only of the first: it is what a person retries or discards
        if state.get("dry_run") is not None:
            return call(operation, {**state, "data": waiting["send"]})
        line = Line(ledger_of(state), waiting["kind"], waiting["key"])
        if not any(each.says("done", waiting["value"]) for each in (line, _under_way(line))):
            state = _delivered(state, operation, line, waiting)
        # The ledger first: after a kill in between it is known that the entry has only to be removed.
        if not any(_same_key(waiting, other) for other in outbox if other is not waiting):
            line.write("done", waiting["value"])
        outbox.remove(waiting)
        return state

    sending = Operation(name_of(operation), send_one, steps=[operation])
    return each(lambda state: list(state.get("outbox") or ()), sending)


def _delivered(state: State, operation: Any, line: Line, waiting: Entry) -> State:
    """Send one that waits; of what hinders it, those who come after learn by the ledger."""
    state = {**state, "data": waiting["send"]}
    try:
        if may_repeat(operation, state):
            return call(operation, state)
        return _sent_once(state, operation, _under_way(line), waiting["value"])
    except (FarSideError, Parked) as error:
        found, hindered = line.read(), {} if error.retryable else {"for_a_person": error.code}
        if found and found["answer"] != hindered:
            line.put_back({**found, "answer": hindered})
        raise


def _sent_once(state: State, operation: Any, under_way: Line, value: str) -> State:
    """Send what must not be repeated: the ledger knows, while it is under way, that it was begun."""
    if under_way.says("intended", value) and not may_send(under_way, operation, state):
        raise outcome_unknown(under_way, _BY_RETRY)
    begin(under_way, value, state)
    try:
        state = call(operation, state)
    except FarSideError as error:
        if error.unknown:
            raise outcome_unknown(under_way, _BY_RETRY) from None
        under_way.put_back(None)
        raise
    under_way.write("done", value)
    return state


def _under_way(line: Line) -> Line:
    """Where the ledger knows of an answer from the outbox that its sending was begun, or done."""
    return Line(line.ledger, f"{line.kind}, from the outbox", line.key)


def _same_key(one: Entry, other: Entry) -> bool:
    return bool(one["key"] == other["key"] and one["kind"] == other["kind"])
