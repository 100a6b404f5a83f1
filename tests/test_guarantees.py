"""docs/guarantees.md: what proves each row is there."""

import re

import pytest
from pages import DOCS, ROOT, text_of

PAGE = text_of(DOCS / "guarantees.md")
ROWS = re.findall(r"^\| (.+) \|$", PAGE.split("## Reconciling")[0], re.M)[1:]
TESTS = {
    name for path in (ROOT / "tests").glob("test_*.py") for name in re.findall(r"^def (test_\w+)", text_of(path), re.M)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0])
def test_each_guarantee_is_proven(row):
    """R-DV1 Each row of the guarantees names tests that are there."""
    named = re.findall(r"`(test_\w+)`", row.split(" | ")[3])
    assert named
    assert set(named) <= TESTS


def test_every_word_of_reconciling_is_told():
    """Each code that the job finds, and each word of repairing, stands in the tables of the page."""
    script = text_of(ROOT / "jobs" / "reconcile.py") + text_of(ROOT / "adaptors" / "comparing.py")
    words = set(re.findall(r'code="(\w+)"', script)) | {"queued", "held", "mended", "under_way"}
    assert 7 < len(words)
    assert set() == {word for word in words if f"`{word}`" not in PAGE}
