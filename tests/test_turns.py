"""Which jobs may start another run now."""

from contextlib import ExitStack, contextmanager

from virtual import NOON, Service, made

from runner.work.turns import Turns


def test_a_job_is_free_once_its_lock_is(tmp_path, monkeypatch):
    """Whoever is told that a job is free can have it: its lock is given back first."""
    free = []
    with Service(tmp_path, jobs=[made("watch", lambda state: state, on="x")]) as service:
        turns, lock = Turns(service.project, service.store, now=lambda: NOON), service.store.lock

        @contextmanager
        def watched(name):
            with lock(name):
                yield
                free.append(turns.free(alone=True))

        monkeypatch.setattr(service.store, "lock", watched)
        (job,) = turns.free(alone=True)
        with ExitStack() as held:
            assert turns.take_alone(job, held)
            assert [] == turns.free(alone=True)
        assert ([[]], [job]) == (free, turns.free(alone=True))


def test_a_job_that_runs_by_hand(tmp_path):
    """A job whose lock somebody else has isn't begun, and its turn isn't counted."""
    with Service(tmp_path, jobs=[made("watch", lambda state: state, on="x")]) as service, ExitStack() as held:
        turns = Turns(service.project, service.store, now=lambda: NOON)
        (job,) = turns.free(alone=True)
        with service.store.lock("job/watch"):
            assert not turns.take_alone(job, held)
        assert [job] == turns.free(alone=True)
