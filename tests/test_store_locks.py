"""Locks: one holder at a time, among threads and processes, and free when the holder is gone."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.errors import InUse, StoreError
from runner.store import Store

HOLD = (
    "import sys; from pathlib import Path; from runner.store import Store\n"
    "with Store.open(Path(sys.argv[1]), at=(sys.argv[2:] or [None])[0]) as store, store.lock('serve'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def store(database, tmp_path):
    with database.open(tmp_path) as store:
        yield store


def test_one_at_a_time(store):
    """A name that is held is refused, other names aren't, and it is free again afterwards."""
    with store.lock("job/sort"):
        with pytest.raises(InUse) as caught, store.lock("job/sort"):
            pass
        with store.lock("job/other"):
            assert caught.value.fix
    with store.lock("job/sort"):
        pass
    assert [] == list((store.folder / "locks").glob("*"))


def test_killed_holder(database, store):
    """H16: the lock of a process that was killed is free at once."""
    where = [str(store.folder), *filter(None, [database.address(store.folder)])]
    holder = subprocess.Popen([sys.executable, "-c", HOLD, *where], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert b"held" in holder.stdout.readline()
        with pytest.raises(InUse), store.lock("serve"):
            pass
        holder.kill()
        holder.wait(60)
    with store.lock("serve"):
        pass


def test_never_two_holders(store):
    """However many try at once, and whenever the file vanishes, never do two hold one name."""
    inside, most = [], []

    def attempt(_):
        try:
            with store.lock("job/sort"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        except InUse:
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(2000)))
    assert {1} == set(most)


def test_folder_that_cant_be_used(tmp_path):
    """A folder that can't hold locks is a StoreError."""
    with Store.open(tmp_path) as store:
        (store.folder / "locks").write_text("a file")
        with pytest.raises(StoreError), store.lock("serve"):
            pass
