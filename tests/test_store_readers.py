"""Connections for queries: kept for the next reader, until they are lost or nobody needs them any more."""

import pytest

from runner.store.readers import Readers


class Link:
    """A connection that does nothing."""

    def __init__(self):
        self.lost = self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def made():
    return []


@pytest.fixture
def readers(made):
    def connect():
        made.append(Link())
        return made[-1]

    return Readers(connect)


def test_kept_for_the_next(readers, made):
    """One who reads after another has the same connection; who reads meanwhile has one of their own."""
    with readers.one() as first, readers.one() as second:
        assert first is not second
    with readers.one(), readers.one():
        pass
    assert (2, [False, False]) == (len(made), [link.closed for link in made])


def test_lost(readers, made):
    """A connection that broke off is not given to the next reader, nor are those that broke off with it."""
    with readers.one() as first:
        with readers.one():
            pass
        first.lost = True
    assert [True, True] == [link.closed for link in made]
    with readers.one() as third:
        assert third not in made[:2]


def test_closed_while_somebody_reads(readers, made):
    """Who still reads when the store is closed reads on; nothing stays open afterwards."""
    with readers.one() as first:
        with readers.one():
            pass
        readers.close()
        assert [False, True] == [first.closed, made[1].closed]
    assert first.closed


def test_reader_that_fails(readers, made):
    """A connection is kept whatever its reader ran into."""
    with pytest.raises(KeyError), readers.one():
        raise KeyError
    with readers.one() as link:
        assert [link] == made
