"""After a restore: what may have been sent is parked for a person, and everything else goes on."""

import json
import shutil

import pytest
from virtual import Service, made

from adaptors.common import once
from adaptors.errors import Unreachable
from adaptors.items import each
from adaptors.promises import data_value
from runner import project, provenance
from runner.cli import main
from runner.store import Store, prepare
from tests.canaries import traces
from tests.test_commands import document

CANARY = "Nyaruot Erfunden Beispiel"
PROJECT = """\
name: Gambella
jobs:
  read: {script: read.py, trigger: hourly}
triggers:
  hourly: {cron: "0 * * * *"}
"""


class Far:
    """A far side with records, and what was sent to it."""

    def __init__(self):
        self.records, self.sent, self.away = {}, [], set()

    def changed(self, record, value="", at="2026-03-01T00:00:00Z"):
        self.records[record] = {"id": record, "value": value, "changed": at}

    def read(self, state):
        """What changed since the cursor, and what a person released."""
        cursor, again = state.get("cursor", ""), state.get("revisit") or []
        found = [row for row in self.records.values() if row["changed"] >= cursor or row["id"] in again]
        newest = max((row["changed"] for row in self.records.values()), default=cursor)
        return {**state, "found": found, **({"cursor": newest} if newest else {})}

    def send(self, state):
        self.sent.append((state["data"]["id"], state["data"]["value"]))
        return state

    def job(self):
        def name(state):
            state["item"]["ids"]["id"] = state["data"]["id"]
            if state["data"]["id"] in self.away:
                raise Unreachable("away")
            return state

        send = once("referral", data_value("id"), self.send, value=data_value("value"))
        return made("read", self.read, each("$.found[*]", name, send), cron="0 * * * *")


def restored(service, far, backup, folder):
    """The service on what a restore makes of a backup; the old directory is lost."""
    service.store.close()
    prepare(folder, backup)
    with Store.open(folder, now=service.clock) as store:
        store.take_back(backup, now=service.clock())
    return Service(folder, clock=service.clock, jobs=[far.job()])


def test_parked_not_sent(tmp_path):
    """R-ER6 What was sent after the backup is parked after the restore, never sent again by itself; a person releases
    it or discards it; what comes later, and what was sent before, goes on as ever."""
    far = Far()
    with Service(tmp_path / "data", jobs=[far.job()]) as service:
        far.changed("c-1", at="2026-03-01T01:00:00Z")
        service.run(hours=1)
        service.store.backup(tmp_path / "backup", about={}, now=service.clock())
        far.changed("c-2", at="2026-03-01T02:00:00Z")
        far.changed("c-1", "changed", at="2026-03-01T02:00:00Z")
        service.run(hours=1)
        assert [("c-1", ""), ("c-1", "changed"), ("c-2", "")] == far.sent
    sent = list(far.sent)
    with restored(service, far, tmp_path / "backup", tmp_path / "new") as service:
        service.run(hours=2)
        assert sent == far.sent
        assert [("c-1", "not_vouched"), ("c-2", "not_vouched")] == [
            (record.record_id, record.code) for record in service.store.parked()
        ]
        far.changed("c-3", at="2026-03-01T05:00:00Z")  # new, after the job has read through
        far.changed("c-2", at="2026-03-01T05:00:00Z")  # edited, but still for a person
        service.run(hours=1)
        assert [*sent, ("c-3", "")] == far.sent
        service.store.retry("read/c-2", now=service.clock())
        service.store.discard("read/c-1", reason="the other side has it", now=service.clock())
        service.run(hours=2)
        assert [*sent, ("c-3", ""), ("c-2", "")] == far.sent
        assert [] == service.store.parked()


def test_while_the_first_run_fails(tmp_path):
    """R-ER6 As long as no run has read through since the restore, what isn't known to be done is parked, also what
    failed before; what a person has released meanwhile is sent once."""
    far = Far()
    with Service(tmp_path / "data", jobs=[far.job()]) as service:
        service.run(hours=1)
        service.store.backup(tmp_path / "backup", about={}, now=service.clock())
    far.changed("c-1")
    far.changed("c-2")
    far.away.add("c-2")
    with restored(service, far, tmp_path / "backup", tmp_path / "new") as service:
        service.run(hours=2)
        assert service.store.in_doubt("read")
        service.store.retry("read/c-1", now=service.clock())
        service.run(hours=2)
        assert [("c-1", "")] == far.sent
        far.away.clear()
        service.run(hours=2)
        assert ["c-2"] == [record.record_id for record in service.store.parked()]
        assert not service.store.in_doubt("read")
    assert [("c-1", "")] == far.sent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, in which the commands are given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "read.py").write_text('"""Reads."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    return tmp_path


def test_commands(folder, capsys):
    """R-ER6 `runner backup` while a service runs, `runner restore` into an empty directory; what waits is told."""
    with Service(folder / "data", jobs=[made("read", cron="0 * * * *"), made("sort", on="x")]) as service:
        service.post({"type": "x", "name": CANARY})
        service.store.ledger().write("referral", "INT-7", {"status": "done", "value": "", "answer": {}})
        made_of, code = document(capsys, "backup", "copy")
        assert (0, {"file": "copy", "ledger": 1, "records": 0, "answers": 0}) == (code, made_of)
        (folder / "apart").mkdir()
        shutil.copy("copy", folder / "apart")
        assert [] == traces(folder / "apart", CANARY)
    found, code = document(capsys, "restore", "copy", "--data", "new")
    assert (0, 1, "1", []) == (code, found["ledger"], found["waiting_payloads"], found["faults"])
    assert 2 == main(["restore", "copy", "--data", "new"])
    assert 2 == main(["backup", "copy"])
    assert 2 == main(["run", "read", "--data", "new", "--move-cursor"])
    assert "can't be vouched for" in capsys.readouterr().err
    assert 0 == main(["run", "read", "--data", "new"])
    with Store.open(folder / "new") as store:
        told = json.dumps([dict(line.about) for line in store.audit_log()])
    assert provenance.configuration(project.load(folder / "project.yaml")) in told
