"""`runner golive`: the agencies' checklist, its evidence and signatures, and production, held until it passes."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from runner import keys, project
from runner.cli import main
from runner.errors import RunnerError
from runner.golive import checklist, permission, rehearsal
from runner.golive.checklist import Row, Seen
from runner.golive.permission import Signature
from runner.golive.rehearsal import Rehearsal
from runner.logs.audit import CHECKLIST
from runner.provenance import provenance
from runner.store import Account, Store
from tests.kept import claim, post, run
from tests.test_commands import document

PROJECT = """\
name: test
jobs:
  sort: {script: sort.py, trigger: posted}
triggers:
  posted: {message: {type: x}}
inbox: {port: 0}
"""
JOB = '"""Keeps nothing. When a message comes."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'
PRODUCTION = ("--profile", "production")
SIGNERS = {"K3": 1, "K4": 2, "K5": 1, "K6": 1, "K7": 1, "K8": 1, "K9": 1}
OFFICERS = ("Asha Beispiel", "Jean-Pierre d’Exemple")
PLAYED = {"unforetold": [], "searches": [{"texts": 9, "files": 3, "bytes_found": 0}]}


def git(folder, *words):
    """Let git do something in the folder."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project's folder, all of which is committed, and a rehearsal that finds nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rehearsal, "play", lambda project: PLAYED)
    (tmp_path / "sort.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(PROJECT)
    (tmp_path / ".gitignore").write_text("data/\n__pycache__/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def store(folder):
    return Store.open(folder / "data" / "production")


def used_key(folder, label="sender"):
    """Make a key and use it."""
    now = datetime.now(UTC)
    with store(folder) as opened:
        text = keys.create(opened, label, now=now)
        opened.touch_key(keys.recognise(text, opened.keys(), now).id, now)
    return text


def told(capsys, *words):
    """What `runner golive …` tells of each row, or of all, and its exit code."""
    return document(capsys, "golive", *words, *PRODUCTION)


def statuses(capsys):
    found, _ = told(capsys)
    return {row["row"]: row["status"] for row in found["rows"]}


def row_of(capsys, name):
    found, _ = told(capsys)
    return next(row for row in found["rows"] if row["row"] == name)


def sign_all(capsys):
    for name, number in SIGNERS.items():
        for officer in OFFICERS[:number]:
            assert 0 == told(capsys, "sign", name, "--name", officer)[1]


def passed(folder, capsys):
    """Do all that the checklist asks."""
    used_key(folder)
    assert 0 == told(capsys, "rehearse")[1]
    sign_all(capsys)
    return told(capsys)


def audited(folder, event):
    with store(folder) as opened:
        return [dict(line.about) for line in opened.audit_log(event=event)]


def test_from_nothing_to_a_pass(folder, capsys):
    """K1-K9 What isn't there fails with 4, what people must confirm says so, and when all is done it passes with 0."""
    found, code = told(capsys)
    assert (4, False, "Evidence for review") == (code, found["passed"], found["note"])
    assert ["fail", "pass", "needs_person", "fail", "fail", "needs_person", "needs_person", "needs_person", "fail"] == [
        row["status"] for row in found["rows"]
    ]
    found, code = passed(folder, capsys)
    assert (0, True) == (code, found["passed"])
    assert ["pass"] * 9 == [row["status"] for row in found["rows"]]
    first, last = audited(folder, "golive_checked")
    assert ("open", "passed") == (first["code"], last["code"])
    assert (found["commit"], found["configuration"]) == (last["commit"], last["configuration"])
    assert ["pass"] * 9 == [last[name] for name in CHECKLIST]


def test_words_for_people(folder, capsys):
    """The checklist is told as evidence for review, never as a verdict, with what to do about each fault."""
    assert 4 == main(["golive", *PRODUCTION])
    said = capsys.readouterr().out
    assert "K1  FAIL: no data of cases at rest" in said
    assert "    ! no rehearsal of this configuration has passed: runner golive rehearse" in said
    assert "    to be signed (2): the log's inventory, one of each agency" in said
    assert said.startswith("Evidence for review")
    assert "complian" not in said


