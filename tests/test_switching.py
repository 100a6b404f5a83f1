"""Schedules that people switch off and on: who obeys, what is kept, what is told, and what is refused."""

import json
from pathlib import Path

import pytest

from runner.alerts.conditions import conditions
from runner.alerts.sight import Sight
from runner.alerts.standing import standing
from runner.cli import main
from runner.errors import WrongUse
from runner.project import Job
from runner.store import Store
from runner.triggers import Trigger
from runner.work.switching import switch
from tests.kept import DAY, HOUR, NOON
from tests.virtual import Service, made

WHY = "the far side moves this weekend"
HOURLY = Trigger("hourly", "cron", "0 * * * *")
READ = Job("read", Path("read.py"), (HOURLY,))
PROJECT = """\
name: test
triggers: {hourly: {cron: "5 * * * *", timezone: Asia/Amman}, come: {message: {}}}
jobs:
  read: {script: read.py, trigger: hourly}
  take: {script: read.py, trigger: come}
"""


def begun(service):
    """At which hours the runs began."""
    return [run.started.strftime("%d %H:%M") for run in reversed(service.store.runs(1000, job="read"))]


def test_off_and_on(database, tmp_path):
    """What is off stays off, with its reason, and both are entries of the audit log in the name of who did it."""
    with database.open(tmp_path, who="amal") as store:
        assert [True, False] == [store.switch_off("read", reason=WHY, now=NOON) for _ in range(2)]
    with database.open(tmp_path, who="amal") as store:
        (off,) = store.switched_off().values()
        assert ("read", NOON, WHY) == (off.job, off.since, off.reason)
        assert [True, False] == [store.switch_on("read", reason="it has moved", now=NOON) for _ in range(2)]
        assert {} == store.switched_off()
        told = [(line.event, line.who, dict(line.about)) for line in store.audit_log()]
    assert [
        ("schedule_off", "amal", {"job": "read", "reason": WHY}),
        ("schedule_on", "amal", {"job": "read", "reason": "it has moved"}),
    ] == told


def test_worker_obeys_at_once(tmp_path):
    """H15 What is off isn't begun, also after a restart; once it is on, one run makes up for what was missed."""
    with Service(tmp_path, jobs=[made("read", cron="0 * * * *"), made("other", cron="0 * * * *")]) as service:
        service.run(hours=1)
        service.store.switch_off("read", reason=WHY, now=service.clock())
        service.run(hours=3)
        service.kill()
        service.run(hours=2)
        assert ["02 13:00"] == begun(service)
        assert 6 == len(service.outcomes("other"))
        service.store.switch_on("read", reason=WHY, now=service.clock())
        service.run(hours=1)
        assert ["02 13:00", "02 18:00", "02 19:00"] == begun(service)


def test_nobody_wakes_for_what_is_off(tmp_path):
    """A slot that has come of a schedule that is off isn't due, so that nobody looks for it again and again."""
    with Service(tmp_path, jobs=[made("read", cron="30 * * * *")]) as service:
        service.settle()
        service.store.switch_off("read", reason=WHY, now=service.clock())
        service.clock.pass_by(minutes=45)
        service.settle()
        assert service.worker.next_due() > service.clock()
        assert [] == begun(service)


def test_killed_while_it_ran(tmp_path):
    """H16 A run that was killed isn't made up for while its schedule is off, but as soon as it is on."""
    with Service(tmp_path, jobs=[made("read", cron="0 * * * *")]) as service:
        service.settle()
        service.store.take_slot("read", service.clock() + HOUR, now=service.clock())
        service.store.switch_off("read", reason=WHY, now=service.clock())
        service.kill()
        service.settle()
        assert [] == begun(service)
        service.store.switch_on("read", reason=WHY, now=service.clock())
        service.settle()
        assert 1 == len(begun(service))


def test_condition(tmp_path):
    """A schedule that is off needs a look in place of the success that nobody expects; the status says since when."""
    with Store.open(tmp_path) as store:
        store.set_setting("first start of read", NOON.isoformat())
        late = Sight(store, [READ], NOON + DAY)
        assert ["no_success"] == [each.code for each in conditions(late)]
        store.switch_off("read", reason=WHY, now=NOON)
        (found,) = conditions(late)
        assert ("schedule_off", "read", NOON, ("read",)) == (found.code, found.about, found.since, found.jobs)
        assert "read: its schedule is switched off since 2026-03-01T12:00:00Z" == found.sentence
        (row,) = standing(late, [found])["jobs"]
        assert (NOON, None, None) == (row["schedule_off_since"], row["next_due"], row["late_since"])


@pytest.mark.parametrize(
    "reason", ["", "because", "x" * 201, "the child GAM-00000901", "ask amal@example.org", "two\nlines of it"]
)
def test_reasons_that_cannot_be_kept(tmp_path, reason):
    """R-AU4 A reason is plain words, since it is kept for good: no numbers, no addresses."""
    with Store.open(tmp_path) as store:
        with pytest.raises(WrongUse, match="reason"):
            switch(store, [READ], "read", on=False, reason=reason, now=NOON)
        assert {} == store.switched_off()


@pytest.mark.parametrize(("name", "on"), [("nobody", False), ("take", False), ("read", True)])
def test_what_cannot_be_switched(tmp_path, name, on):
    """A job without a schedule, one that isn't there, and one that is so already are refused."""
    take = Job("take", Path("take.py"), (Trigger("come", "message", {}),))
    with Store.open(tmp_path) as store, pytest.raises(WrongUse):
        switch(store, [READ, take], name, on=on, reason=WHY, now=NOON)


def asked(capsys, *arguments):
    code = main(["schedule", *arguments, "--json"])
    return json.loads(capsys.readouterr().out or "null"), code


def test_command(tmp_path, monkeypatch, capsys):
    """`runner schedule` tells schedules in words, switches them, and the status says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "read.py").write_text('"""Reads."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    row = {
        "job": "read",
        "on": True,
        "begins": "At minute 5 of every hour (Asia/Amman)",
        "off_since": None,
        "reason": None,
    }
    assert ({"schedules": [row]}, 0) == asked(capsys, "list")
    found, code = asked(capsys, "off", "read", "--reason", WHY)
    assert (0, False, WHY) == (code, found["schedules"][0]["on"], found["schedules"][0]["reason"])
    assert 4 == main(["status"])
    assert "! read: its schedule is switched off" in capsys.readouterr().out
    assert (None, 2) == asked(capsys, "off", "read", "--reason", WHY)
    assert True is asked(capsys, "on", "read", "--reason", WHY)[0]["schedules"][0]["on"]
    assert 0 == main(["schedule", "list"])
    assert "At minute 5 of every hour (Asia/Amman)" in capsys.readouterr().out
