"""Retention: what is older than agreed is deleted piece by piece, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from runner import project
from runner.keyfolder import KeyFolder
from runner.store import Parked, Store
from runner.vault import Vault
from runner.work.ages import Ages
from runner.work.housekeeping import Housekeeping
from tests.kept import DAY, ERROR, NOON, claim, post, run, unit
from tests.test_commands import document

LONG_AGO = NOON - 100 * DAY
DONE = {"status": "done", "value": "", "answer": {}}
PROJECT = """\
name: test
jobs:
  sort: {script: sort.py}
retention: {runs_days: 30, logs_days: 10}
inbox: {repeat_days: 60}
log: {folder: logs}
"""


@pytest.fixture
def store(tmp_path):
    """A store in which something happened long ago, and the same today."""
    with Store.open(tmp_path / "data", now=lambda: NOON) as store:
        for name, time in (("old", LONG_AGO), ("new", NOON)):
            for number in range(3):
                post(store, f"{name}-{number}", unit(f"u-{name}-{number}"), now=time)
                record = run(f"r-{name}-{number}", "done", ended=time)
                store.succeed(claim(store, time), record, now=time)
            store.take_slot("read", time, now=time)
            store.settle_scheduled("read", run(f"s-{name}", ended=time), now=time)
        assert store.scrub(now=NOON)
        yield store


def test_what_is_old(store):
    """R-ER8 Runs, settled messages with their units, receipts and slots are deleted after 90 days; today's stay."""
    counts = {"runs": 4, "messages": 3, "units": 0, "receipts": 3, "days": 1, "slots": 1, "logs": 0}
    assert counts == Ages().old(store, NOON)
    purged = {name: count for name, count in counts.items() if count}
    assert (purged, {}) == (Ages().purge(store, NOON), Ages().purge(store, NOON))
    assert ["s-new", "r-new-2", "r-new-1", "r-new-0"] == [each.id for each in store.runs()]
    assert ["new-2", "new-1", "new-0"] == [each.id for each in store.messages()]
    assert 3 == len(store.units())
    assert [] == store.receipts("old-1")
    assert NOON == store.slot("read")
    assert ("purged", purged) == (store.audit_log()[-1].event, store.audit_log()[-1].about)


def test_what_stays(store):
    """R-ER8 The ledger, parked records, what is still pending, and the audit log are never too old; nor is the newest
    slot of a job, without which it would run again."""
    store.ledger().write("referral", "r1", DONE)
    store.settle_scheduled(
        "read", replace(run("p", ended=LONG_AGO)), parked=[Parked("read", "c-1", {"id": "c-1"}, "x")], now=LONG_AGO
    )
    post(store, "waits", now=LONG_AGO)
    log = len(store.audit_log())
    while Ages().purge(store, NOON + 1000 * DAY):
        pass
    assert (DONE, 1) == (store.ledger().read("referral", "r1"), len(store.parked()))
    assert ["waits"] == [each.id for each in store.messages()]
    assert store.envelope("waits")
    assert (NOON, []) == (store.slot("read"), store.audit_faults())
    assert log < len(store.audit_log())


def test_in_batches(store):
    """A large store is purged in bounded pieces, each a transaction."""
    pieces = 0
    while store.purge(runs=NOON, messages=NOON, now=NOON, most=1):
        pieces += 1
    assert (4, 0) == (pieces, store.old(runs=NOON, messages=NOON)["runs"])


def test_settings(tmp_path):
    """R-ER8 The project file says how long; a message stays as long as its repetition must be recognised."""
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    ages = Ages.of(project.load(tmp_path / "project.yaml"))
    assert (30, 60, 10) == (ages.runs.days, ages.messages.days, ages.logs.days)
    assert tmp_path / "logs" == ages.log_folder


def test_log_files(store, tmp_path):
    """R-ER8 Log files end by the day in their name; what isn't one of ours is left alone."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("events-2026-02-18.log", "events-2026-02-19.log", "events-old.log", "events-2026-99-99.log", "mine"):
        (folder / name).write_text("x")
    ages = Ages(logs=timedelta(days=10), log_folder=folder)
    assert 1 == ages.old(store, NOON)["logs"]
    while ages.purge(store, NOON):
        pass
    assert ["events-2026-02-19.log", "events-2026-99-99.log", "events-old.log", "mine"] == sorted(
        path.name for path in folder.iterdir()
    )


def test_once_a_day(store, tmp_path):
    """R-ER8 The service deletes what is old by itself, when it starts and then daily."""
    time = NOON
    vault = Vault(KeyFolder(tmp_path / "data" / "keys"), now=lambda: time)
    keeping = Housekeeping(store, vault, Ages(), now=lambda: time)
    while keeping.step():
        pass
    assert 4 == len(store.runs())
    time = NOON + 91 * DAY
    assert time >= keeping.next_due()
    while keeping.step():
        pass
    assert [] == store.runs()
    assert time < keeping.next_due()


def test_command(store, tmp_path, monkeypatch, capsys):
    """R-ER8 `runner store purge --dry-run` shows counts and deletes nothing; without it, it deletes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    found, code = document(capsys, "store", "purge", "--dry-run")
    assert (0, False, 8) == (code, found["deleted"], found["runs"])
    assert 8 == len(store.runs())
    found, _ = document(capsys, "store", "purge")
    assert (True, 8, []) == (found["deleted"], found["runs"], store.runs())


def test_command_for_dead_letters(store, tmp_path, monkeypatch, capsys):
    """R-ER8 R-DL4 The same for payloads that nobody settled in time, with a receipt; those that have time left stay."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.yaml").write_text("name: test\njobs: {}\n")
    for name, expires in {"late": NOON, "early": NOON + 50_000 * DAY}.items():
        post(store, f"m-{name}", unit(name))
        store.give_up(claim(store), run(f"run of {name}"), error=ERROR, expires=expires, now=NOON)
    found, _ = document(capsys, "store", "purge", "--dry-run")
    assert (1, {"early", "late"}) == (found["payloads"], set(store.holders()))
    found, _ = document(capsys, "store", "purge")
    assert (1, ["early"], 0) == (found["payloads"], list(store.holders()), store.unscrubbed())
    (receipt,) = store.receipts("late")
    assert receipt.verified