def test_rehearsal(folder, capsys, monkeypatch):
    """K1 A rehearsal that finds a byte, goes another way than foretold, or looks for nothing has not passed."""
    search = PLAYED["searches"][0]
    for played in (
        {**PLAYED, "searches": [search, {**search, "bytes_found": 1}]},
        {**PLAYED, "unforetold": ["sort: 1 dead, 0 parked"]},
        {**PLAYED, "searches": []},
    ):
        monkeypatch.setattr(rehearsal, "play", lambda project, played=played: played)
        assert 4 == told(capsys, "rehearse")[1]
        assert "fail" == statuses(capsys)["K1"] == statuses(capsys)["K4"]
    monkeypatch.setattr(rehearsal, "play", lambda project: PLAYED)
    assert ({"passed": True, "texts": 9, "files": 3, "found": 0, "unforetold": []}, 0) == told(capsys, "rehearse")
    assert "pass" == statuses(capsys)["K1"]
    assert {"code": "passed", "texts": 9, "files": 3, "found": 0}.items() <= audited(folder, "golive_rehearsed")[
        -1
    ].items()


def test_rehearsal_of_another_configuration(folder, capsys):
    """K1 A rehearsal of other jobs proves nothing about these; that somebody has played it once is still true (K9)."""
    told(capsys, "rehearse")
    (folder / "sort.py").write_text(JOB.replace("done", "gone"))
    assert ("fail", "needs_person") == (statuses(capsys)["K1"], statuses(capsys)["K9"])


@pytest.mark.parametrize("program", ["print('no document')", "raise SystemExit(2)"])
def test_rehearsal_that_cannot_be_played(tmp_path, monkeypatch, program):
    """Where the rehearsal tells nothing that can be read, the rehearsal says so, and nothing of what was printed."""
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda _, **more: real([sys.executable, "-c", program], **more))
    with pytest.raises(RunnerError, match=r"^the rehearsal can't be played here$"):
        rehearsal.play(tmp_path / "project.yaml")


def test_rehearsal_of_one_of_two_projects(tmp_path, monkeypatch):
    """K1 K9 The project file that was named is rehearsed, not the one of the usual name beside it."""
    (tmp_path / "project.yaml").write_text("name: other\n")
    (tmp_path / "land.yaml").write_text("name: land\n")
    real = subprocess.run
    echo = "import json, sys; print(json.dumps({'of': open(sys.argv[sys.argv.index('--project') + 1]).read()}))"
    monkeypatch.setattr(subprocess, "run", lambda command, **more: real([command[0], "-c", echo, *command[3:]], **more))
    assert {"of": "name: land\n"} == rehearsal.play(tmp_path / "land.yaml")


def test_a_strange_file_in_the_data_directory(folder, capsys):
    """K1 A file that the program didn't make may be a payload that somebody exported: it is counted, never named."""
    used_key(folder)
    told(capsys, "rehearse")
    strange = folder / "data" / "production" / "Nyaruot.json"
    strange.touch(mode=0o600)
    found = row_of(capsys, "K1")
    assert ("fail", ["1 files in the data directory aren't the program's"]) == (found["status"], found["faults"])


def test_payloads_that_stay(folder, capsys):
    """K2 A payload that is there although its chain succeeded fails; one that is erased is scrubbed and passes."""
    now = datetime.now(UTC)
    with store(folder) as opened:
        post(opened, "u1", now=now)
        claimed = claim(opened, now)
        opened.succeed(claimed, run("r1"), now=now)
    assert "pass" == statuses(capsys)["K2"]
    with store(folder) as opened:
        assert 0 == opened.unscrubbed()
        post(opened, "u2", now=now)
        opened.change(lambda db: db.execute("UPDATE units SET status = 'succeeded' WHERE id = 'u2'"))
    assert ["1 payloads are kept although their chain succeeded"] == row_of(capsys, "K2")["faults"]


def test_longer_than_agreed(folder, capsys):
    """R-ER7 K2 To keep longer than agreed is an explicit setting, reported as a deviation, which somebody signs."""
    (folder / "project.yaml").write_text(PROJECT + "retention: {payload_days: 14}\n")
    found = row_of(capsys, "K2")
    assert ("needs_person", 1) == (found["status"], found["signatures_needed"])
    assert "that deviates from the agreed 7 days" in found["evidence"]
    told(capsys, "sign", "K2", "--name", OFFICERS[0])
    assert "pass" == statuses(capsys)["K2"]
    (folder / "project.yaml").write_text(PROJECT + "retention: {payload_days: 30}\n")
    assert "needs_person" == statuses(capsys)["K2"]


