"""Reading lists to their end (adaptors/primero/pages.py)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptors.errors import Untrustworthy
from adaptors.primero import pages
from adaptors.primero.pages import every_record


def served(rows, page, per, clamp=1000):
    per = min(per, clamp)
    return rows[(page - 1) * per : page * per], len(rows), per


def records(number):
    return [{"id": f"{place:05}"} for place in range(number)]


@pytest.mark.parametrize("number", [0, 1, 20, 999, 1000, 1001, 1999, 2000, 5000])
def test_a_list_at_rest_is_read_whole(number):
    """H1: every record of a list comes once, whatever its length."""
    rows = records(number)

    assert rows == list(every_record(lambda page, per: served(rows, page, per)))


def test_a_server_that_gives_less_at_a_time_is_followed():
    """H1: a clamp that shows only in metadata.per loses nothing."""
    rows = records(75)

    assert rows == list(every_record(lambda page, per: served(rows, page, per, clamp=20)))


def test_a_list_that_never_rests_is_an_error():
    """H1: a list that shifts at each reading ends in an error, never in a quiet end."""
    rows, asked = records(1500), []

    def ask(page, per):
        asked.append(page)
        if page == 2:
            rows.pop(0)
        return served(rows, page, per)

    with pytest.raises(Untrustworthy) as caught:
        list(every_record(ask))

    assert "pages_shifted" == caught.value.code
    assert 1 + pages.REREADS == asked.count(1)


def test_a_swap_that_leaves_the_total_is_noticed():
    """H1: one record leaves and another enters between two pages; the total stays, and still none is missed."""
    rows, swapped = records(1500), []

    def ask(page, per):
        if page == 2 and not swapped:
            swapped.append(rows.pop(0))
            rows.append({"id": "99999"})
        return served(rows, page, per)

    assert {f"{place:05}" for place in range(1500)} | {"99999"} == {row["id"] for row in every_record(ask)}


def test_shifts_that_cancel_out_in_the_count_are_noticed():
    """H1: the list moves one way before page two and back before page three: the numbers agree, a record would not."""
    rows, new = records(2500), iter(range(90_000, 99_999))
    moves = {2: True, 3: True}

    def ask(page, per):
        if page == 2 and moves.pop(2, None):
            del rows[:5]
            rows.extend({"id": str(next(new))} for _ in range(5))
        if page == 3 and moves.pop(3, None):
            rows.insert(0, {"id": "-new"})
            rows.pop()
        return served(rows, page, per)

    staying = {f"{place:05}" for place in range(5, 2500)}
    assert staying <= {row["id"] for row in every_record(ask)}


@settings(max_examples=300, deadline=None)
@given(
    number=st.integers(0, 50),
    largest=st.integers(6, 9),
    changes=st.lists(st.tuples(st.integers(2, 12), st.booleans(), st.integers(0, 60)), max_size=4),
)
def test_what_stays_in_the_list_is_never_missed(number, largest, changes):
    """H1: records may come and go between any two requests; those that stay come exactly once, or it is an error."""
    rows, asked = [{"id": place * 2} for place in range(number)], []
    left = set()

    def ask(page, per):
        asked.append(page)
        for when, enters, which in changes:
            if when == len(asked) and enters:
                rows.append({"id": which * 2 + 1})
                rows.sort(key=lambda row: row["id"])
            elif when == len(asked) and rows:
                left.add(rows.pop(which % len(rows))["id"])
        return served(rows, page, per)

    found = []
    try:
        found += [row["id"] for row in every_record(ask, largest)]
    except Untrustworthy:
        return

    assert {place * 2 for place in range(number)} - left <= set(found)
    assert len(found) == len(set(found))
