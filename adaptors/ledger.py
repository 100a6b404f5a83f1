"""`once` and `deliver`: what was sent is remembered, so that it is sent neither twice nor never.

The ledger is an object with two methods, `read(kind, key)` and `write(kind, key, entry)`; docs/architecture.md tells
what an entry holds. The engine brings one that lasts; the one in here lasts as long as its state.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from adaptors.errors import FarSideError, JobError, NotAllowed, Parked, Unreachable
from adaptors.items import each
from adaptors.operations import Operation, call, check_operations, name_of
from adaptors.promises import State, given, reads_of
from adaptors.runtime import runtime_of

Entry = dict[str, Any]

_BY_PERSON = "Ask the other agency by the ids; then retry or discard it."
_BY_RETRY = "Ask the other agency by the id; retry sends it once more."
# What may wait in the outbox without encryption: ids, codes and our own sentences.
_WAITABLE = re.compile(r"[\w #@.,:;()/+-]{0,1000}", re.ASCII)


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


def once(
    kind: str,
    key: Any,
    operation: Callable[[State], State],
    *,
    value: Any = "",
    later: bool = False,
    after: Sequence[str] = (),
) -> Operation:
    """Run the operation unless the ledger says it was done for this key; *intended* is written before, *done* after.

    With `value`, it is done again whenever the value differs from the last one sent (accepted, rejected, accepted are
    three). An entry found *intended*, from a run that was killed, is done again: operations towards Primero look
    before they write, and DTP recognises what it is sent by its id. `after` names kinds, in the order in which they
    come for a key: while the ledger knows any of them, it waits until the last is done.

    `later=True` is for answers, whose content is ids and codes only. They are given for every message, once for each
    `value`: what one item of it was refused for, a later one may have brought about. When the far side can't be
    reached, or refuses the credential, what would be sent is kept in the outbox and the item counts as done. An answer
    that the far side refuses is parked: the record itself was not at fault. What comes after it is parked as well.

    After a restore from a backup, what a scheduled job finds in the ledger may be `doubtful`: unless it was done, it is
    parked until a person releases it.

    An operation that must not be repeated while it isn't known whether it took effect is parked then, until a person
    releases its record (`revisit`); an answer waits for that in the outbox.

    >>> state = {"data": {"id": "r1"}, "item": {"outcome": "done"}}
    >>> sent = once("referral", lambda state: state["data"]["id"], lambda state: {**state, "sent": True})
    >>> state = sent(state)
    >>> sent({**state, "sent": None})["sent"] is None
    True
    """
    check_operations((operation,), "once")
    if later and getattr(operation, "prepare", None) is None:
        raise JobError(
            f"{name_of(operation)} can't be done later: what it sends is not ids and codes only",
            fix="Leave out later=True.",
        )

    def run(state: State) -> State:
        ledger, name = ledger_of(state), _key(given(key, state), kind)
        wanted = str(given(value, state) or "")
        if later:
            wanted = f"{_message_id(state)} {wanted}".rstrip()
        found = ledger.read(kind, name)
        if found and found["status"] in ("done", "waiting") and found["value"] == wanted:
            _mark_unchanged(state)
            return state
        before = [_known(ledger, earlier, name) for earlier in after]
        if any(before) and (before[-1] or {}).get("status") != "done":
            raise _behind(after[-1], before[-1])
        if state.get("dry_run") is not None:
            return call(operation, state)
        if found and found.get("doubtful"):
            ledger.write(kind, name, {**found, "status": "doubtful"})
            raise Parked(
                f"a backup was restored, and whether this {kind} was sent before is not known",
                code="not_vouched",
                fix=_BY_PERSON,
                ids={"kind": kind, "key": name},
            )
        if found and found["status"] == "waiting":
            return _keep(state, operation, kind, name, wanted)
        if found and found["status"] == "intended" and not (_may_repeat(operation, state) or _released(state)):
            if not later or state.get("outbox") is None:
                raise _outcome_unknown()
            return _keep(state, operation, kind, name, wanted, sending=True)
        try:
            return _sent(state, operation, ledger, kind, name, wanted, found)
        except (Unreachable, NotAllowed) as error:
            if not later or state.get("outbox") is None:
                raise
            doubtful = error.unknown and not _may_repeat(operation, state)
            return _keep(state, operation, kind, name, wanted, sending=doubtful)
        except FarSideError as error:
            if not later or error.stops_run or error.retryable:
                raise
            ledger.write(kind, name, _entry("refused", wanted))
            ids = {**error.ids, "kind": kind, "key": name}
            raise Parked(str(error), code="answer_refused", fix=error.fix, ids=ids) from None

    return Operation(f"once({name_of(operation)})", run, reads=reads_of([key, value]), steps=[operation])


def deliver(operation: Callable[[State], State]) -> Operation:
    """Send what waits in the outbox, in order per key: behind one that can't be delivered, its later ones wait.

    For the job with trigger `outbox`. The operation finds what to send as `data`. What was delivered leaves
    `state["outbox"]`; what is left is kept by the engine, without end. What may have arrived, and must not be repeated
    then, is parked until a person releases it.

    >>> entry = {"system": "progres", "kind": "answer", "key": "INT-1", "value": "", "send": {"status": "…"}}
    >>> state = deliver(lambda state: state)({"outbox": [entry], "ledger": MemoryLedger()})
    >>> state["outbox"], len(state["outcomes"])
    ([], 1)
    """
    check_operations((operation,), "deliver")

    def send_one(state: State) -> State:
        entry = state["data"]
        state["item"]["ids"]["id"] = entry["key"]
        first = next(waiting for waiting in state["outbox"] if waiting["key"] == entry["key"])
        if first is not entry:
            raise Unreachable("an earlier answer for the same key is still waiting", code="waiting_behind")
        if state.get("dry_run") is not None:
            return call(operation, {**state, "data": entry["send"]})
        ledger, done = ledger_of(state), _entry("done", entry["value"])
        if not _says(ledger.read(entry["kind"], entry["key"]), done):
            try:
                state = _delivered(state, operation, ledger, entry)
            except FarSideError as error:
                _note_refusal(ledger, entry, error)
                raise
        # The ledger first: after a kill in between it is known that the entry has only to be removed.
        if not any(_same_key(entry, other) for other in state["outbox"] if other is not entry):
            ledger.write(entry["kind"], entry["key"], done)
        state["outbox"].remove(entry)
        ledger.write(_sending(entry["kind"]), entry["key"], None)
        return state

    sending = Operation(name_of(operation), send_one, steps=[operation])
    return each(lambda state: list(state.get("outbox") or ()), sending)


def _sent(state: State, operation: Any, ledger: Any, kind: str, key: str, value: str, found: Entry | None) -> State:
    ledger.write(kind, key, _entry("intended", value))
    try:
        state = call(operation, state)
    except Exception as error:
        if not getattr(error, "unknown", True):
            ledger.write(kind, key, found)  # certainly without effect: as it was before
        raise
    ledger.write(kind, key, _entry("done", value, state.get("answer") or {}))
    return state


def _delivered(state: State, operation: Any, ledger: Any, entry: Entry) -> State:
    """Send one that waits. Where it must not be repeated, the ledger knows while it is under way that it was begun."""
    if _may_repeat(operation, state):
        return call(operation, {**state, "data": entry["send"]})
    kind, key, value = _sending(entry["kind"]), entry["key"], entry["value"]
    begun = ledger.read(kind, key)
    if begun and begun["value"] == value and not _released(state):
        raise _outcome_unknown(fix=_BY_RETRY)
    ledger.write(kind, key, _entry("intended", value))
    try:
        state = call(operation, {**state, "data": entry["send"]})
    except FarSideError as error:
        if error.unknown:
            raise _outcome_unknown(fix=_BY_RETRY) from None
        ledger.write(kind, key, None)
        raise
    return state


def _keep(state: State, operation: Any, kind: str, key: str, value: str, *, sending: bool = False) -> State:
    """Put into the outbox what the operation would send; `sending` when it may have arrived, and is for a person."""
    send = operation.prepare(state)
    for name, content in send.items():
        if content is not None and not _WAITABLE.fullmatch(str(content)):
            raise Parked(f"{name} can't wait in the outbox: it is more than ids and codes", code="not_waitable")
    if state.get("outbox") is None:
        raise Unreachable("the far side can't be reached, and there is no outbox to wait in")
    ledger = ledger_of(state)
    if sending:
        ledger.write(_sending(kind), key, _entry("intended", value))
    state["outbox"].append({"system": operation.system, "kind": kind, "key": key, "value": value, "send": send})
    ledger.write(kind, key, _entry("waiting", value))
    return state


def _note_refusal(ledger: Any, entry: Entry, error: FarSideError) -> None:
    """Let those who come after know that it isn't only the way that hinders what waits."""
    found = ledger.read(entry["kind"], entry["key"])
    if found and not error.retryable:
        ledger.write(entry["kind"], entry["key"], {**found, "answer": {"refused": error.code}})