def test_nothing_to_keep(folder):
    """R-ER7 Deletion after success can't be switched off: no setting of the project file does it."""
    shape = json.loads((project.Path(project.__file__).parent / "project.schema.json").read_text("utf-8"))
    assert {"payload_days", "runs_days", "logs_days"} == set(shape["properties"]["retention"]["properties"])
    assert not shape["additionalProperties"]


def test_tampered_log(folder, capsys):
    """K2 A receipt in an audit log that was changed proves nothing: the row fails."""
    used_key(folder)
    with store(folder) as opened:
        opened.change(lambda db: db.execute("DROP TRIGGER audit_stays"))
        opened.change(lambda db: db.execute("UPDATE audit SET who = 'somebody' WHERE number = 1"))
    assert "entry 1 is not as it was written" in row_of(capsys, "K2")["faults"]


def test_version(folder, capsys):
    """K3 A folder that differs from its commit fails, and so does one without a commit."""
    assert [] == row_of(capsys, "K3")["faults"]
    (folder / "more.py").write_text("")
    assert ["files differ from the commit: git status names them"] == row_of(capsys, "K3")["faults"]
    (folder / ".git").rename(folder.parent / "git of another")
    assert 1 == len(row_of(capsys, "K3")["faults"])


def test_rights_of_our_accounts(folder, capsys):
    """K8 R-LP1 Where jobs have credentials, a check of the live systems must have passed for this configuration."""
    (folder / "project.yaml").write_text(PROJECT.replace("trigger: posted}", "trigger: posted, credentials: [north]}"))
    assert ["no check of the live systems has passed for this configuration: runner check"] == row_of(capsys, "K8")[
        "faults"
    ]
    for code, status in (("failed", "fail"), ("passed", "needs_person"), ("failed", "fail")):
        made_of = provenance(project.load(folder / "project.yaml"))
        with store(folder) as opened:
            told = {"configuration": made_of.configuration, "code": code, "count": int(code == "failed")}
            opened.record("systems_checked", now=datetime.now(UTC), **told)
        assert status == statuses(capsys)["K8"]
    with store(folder) as opened:
        opened.record("systems_checked", now=datetime.now(UTC), **{**told, "code": "passed"})
    (folder / "sort.py").write_text(JOB.replace("done", "gone"))
    assert "fail" == statuses(capsys)["K8"]


def test_inventory(folder, capsys):
    """K4 Two different people sign the log's inventory; when it shows more ids they sign again."""
    told(capsys, "rehearse")
    for officer in (OFFICERS[0], OFFICERS[0].upper()):
        told(capsys, "sign", "K4", "--name", officer)
        assert "needs_person" == statuses(capsys)["K4"]
    told(capsys, "sign", "K4", "--name", OFFICERS[1])
    assert "pass" == statuses(capsys)["K4"]
    (folder / "project.yaml").write_text(PROJECT + "log: {shown_ids: [case_id]}\n")
    told(capsys, "rehearse")
    assert "needs_person" == statuses(capsys)["K4"]


def test_keys(folder, capsys):
    """K5 The newest key must have been used, and an older one of its label must end; each reset is signed anew."""
    assert ["there is no key that opens the inbox: runner keys create LABEL"] == row_of(capsys, "K5")["faults"]
    used_key(folder)
    told(capsys, "sign", "K5", "--name", OFFICERS[0])
    assert "pass" == statuses(capsys)["K5"]
    used_key(folder)
    (fault,) = row_of(capsys, "K5")["faults"]
    assert "of sender is older than the newest, and doesn't end" in fault
    with store(folder) as opened:
        old, new = opened.keys()
        opened.expire_key(old.id, datetime.now(UTC) + timedelta(hours=72), now=datetime.now(UTC))
        assert keys.is_active(new, datetime.now(UTC))
    assert "needs_person" == statuses(capsys)["K5"]
    with store(folder) as opened:
        keys.create(opened, "another", now=datetime.now(UTC))
    (fault,) = row_of(capsys, "K5")["faults"]
    assert fault.endswith("of another was never used")


