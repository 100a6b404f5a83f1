"""Hand-over of state: what each run starts with (engine.md, "State handed over")."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Cause
from runner.handover import after_failure, after_success, pack, unpack
from runner.outcome import Run
from runner.project import Job, Project
from runner.triggers import Trigger


def job(name, *triggers, enabled=True):
    return Job(name, Path(f"{name}.py"), tuple(Trigger(f"{name}-{kind}", kind, value) for kind, value in triggers),
               enabled=enabled)  # fmt: skip


PROJECT = Project(
    Path("project.yaml"),
    "p",
    {
        each.name: each
        for each in (
            job("first"), job("next", ("success", "first")), job("other", ("success", "first"), ("failure", "next")),
            job("last", ("failure", "first")), job("off", ("success", "first"), enabled=False),
        )
    },
)  # fmt: skip


def test_success_hands_over_the_final_state():
    """The jobs that a success starts get the final state of that very run; a disabled one is not started."""
    state = {"data": {"made": 1}, "saved": [2]}
    assert [("next", state), ("other", state)] == [
        (started.name, given) for started, given in after_success(PROJECT, Run("first", state, (), ()))
    ]


def test_failure_hands_over_the_initial_state():
    """A failure job gets what the run began with, and why it was given up."""
    cause = Cause("unreachable", "Unreachable", "send", {"case_id": "c-1"}, "Wait.", credential="north")
    ((started, given),) = after_failure(PROJECT, "first", {"data": {"sent": 1}}, cause)
    error = {
        "code": "unreachable", "type": "Unreachable", "operation": "send", "item": {"case_id": "c-1"}, "fix": "Wait.",
        "retryable": True,
    }  # fmt: skip
    assert ("last", {"data": {"sent": 1}, "error": error}) == (started.name, given)


@pytest.mark.parametrize("key", ["configuration", "runtime", "ledger", "outbox", "outcomes", "item", "message"])
def test_what_is_never_kept(key):
    """H40: neither credentials nor what belongs to the engine is handed over."""
    assert {"data": 1} == unpack(pack({"data": 1, key: {"password": "x"}}))


def test_what_json_cannot_hold_stays_behind():
    """Records that stream can't be kept; the rest of the state is."""
    assert {"data": 1} == unpack(pack({"data": 1, "pages": iter([1])}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_as_it_was(value):
    """Whatever JSON can hold arrives as it was, half characters included."""
    assert {"data": value} == unpack(pack({"data": value}))