def _behind(kind: str, earlier: Entry | None) -> FarSideError | Parked:
    """Why something can't be sent yet; it is for a person where what comes before is."""
    code = "waiting_behind"
    if earlier and (earlier["status"] == "refused" or earlier["answer"].get("refused")):
        fix = f"See that the {kind} gets through, or discard it; then retry this."
        return Parked(f"an earlier {kind} for the same key was refused", code=code, fix=fix)
    return Unreachable(f"an earlier {kind} for the same key isn't sent yet", code=code)


def _sending(kind: str) -> str:
    """Under which kind the ledger knows of an answer from the outbox that its sending was begun."""
    return f"{kind}, from the outbox"


def _outcome_unknown(fix: str = _BY_PERSON) -> Parked:
    return Parked("it was sent before, and whether it arrived is not known", code="outcome_unknown", fix=fix)


def _released(state: State) -> bool:
    """Whether a person let the record at hand be tried again."""
    return bool(state.get("item", {}).get("ids", {}).get("id") in (state.get("revisit") or ()))


def _entry(status: str, value: str, answer: dict[str, Any] | None = None) -> Entry:
    return {"status": status, "value": value, "answer": answer or {}}


def _says(found: Entry | None, entry: Entry) -> bool:
    return bool(found and (found["status"], found["value"]) == (entry["status"], entry["value"]))


def _known(ledger: Any, kind: str, key: str) -> Entry | None:
    """What the ledger knows; nothing, where after a restore it only can't vouch that there was nothing."""
    found: Entry | None = ledger.read(kind, key)
    return None if found and found["status"] in ("unknown", "doubtful") else found


def _same_key(one: Entry, other: Entry) -> bool:
    return bool(one["key"] == other["key"] and one["kind"] == other["kind"])


def _message_id(state: State) -> str:
    """An answer is given once for every message; without an engine, each call counts as a message of its own."""
    return str(state.get("message") or uuid.uuid4().hex)


def _may_repeat(operation: Any, state: State) -> bool:
    allowed = getattr(operation, "may_repeat", None)
    return allowed is None or bool(allowed(state))


def _key(value: Any, kind: str) -> str:
    """What comes from outside may be no number at all; then nobody could recognise what is sent under it."""
    if not value or isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).isprintable():
        raise Parked(
            f"there is no key for the {kind}", code="no_key", fix="Settle it by hand: it has no usable number."
        )
    return str(value)


def _mark_unchanged(state: State) -> None:
    if state.get("item", {}).get("outcome") == "done":
        state["item"]["outcome"] = "unchanged"