def test_history(folder, capsys):
    """K6 What was committed once and taken out again fails; it is counted, and another command names the place."""
    (folder / "people.csv").write_text("name,mail\nNyaruot Beispiel,nyaruot@beispiel.net\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Add")
    git(folder, "rm", "--quiet", "people.csv")
    git(folder, "commit", "--quiet", "--message", "Remove")
    found = row_of(capsys, "K6")
    assert "fail" == found["status"]
    assert "runner scan --history names them" in found["faults"][0]
    assert "Nyaruot" not in json.dumps(found)


def test_readers(folder, capsys):
    """K7 A credential that others can read fails; who owns the files, and who may sign in, is told."""
    (folder / "credentials" / "production").mkdir(parents=True, mode=0o700)
    secret = folder / "credentials" / "production" / "north.yaml"
    secret.write_text("password: Sesame-58213\n")
    secret.chmod(0o640)
    found = row_of(capsys, "K7")
    assert ["1 files or folders with data or credentials can be read by others"] == found["faults"]
    assert found["evidence"][1].endswith(": none")
    with store(folder) as opened:
        opened.put_account(Account("amal", "operator", "hash", "salt", datetime.now(UTC)))
    assert row_of(capsys, "K7")["evidence"][1].endswith(": amal (operator)")
    secret.chmod(0o600)
    assert "needs_person" == statuses(capsys)["K7"]


def test_signatures(folder, capsys):
    """K9 A signature has a name and a day, is kept in the audit log, and doesn't mend what fails."""
    found, code = told(capsys, "sign", "K9", "--name", OFFICERS[0], "--on", "2026-03-01")
    assert (0, "fail") == (code, found["status"])
    assert [{"name": OFFICERS[0], "day": "2026-03-01"}] == found["signatures"]
    (entry,) = audited(folder, "golive_signed")
    assert ("K9", OFFICERS[0], "2026-03-01T00:00:00.000Z") == (entry["row"], entry["name"], entry["day"])
    told(capsys, "rehearse")
    assert "pass" == statuses(capsys)["K9"]


@pytest.mark.parametrize(
    "words",
    [
        ["sign", "K9"],
        ["sign", "--name", "Asha"],
        ["sign", "K1", "--name", "Asha"],
        ["sign", "K9", "--name", "GAM-00000901"],
        ["sign", "K9", "--name", "a" * 81],
        ["sign", "K9", "--name", "Asha\n"],
        ["sign", "K9", "--name", "Asha", "--on", "2999-01-01"],
        ["--name", "Asha"],
        ["--on", "2026-03-01"],
        ["override"],
        ["override", "--reason", "because"],
        ["override", "--reason", "the child GAM-00000901 waits"],
        ["override", "--reason", "ask asha@example.org about it"],
        ["override", "--reason", "a" * 201],
        ["--reason", "nothing to override"],
    ],
    ids=" ".join,
)
def test_wrong_use(folder, words):
    """R-AU4 What can't be a name, a day or a reason, or goes with another action, is refused, and not written down."""
    assert 2 == main(["golive", *words, *PRODUCTION])
    with store(folder) as opened:
        assert [] == opened.audit_log()


def test_runs_are_held(folder, capsys):
    """K1-K9 In production no run begins before the checklist has passed: 3, and where to look; elsewhere it does."""
    assert 0 == main(["run", "sort"])
    assert 0 == main(["run", "sort", "--profile", "staging"])
    capsys.readouterr()
    for words in (["run", "sort"], ["run", "sort", "--memory"], ["run", "sort", "--dry-run"], ["run", "sort.py"]):
        assert 3 == main([*words, *PRODUCTION])
        assert "fix: Look what is missing: runner golive --profile production" in capsys.readouterr().err
    assert [] == audited(folder, "run_by_hand")
    assert 4 == main(["status", *PRODUCTION])
    assert "! no job starts: the go-live checklist wasn't passed" in capsys.readouterr().out
    passed(folder, capsys)
    assert 0 == main(["run", "sort", *PRODUCTION])
    assert 0 == main(["status", *PRODUCTION])


