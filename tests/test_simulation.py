"""The simulation: its seeds find nothing wrong, its stories don't change, and its judge finds what is planted."""

import pytest

from tests.simulation.__main__ import run
from tests.simulation.sabotage import BUGS

# By planted bug: a seed in whose story it shows.
TELLING = {
    "no-look-up": 3, "kept-nowhere": 22, "answers-dropped": 22, "no-erasure": 1, "bytes-left": 1, "lost-on-restart": 26,
    "swapped-children": 1, "wrong-age": 1, "no-done": 2, "decision-unseen": 1, "gives-up-at-once": 2,
    "cursor-on-failure": 40, "no-intended": 15, "no-subject": 14, "refused-twice": 32, "decision-too-early": 98,
    "release-for-good": 2715, "clock-unnoticed": 189,
}  # fmt: skip

ONCE_WRONG = (3920, 5292, 6423)  # seeds that have found something, beyond those that CI runs in any case


@pytest.mark.parametrize("seed", [*range(1, 9), *ONCE_WRONG])
def test_seed(seed):
    """R-DV1 Whatever goes wrong on the way, nothing is lost, doubled, swapped, left unanswered or kept in the end."""
    assert [] == run(seed)["violations"]


def test_same_seed_same_story():
    """A seed tells the same story each time, step by step, so that what it found can be found again."""
    assert run(3)["story"] == run(3)["story"]


def test_every_planted_bug_is_sought():
    """No bug is planted without a seed that finds it."""
    assert BUGS.keys() == TELLING.keys()


@pytest.mark.parametrize("bug", TELLING)
def test_planted_bug(bug):
    """The judge finds a bug that was planted."""
    assert [] != run(TELLING[bug], bug)["violations"]
