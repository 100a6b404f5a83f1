"""`once`: what is sent is looked up in the ledger first, and written down there before and after.

Where a sending stands is told by `_standing`, in one word; `once` does what that word asks for.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from adaptors.errors import FarSideError, JobError, NotAllowed, Parked, Unreachable
from adaptors.ledger import TOLD, Entry, Line, begin, ledger_of, may_repeat, may_send, outcome_unknown
from adaptors.operations import Operation, call, check_operations, name_of
from adaptors.outbox import keep
from adaptors.promises import State, given, reads_of

_BY_PERSON = "Ask the other agency by the ids; then retry or discard it."


def once(
    kind: str,
    key: Any,
    operation: Callable[[State], State],
    *,
    value: Any = "",
    later: bool = False,
    after: Mapping[str, str] | None = None,
) -> Operation:
    """Run the operation unless the ledger says it was done for this key; *intended* is written before, *done* after.

    With `value`, it is done again whenever the value differs from the last one sent (accepted, rejected, accepted are
    three). An entry found *intended*, from a run that was killed, is done again: operations towards Primero look
    before they write, and DTP recognises what it is sent by its id. `after` names kinds, in the order in which they
    come for a key, each with how its value ends: while the ledger knows any of them, it waits until the last is done
    with such a value, or a person has settled it with the other agency.

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
        line = Line(ledger_of(state), kind, _key(given(key, state), kind))
        wanted = str(given(value, state) or "")
        if later:
            wanted = f"{_message_id(state)} {wanted}".rstrip()
        can_wait = later and state.get("outbox") is not None
        match _standing(line, wanted, after, repeatable=may_send(line, operation, state)):
            case "settled":
                _mark_unchanged(state)
                return state
            case "behind":
                raise _behind(Line(line.ledger, list(after or ())[-1], line.key))
            case _ if state.get("dry_run") is not None:
                return call(operation, state)
            case "doubtful":
                raise _not_vouched(line)
            case "queued":
                return keep(state, operation, line, wanted)
            case "begun" if can_wait:
                return keep(state, operation, line, wanted, begun=True)
            case "begun":
                raise outcome_unknown(line, _BY_PERSON)
            case _ if later:
                return _answered(state, operation, line, wanted)
            case _:
                return _sent(state, operation, line, wanted)

    return Operation(f"once({name_of(operation)})", run, reads=reads_of([key, value]), steps=[operation])


def _standing(line: Line, value: str, after: Mapping[str, str] | None, *, repeatable: bool) -> str:
    """Where a sending stands, by all that the ledger knows; of several words the first holds.

    `settled`: this very value is sent, or waits in the outbox · `behind`: what must come before isn't through ·
    `doubtful`: a restored ledger can't vouch for it · `queued`: an earlier value waits in the outbox · `begun`: a run
    was killed while it was sent, and it must not be repeated unasked · `open`: it can be sent.
    """
    found = line.read()
    status = found["status"] if found else None
    if found and status in ("done", "waiting") and found["value"] == value:
        return "settled"
    if after and _is_behind(line, after):
        return "behind"
    if found and found.get("doubtful"):
        return "doubtful"
    if status == "waiting":
        return "queued"
    return "begun" if status == "intended" and not repeatable else "open"


def _sent(state: State, operation: Any, line: Line, value: str) -> State:
    """Send it now, with the ledger written before and after."""
    before = line.read()
    begin(line, value, state)
    try:
        state = call(operation, state)
    except Exception as error:
        if not getattr(error, "unknown", True):
            line.put_back(before)  # certainly without effect
        raise
    line.write("done", value, state.get("answer"))
    return state


def _answered(state: State, operation: Any, line: Line, value: str) -> State:
    """Send an answer now, or keep it in the outbox; one that is refused is for a person."""
    try:
        return _sent(state, operation, line, value)
    except (Unreachable, NotAllowed) as error:
        if state.get("outbox") is None:
            raise
        return keep(state, operation, line, value, begun=error.unknown and not may_repeat(operation, state))
    except FarSideError as error:
        if error.stops_run or error.retryable:
            raise
        line.write("refused", value)
        ids = {**error.ids, "kind": line.kind, "key": line.key}
        raise Parked(str(error), code="answer_refused", fix=error.fix, ids=ids) from None


def _is_behind(line: Line, after: Mapping[str, str]) -> bool:
    """Whether anything is known that must come before, and the last of it isn't through. One that ends otherwise is an
    earlier word, given before there was anything to come after."""
    found = {kind: _known(Line(line.ledger, kind, line.key)) for kind in (*after, TOLD)}
    if found.pop(TOLD) or not any(found.values()):
        return False
    last, ending = list(after.items())[-1]
    entry = found[last]
    return entry is None or entry["status"] != "done" or not entry["value"].endswith(ending)


def _behind(last: Line) -> FarSideError | Parked:
    """Why something can't be sent yet; it is for a person where what comes before is."""
    earlier, code = _known(last), "waiting_behind"
    if earlier and (earlier["status"] == "refused" or earlier["answer"].get("for_a_person")):
        fix = f"See that the {last.kind} gets through, or discard it; then retry this."
        return Parked(f"an earlier {last.kind} for the same key needs a person", code=code, fix=fix)
    return Unreachable(f"an earlier {last.kind} for the same key isn't sent yet", code=code)


def _not_vouched(line: Line) -> Parked:
    """Park what a restored ledger can't vouch for; written down as doubtful, it stays so until it is released."""
    line.put_back({**(line.read() or {}), "status": "doubtful"})
    return Parked(
        f"a backup was restored, and whether this {line.kind} was sent before is not known",
        code="not_vouched",
        fix=_BY_PERSON,
        ids={"kind": line.kind, "key": line.key},
    )


def _known(line: Line) -> Entry | None:
    """What the ledger knows; nothing, where after a restore it only can't vouch that there was nothing."""
    found = line.read()
    return None if found and found["status"] in ("unknown", "doubtful") else found


def _message_id(state: State) -> str:
    """An answer is given once for every message; without an engine, each call counts as a message of its own."""
    return str(state.get("message") or secrets.token_hex(16))


def _key(value: Any, kind: str) -> str:
    """What comes from outside may be no number at all; then nobody could recognise what is sent under it. Without a
    digit it may be somebody's name, which no ledger shall hold (H41)."""
    text = str(value or "") if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not text.isprintable() or not any(sign.isdecimal() for sign in text):
        raise Parked(
            f"there is no key for the {kind}", code="no_key", fix="Settle it by hand: it has no usable number."
        )
    return text


def _mark_unchanged(state: State) -> None:
    if state.get("item", {}).get("outcome") == "done":
        state["item"]["outcome"] = "unchanged"
