"""The tally of a run (runner/tally.py)."""

from datetime import date

import pytest

from runner.tally import Tally

PARKED = {"outcome": "parked", "ids": {"case_id": "c-1"}, "code": "no_service", "message": None, "differs": []}
DONE = {"outcome": "done", "ids": {"case_id": "c-2"}}


def tally(*records):
    """A tally with these records."""
    made = Tally()
    made += records
    return made


def test_records_come_out_as_they_were_put_in():
    """Each record comes out again, in order, by its place, from the end, and in part."""
    kept = tally(PARKED, DONE)
    assert [PARKED, DONE] == list(kept)
    assert (PARKED, DONE, [DONE], 2) == (kept[0], kept[-1], kept[1:], len(kept))
    with pytest.raises(IndexError):
        kept[2]


def test_what_is_put_in_is_settled():
    """A record that is changed after it was put in, or after it was looked at, stays as it was."""
    record = {"outcome": "done", "ids": {}}
    kept = tally(record)
    record["ids"]["case_id"] = "c-9"
    kept[0]["outcome"] = "failed"
    assert [{"outcome": "done", "ids": {}}] == list(kept)


def test_an_id_of_any_kind():
    """What a job gives as an id need not be a text to be counted."""
    assert [{"outcome": "done", "ids": {"day": "2026-03-01"}}] == list(
        tally({"outcome": "done", "ids": {"day": date(2026, 3, 1)}})
    )


def test_a_list_takes_its_records():
    """A plain list of outcomes can be put after a tally's, and a tally's after a plain list's."""
    assert [DONE, PARKED] == [DONE, *tally(PARKED)]
    kept = tally(DONE)
    kept.append(PARKED)
    assert [DONE, PARKED] == list(kept)
