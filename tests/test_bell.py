"""The bell: nobody sleeps over a ring (runner/work/bell.py)."""

import threading

from runner.work.bell import Bell

FOR_EVER = 3600


def sleeper(bell, awake):
    """A thread that sleeps until the bell rings."""
    heard = bell.rings

    def sleep():
        bell.wait(heard, FOR_EVER)
        awake.release()

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    return thread


def test_a_ring_before_sleep_is_not_lost():
    """Who looked round before the ring doesn't sleep after it."""
    bell = Bell()
    heard = bell.rings
    bell.ring()
    bell.wait(heard, FOR_EVER)


def test_a_ring_wakes_a_sleeper():
    """Each ring wakes one of those who sleep."""
    bell, awake = Bell(), threading.Semaphore(0)
    threads = [sleeper(bell, awake) for _ in range(3)]
    for thread in threads:
        while thread.is_alive():
            bell.ring()
            awake.acquire(timeout=0.01)


def test_time_passes():
    """Without a ring the time ends the sleep."""
    bell = Bell()
    bell.wait(bell.rings, 0.001)
    assert (0, False) == (bell.rings, bell.ended.is_set())


def test_the_end_wakes_all():
    """When it has stopped, all who sleep awake, and nobody falls asleep any more."""
    bell, awake = Bell(), threading.Semaphore(0)
    threads = [sleeper(bell, awake) for _ in range(3)]
    bell.stop()
    for thread in threads:
        thread.join(60)
    bell.wait(bell.rings, FOR_EVER)
    assert [False] * 3 == [thread.is_alive() for thread in threads]
