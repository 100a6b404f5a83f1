"""Scheduled jobs without a success (runner/work/lateness.py)."""

from datetime import UTC, datetime, timedelta

import pytest
from virtual import NOON, Service, item, made

from runner.work.lateness import late_since

HOURLY = "0 * * * *"


class Log:
    """A log that keeps what is written."""

    def __init__(self):
        self.written = []

    def write(self, event, **fields):
        self.written.append((event, fields))


def fails(state):
    """A run that ends with an error."""
    raise ValueError


def finds(outcome):
    """A run with one item of this outcome."""

    def find(state):
        state["outcomes"].append(item(outcome, "c-1"))
        return state

    return find


def told(tmp_path, operation, **lasting):
    """Since when a service whose job does this says that it had no success, each time it says so."""
    log = Log()
    with Service(tmp_path, jobs=[made("read", operation, cron=HOURLY)], log=log) as service:
        service.run(**lasting)
    return [fields["since"] for event, fields in log.written if event == "no_success"]


@pytest.mark.parametrize(("hours", "times"), [(2, 0), (3, 1), (4, 2)])
def test_told_from_the_third_time_on(tmp_path, hours, times):
    """A flow with no success for three of its times raises an alert, at each further one again."""
    assert times * [NOON] == told(tmp_path, fails, hours=hours)


@pytest.mark.parametrize("outcome", ["done", "parked", "refused"])
def test_what_got_through(tmp_path, outcome):
    """A run that left something to a person got through."""
    assert [] == told(tmp_path, finds(outcome), hours=5)


def test_since_the_last_success(tmp_path):
    """It is counted from the last success, and ends with the next."""
    fine = [True]
    log = Log()

    def sometimes(state):
        return state if fine[0] else fails(state)

    with Service(tmp_path, jobs=[made("read", sometimes, cron=HOURLY)], log=log) as service:
        (job,) = service.project.jobs.values()
        service.run(hours=2)
        fine[0] = False
        service.run(hours=4)
        assert NOON + timedelta(hours=2) == late_since(service.store, job, service.clock())
        fine[0] = True
        service.run(hours=1)
        assert late_since(service.store, job, service.clock()) is None


def test_not_scheduled(tmp_path):
    """A job that messages start may rest as long as nobody writes."""
    with Service(tmp_path, jobs=[made("sort", dict, on="x")]) as service:
        (job,) = service.project.jobs.values()
        assert late_since(service.store, job, datetime(2099, 1, 1, tzinfo=UTC)) is None
