"""Planted bugs: each takes one safeguard away while a block runs. The judge must find them all."""

from contextlib import contextmanager
from unittest.mock import patch

from adaptors import outbox, sending, values
from adaptors.primero import upsert
from adaptors.sandbox.primero import memory
from runner.store import Store, envelopes, units
from runner.store import ledger as kept
from runner.work import windows
from runner.work.setbacks import Setbacks
from runner.work.units import Units
from runner.work.verdict import Verdict


def _cursor_on_failure():
    """The cursor moves although an item failed (H3)."""
    window_of = windows.window_of

    def hasty(run, *arguments, **more):
        window = window_of(run, *arguments, **more)
        return windows.Window(run.state.get("cursor"), window.parked, {}, window.settled)

    return patch("runner.work.clockwork.window_of", hasty)


def _no_look_up():
    """A case is created without looking whether the child has one (H18)."""
    return patch.object(upsert, "_found", lambda *arguments: None)


def _refusal_unanswered():
    """A refused answer is taken for a success."""
    return patch.object(sending, "keep", lambda state, *arguments, **more: state)


def _answers_dropped():
    """What waits in the outbox is forgotten."""
    return patch.object(kept.Outbox, "append", lambda self, entry: None)


def _no_erasure():
    """Payloads stay after success (R-ER4)."""
    return patch.object(envelopes, "erase", lambda db, holder, reason, now: None)


def _lost_on_restart():
    """What a killed service was at is not taken up again (H16)."""
    return patch.object(units, "_release_abandoned", lambda db, now, only=None: 0)


def _gives_up_at_once():
    """The agreed time is not waited for (H36)."""
    return patch("runner.work.units.verdict.on_unit", _impatient)


def _impatient(run, *arguments, **more):
    if run.outcome == "failed":
        return Verdict("given_up", cause=run.causes[0])
    return Verdict("succeeded" if run.outcome == "succeeded" else "parked")


def _swapped_children():
    """Primero gives a new case the number of the child before (to see that the judge sees it)."""
    put, before = memory.Memory.put, []

    def swapping(self, case):
        before.append(case.data.get("name_last"))
        case.data = {**case.data, "name_last": before[0]}
        put(self, case)

    return patch.object(memory.Memory, "put", swapping)


def _done_forgotten():
    """That something was sent is not remembered (H16)."""
    return _ledger_without("done")


def _intended_forgotten():
    """That something is being sent is not remembered before it is sent (H16)."""
    return _ledger_without("intended")


def _ledger_without(status):
    write = kept.Ledger.write

    def forgetful(self, kind, key, entry):
        if not entry or entry["status"] != status:
            write(self, kind, key, entry)

    return patch.object(kept.Ledger, "write", forgetful)


def _everybody_at_once():
    """Nobody waits for who came before about the same child (H18)."""
    return _together(patch.object(units, "line_up", _all_heads), patch.object(Units, "_has_subject", lambda *_: True))


@contextmanager
def _together(one, other):
    with one, other:
        yield


def _all_heads(db, subject):
    db.execute("UPDATE units SET head = 1 WHERE subject = ?", (subject,))


def _refused_twice():
    """What was refused is refused again at each try (H21)."""
    read = kept.Ledger.read

    def forgetful(self, kind, key):
        found = read(self, kind, key)
        return None if found and found["value"].endswith("Delivery Fail") else found

    return patch.object(kept.Ledger, "read", forgetful)


def _bytes_left():
    """What is erased stays in the file, free to be overwritten some day (R-ER4)."""
    return patch.multiple(Store, scrub=lambda self, now: True, unscrubbed=lambda self: 0)


def _decision_unseen():
    """A decision is sent without looking at the last one that was."""
    read = kept.Ledger.read
    return patch.object(
        kept.Ledger, "read", lambda self, kind, key: None if kind == "decision" else read(self, kind, key)
    )


def _decision_too_early():
    """A decision doesn't wait for the answer before it."""
    return patch.object(sending, "_is_behind", lambda *arguments: False)


def _release_for_good():
    """What a person has released once is sent again, however often a run is killed meanwhile."""

    def begin(line, value, state):
        line.write("intended", value)

    return _together(patch.object(sending, "begin", begin), patch.object(outbox, "begin", begin))


def _clock_unnoticed():
    """Nobody notices that the clock was set back."""
    return patch.object(Setbacks, "look", lambda self, now: None)


def _age_of_last_year():
    """Every child is a year too young."""
    years = values._completed_years

    def younger(birth, today):
        found = years(birth, today)
        return found and found - 1

    return patch.object(values, "_completed_years", younger)


BUGS = {
    "cursor-on-failure": _cursor_on_failure,
    "no-look-up": _no_look_up,
    "kept-nowhere": _refusal_unanswered,
    "answers-dropped": _answers_dropped,
    "no-erasure": _no_erasure,
    "lost-on-restart": _lost_on_restart,
    "gives-up-at-once": _gives_up_at_once,
    "swapped-children": _swapped_children,
    "no-done": _done_forgotten,
    "no-intended": _intended_forgotten,
    "no-subject": _everybody_at_once,
    "refused-twice": _refused_twice,
    "bytes-left": _bytes_left,
    "decision-unseen": _decision_unseen,
    "decision-too-early": _decision_too_early,
    "release-for-good": _release_for_good,
    "clock-unnoticed": _clock_unnoticed,
    "wrong-age": _age_of_last_year,
}


@contextmanager
def planted(name):
    """Let the bug of this name be there while the block runs; none for None."""
    if name is None:
        yield
    else:
        with BUGS[name]():
            yield