def test_what_changes_is_checked_again(folder, capsys):
    """A pass is for one configuration: a changed job is held again, while signatures about other things hold."""
    passed(folder, capsys)
    (folder / "sort.py").write_text(JOB.replace("done", "gone"))
    assert 3 == main(["run", "sort", *PRODUCTION])
    git(folder, "commit", "--quiet", "--all", "--message", "Change")
    told(capsys, "rehearse")
    assert 0 == told(capsys)[1]
    assert 0 == main(["run", "sort", *PRODUCTION])


def test_the_last_check_counts(folder, capsys):
    """Where a check fails after one that passed, jobs are held again."""
    passed(folder, capsys)
    used_key(folder)
    assert 4 == told(capsys)[1]
    assert 3 == main(["run", "sort", *PRODUCTION])


def test_override(folder, capsys):
    """An administrator lets production run without it, for a reason that is kept; it ends when something changes."""
    reason = "The office opens on Monday, and K8 can't be signed before."
    assert 0 == told(capsys, "override", "--reason", reason)[1]
    assert 0 == main(["run", "sort", *PRODUCTION])
    found, code = told(capsys)
    assert (4, False, reason) == (code, found["held"], found["override"]["reason"])
    assert [reason] == [entry["reason"] for entry in audited(folder, "golive_overridden")]
    assert 0 == main(["run", "sort", *PRODUCTION])
    (folder / "project.yaml").write_text(PROJECT.replace("name: test", "name: other"))
    assert 3 == main(["run", "sort", *PRODUCTION])


def serve(folder):
    command = [sys.executable, "-m", "runner", "serve", "--json", *PRODUCTION]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_held_service(folder, capsys):
    """K5 A held service takes messages in, so that the key can be tried, and begins them once the checklist passed."""
    key = used_key(folder)
    with serve(folder) as process:
        url = json.loads(process.stdout.readline())["url"]
        answer = httpx.post(f"{url}/inbox", json={"type": "x"}, headers={"x-api-key": key})
        assert (202, 1) == (answer.status_code, answer.json()["matched"])
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(30)
        assert " jobs_held" in process.stderr.read()
    with store(folder) as opened:
        assert ["pending"] == [unit.status for unit in opened.units()]
    reason = "The sender has tried its key, and the rest is signed."
    told(capsys, "override", "--reason", reason)
    with serve(folder) as process:
        process.stdout.readline()
        with store(folder) as opened:
            for _ in range(300):
                if ["succeeded"] == [unit.status for unit in opened.units()]:
                    break
                time.sleep(0.1)
            assert ["succeeded"] == [unit.status for unit in opened.units()]
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(30)
        assert "jobs_held" not in process.stderr.read()


def test_every_row_is_looked_at():
    """The checklist has the agencies' nine rows, and the audit log a field for each."""
    assert tuple(checklist._ROWS) == CHECKLIST


def test_a_row():
    """A fault outweighs signatures; each person counts once."""
    signature = Signature("K4", "Asha", date(2026, 3, 1), "")
    same = Signature("K4", "ASHA", date(2026, 3, 2), "")
    other = Signature("K4", "Ben", date(2026, 3, 1), "")
    statuses = [
        Row("K4", "", "", Seen([], faults, signers=2), signed).status
        for faults, signed in [([], ()), ([], (signature, same)), ([], (signature, other)), (["x"], (signature, other))]
    ]
    assert ["needs_person", "needs_person", "pass", "fail"] == statuses


def test_unknown_configuration_is_held(folder):
    """What runs is unknown for a script that the project doesn't name: no entry can be about it."""
    found = provenance(project.load(folder / "project.yaml"))
    places = permission.Places(folder / "project.yaml", folder / "credentials", folder / "data", production=True)
    with store(folder) as opened:
        permission.override_with(opened, "The office opens soon.", found, now=datetime.now(UTC))
        assert not permission.is_held(opened, places, found)
        assert permission.is_held(opened, places, permission.Provenance())


def test_rehearsal_adds_up():
    """Of several searches the files and the bytes that were found are added, since each is of its own moment."""
    searches = [{"texts": 9, "files": 3, "bytes_found": 2}, {"texts": 8, "files": 4, "bytes_found": 0}]
    assert Rehearsal(9, 7, 2, ()) == rehearsal.result_of({"unforetold": [], "searches": searches})
