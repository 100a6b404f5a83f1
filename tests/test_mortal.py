"""A real kill -9 at every statement that is written, at every checkpoint, and at every change of a key."""

import json
import shutil
import subprocess
import sys

import pytest

from runner.store import Store
from tests.canaries import traces
from tests.chaos.processes import ROOT, environment, memory_folder

CANARIES = ("Nyakím «Quillwort» Deng-58213", "+251 91 155 57 731")
MESSAGE = json.dumps({"type": "mark", "child": CANARIES})


@pytest.fixture
def folder():
    """A folder in memory: what a killed process has written is there, whether a disk has it or not."""
    made = memory_folder("mortal-")
    yield made
    shutil.rmtree(made)


def test_killed_at_every_step(folder):
    """R-WH1 R-ER1 R-ER4 Killed anywhere, what was answered for is done once, and erased with a verified receipt."""
    (folder / "tmp").mkdir()
    lives = subprocess.run(
        [sys.executable, "-m", "tests.mortal", str(folder)],
        cwd=ROOT, env=environment(folder), input=MESSAGE, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert (0, "") == (lives.returncode, lives.stderr)
    ends = json.loads(lives.stdout)
    assert len(ends) > 60
    assert {(-9, 0)} == {tuple(end) for end in ends.values()}
    assert [] == traces(folder, *CANARIES)
    for at in ends:
        with Store.open(folder / at / "data") as store:
            (message,) = store.messages()
            assert ((folder / at / "answered").read_text(), "succeeded") == (message.id, message.status), at
            assert ["succeeded"] == [run.outcome for run in store.runs()], at
            (receipt,) = store.receipts(message.id)
            assert receipt.verified, at
            assert (0, []) == (store.unscrubbed(), store.pending_epochs()), at
        assert "m" == (folder / at / "marks").read_text(), at
        assert ["2026-03-02.key", "fingerprint.key"] == sorted(path.name for path in (folder / at / "keys").iterdir())
