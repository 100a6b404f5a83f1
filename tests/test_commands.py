"""What people ask the service about and tell it: status, inbox, runs, find, parked, retry, discard, cursor."""

import json
from datetime import UTC, datetime

import pytest
from virtual import Service, item, made

from runner.cli import main

CANARY = "Nyaruot Beispiel"
PROJECT = """\
name: Gambella
jobs:
  sort: {script: sort.py, trigger: posted}
  read: {script: sort.py, trigger: hourly}
  off: {script: sort.py, trigger: hourly, enabled: false}
triggers:
  posted: {message: {type: x}}
  hourly: {cron: "0 * * * *"}
"""


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Refused(Exception):
    """A far side that read the request and refused it."""

    code, fix, outcome = "rejected", "Correct it.", "refused"


def sort(state):
    """Ends as the message says."""
    sort = state["data"].get("sort")
    if sort in ("dead", "again"):
        raise Refused if sort == "dead" else Away
    state["outcomes"].append(item(sort, "c-1"))
    return state


def read(state):
    """Finds one record that a person must settle, and one that is done."""
    state["outcomes"] += [item("parked", "r-1", fix="Add the service."), item("done", "r-2")]
    return {**state, "cursor": "2026-03-01T00:00:00Z"}


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A service in a project folder, where the commands are given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    jobs = [made("sort", sort, on="x"), made("read", read, cron="0 * * * *")]
    with Service(tmp_path / "data", jobs=jobs) as service:
        yield service


def posted(service, sort):
    message = service.post({"type": "x", "sort": sort, "name": CANARY})
    service.settle()
    return message


def document(capsys, *arguments):
    """What a command prints with --json, and its exit code."""
    capsys.readouterr()
    code = main([*arguments, "--json"])
    return json.loads(capsys.readouterr().out), code


def test_status_when_all_is_well(service, capsys):
    """All that was posted is done: 0, and it says so."""
    posted(service, "done")
    service.store.set_setting("first start of read", datetime.now(UTC).isoformat())
    found, code = document(capsys, "status")
    jobs = {row["job"]: row for row in found["jobs"]}
    assert (0, []) == (code, found["needs_a_look"])
    assert ("2026-03-02T12:00:00Z", "succeeded") == (jobs["sort"]["last_success"], jobs["sort"]["last_outcome"])
    assert jobs["read"]["next_due"].endswith(":00:00Z")


def test_status_of_a_job_without_success(service, capsys):
    """A scheduled job that three of its times have passed by is told, also when no service runs it at all."""
    service.store.set_setting("first start of read", "2026-03-02T12:00:00+00:00")
    found, code = document(capsys, "status")
    assert (4, ["read: no success since 2026-03-02T12:00:00Z"]) == (code, found["needs_a_look"])


def test_status_shows_disabled_jobs(service, capsys):
    """A job that is disabled stands in plain sight, with nothing due."""
    found, _ = document(capsys, "status")
    assert [(False, None)] == [(row["enabled"], row["next_due"]) for row in found["jobs"] if row["job"] == "off"]
    main(["status"])
    assert [["off", "no"]] == [
        line.split()[:2] for line in capsys.readouterr().out.splitlines() if line.startswith("off")
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("dead", "sort: 1 dead (rejected)"),
        ("parked", "sort: 1 parked (parked)"),
        ("again", "sort: the last run failed"),
    ],
)
def test_status_that_needs_a_look(service, capsys, given, reason):
    """For monitoring: what is dead or parked, or a last run that failed, exits with 4, and says which job."""
    posted(service, given)
    found, code = document(capsys, "status")
    assert 4 == code
    assert any(told.startswith(reason) for told in found["needs_a_look"])


def test_status_counts_what_no_job_is_for(service, capsys):
    """H37: a message that matches no job is counted, and exits with 4; so is what waits for a job that is gone."""
    service.post({"type": "unheard of"})
    posted(service, "again")
    text = PROJECT.replace("  sort: {script: sort.py, trigger: posted}\n", "")
    (service.folder.parent / "project.yaml").write_text(text)
    found, code = document(capsys, "status")
    assert (4, 1, 1) == (code, found["quarantined"], found["of_unknown_jobs"])


def test_status_of_a_resting_credential(service, capsys):
    """R-DL1: a credential that rests is named, with its code."""
    service.store.open_circuit("north", until=service.clock.time.replace(year=2099), code="not_allowed")
    assert 4 == main(["status"])
    assert "! the credential north was refused (not_allowed) and rests" in capsys.readouterr().out


def test_inbox(service, capsys):
    """`inbox list` shows messages by status; `inbox show` what became of one, with its units and receipts."""
    done, dead = posted(service, "done"), posted(service, "dead")
    listed, _ = document(capsys, "inbox", "list", "--status", "dead")
    assert [dead] == [message["id"] for message in listed["messages"]]
    shown, code = document(capsys, "inbox", "show", dead)
    assert (0, "rejected", "Correct it.") == (code, shown["units"][0]["code"], shown["units"][0]["error"]["fix"])
    assert dead == document(capsys, "inbox", "show", shown["units"][0]["id"])[0]["message"]["id"]
    main(["inbox", "show", done])
    assert "(succeeded), seen gone 2026-03-02T12:00:00Z" in capsys.readouterr().out


def test_runs(service, capsys):
    """`runs list` shows the last runs of a job; `runs show` one of them, with the items that need a look."""
    service.run(hours=2)
    listed, _ = document(capsys, "runs", "list", "--job", "read")
    assert ["needs_person"] * 2 == [each["outcome"] for each in listed["runs"]]
    shown, _ = document(capsys, "runs", "show", listed["runs"][0]["id"])
    assert [("parked", {"id": "r-1"}), ("done", {"id": "r-2"})] == [
        (each["outcome"], each["ids"]) for each in shown["items"]
    ]
    assert {"parked": 1, "done": 1} == shown["counts"]
    assert ["read"] == [step["name"] for step in shown["steps"]]


def test_find(service, capsys):
    """`find` shows what was done with a referral, what waits, and what was sent, and never repeats its number."""
    service.run(hours=1)
    service.store.ledger().write("answer", "r-1", {"status": "done", "value": "", "answer": {}})
    found, code = document(capsys, "find", "r-1")
    assert (0, ["read/r-1"]) == (code, [each["id"] for each in found["waiting"]])
    assert ["parked"] == [each["outcome"] for each in found["items"]]
    assert [("answer", "done")] == [(each["kind"], each["status"]) for each in found["sent"]]
    assert 0 == main(["find", "r-2"])
    assert "r-2" not in capsys.readouterr().out
    assert 2 == main(["find", "r-3"])
    assert "r-3" not in capsys.readouterr().err


def test_parked(service, capsys):
    """`parked` shows what a person must settle, with the fix beside it, and exits with 4 while there is any."""
    assert 0 == main(["parked"])
    service.run(hours=1)
    posted(service, "dead")
    found, code = document(capsys, "parked")
    assert 4 == code
    assert [("read/r-1", "Add the service."), ("sort", "Correct it.")] == [
        (each["id"] if each["job"] == "read" else each["job"], each["fix"]) for each in found["parked"]
    ]


def released(count, *unmatched):
    """What `retry` prints."""
    return {"count": count, "unmatched": list(unmatched)}


def test_retry(service, capsys):
    """R-DL5: `retry ID` tries one again, `retry --all --code` all of a sort; records of scheduled runs, too."""
    units = [service.store.units(message=posted(service, "dead"))[0] for _ in range(3)]
    service.run(hours=1)
    assert (released(1), 0) == document(capsys, "retry", units[0].id)
    assert (released(2), 0) == document(capsys, "retry", "--all", "--code", "rejected")
    assert {"pending"} == {service.store.unit(unit.id).status for unit in units}
    assert (released(1), 0) == document(capsys, "retry", "read/r-1")
    assert ["r-1"] == service.store.revisit("read")
    assert (released(0), 0) == document(capsys, "retry", "--all", "--code", "rejected")


def enable(folder, *more):
    """Let the project file's disabled job wait for messages of these types."""
    triggers = "".join(f"  type-{kind}: {{message: {{type: {kind}}}, split: '$.parts[*]'}}\n" for kind in more)
    text = PROJECT.replace(
        "trigger: hourly, enabled: false", f"trigger: [{', '.join(f'type-{each}' for each in more)}]"
    )
    (folder / "project.yaml").write_text(text + triggers)


def test_retry_of_what_no_job_waited_for(service, capsys, tmp_path):
    """H37 R-DL5: once the project file is mended, a quarantined message is routed as when it was posted."""
    late, later, other = (service.post({"type": kind, "parts": [1, 2], "name": CANARY}) for kind in ("y", "z", "w"))
    assert (released(0, late), 4) == document(capsys, "retry", late)
    assert "quarantined" == service.store.message(late).status

    enable(tmp_path, "y", "z")
    assert (released(1), 0) == document(capsys, "retry", late)
    assert [("off", "pending")] * 2 == [(unit.job, unit.status) for unit in service.store.units(message=late)]
    assert (("pending", 2), None) == (
        (service.store.message(late).status, service.store.message(late).matched), service.store.envelope(late),
    )  # fmt: skip
    assert ["routed"] == [receipt.reason for receipt in service.store.receipts(late)]

    assert (released(1, other), 4) == document(capsys, "retry", "--all", "--code", "quarantined")
    assert (["pending", "quarantined"]) == [service.store.message(name).status for name in (later, other)]
    assert (released(0, other), 4) == document(capsys, "retry", "--all", "--code", "quarantined")
    assert 2 == main(["retry", late])


def test_retry_of_what_was_posted_again(service, capsys, tmp_path):
    """H21 H37: what the sender has posted again meanwhile is not taken twice; the one in quarantine is erased."""
    body = {"type": "y", "parts": [1]}
    late, again = service.post(body), service.post(body)
    enable(tmp_path, "y")
    assert (released(1), 0) == document(capsys, "retry", again)
    assert (released(1), 0) == document(capsys, "retry", late)
    assert (["discarded", "pending"], 1) == (
        [service.store.message(name).status for name in (late, again)], len(service.store.units()),
    )  # fmt: skip
    assert [f"repeats {again}"] == [receipt.reason for receipt in service.store.receipts(late)]


def test_retry_of_what_is_too_much(service, capsys, tmp_path):
    """R-WH10: what would become too many parts by now stays where it is, and the limit is named."""
    late = service.post({"type": "y", "parts": [*range(501)]})
    enable(tmp_path, "y")
    assert 2 == main(["retry", late])
    assert "too_many_parts" in capsys.readouterr().err
    assert ("quarantined", []) == (service.store.message(late).status, service.store.units())


def test_run_by_hand_beside_the_service(service, capsys, tmp_path):
    """H18: while the service is at a child, `runner run` does nothing for it; for others it does."""
    (tmp_path / "project.yaml").write_text(PROJECT.replace("{type: x}}", "{type: x}, subject: $.child}"))
    for child in "AB":
        (tmp_path / f"{child}.json").write_text(json.dumps({"type": "x", "child": child}))
    with service.store.lock(f"subject/{service.vault.keyed('A')}"):
        assert 2 == main(["run", "sort", "--message", "A.json"])
        assert "subject is in use" in capsys.readouterr().err
        assert 0 == main(["run", "sort", "--message", "B.json"])
    assert 0 == main(["run", "sort", "--message", "A.json"])


def test_discard(service, capsys):
    """R-DL5: `discard ID --reason` erases a payload, and the receipt says why."""
    message = posted(service, "dead")
    (unit,) = service.store.units(message=message)
    assert 0 == main(["discard", unit.id, "--reason", "sent by mistake"])
    assert service.store.envelope(unit.id) is None
    assert ["discarded: sent by mistake"] == [receipt.reason for receipt in service.store.receipts(message)]


def test_cursor(service, capsys):
    """`cursor set` lets a scheduled job begin at a date, as text in UTC; `cursor show` shows them all."""
    assert 0 == main(["cursor", "set", "read", "2026-03-01T03:00:00+03:00"])
    found, _ = document(capsys, "cursor", "show")
    assert [{"job": "read", "cursor": "2026-03-01T00:00:00Z"}, {"job": "off", "cursor": None}] == found["cursors"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inbox", "show", "nothing"], "there is no message or unit nothing"),
        (["runs", "show", "nothing"], "there is no run nothing"),
        (["retry", "nothing"], "is called nothing"),
        (["retry", "--all"], "either an ID, or --all and --code"),
        (["retry", "nothing", "--all", "--code", "x"], "either an ID, or --all and --code"),
        (["discard", "nothing", "--reason", "x"], "is called nothing"),
        (["cursor", "set", "sort", "2026-03-01T00:00:00Z"], "There are: read, off."),
        (["cursor", "set", "read", "yesterday"], "the time is no time"),
    ],
)
def test_wrong_use(service, capsys, arguments, words):
    """What isn't there, or can't be meant, is told with a fix; exit code 2."""
    assert 2 == main(arguments)
    assert words in capsys.readouterr().err


def test_not_beside_itself(service, capsys):
    """A scheduled job isn't run by hand while the service runs it; afterwards it is."""
    with service.store.lock("job/read"):
        assert 2 == main(["run", "read"])
    assert "is in use" in capsys.readouterr().err
    assert 0 == main(["run", "read"])


def test_no_command_shows_a_payload(service, capsys):
    """R-DL5: whatever is asked, nothing of what was posted is shown."""
    service.run(hours=1)
    ids = [posted(service, sort) for sort in ("done", "dead", "parked", "again")]
    run = service.store.runs(1)[0].id
    asked = [["status"], ["inbox", "list"], ["runs", "list"], ["runs", "show", run], ["parked"], ["cursor", "show"]]
    asked += [["find", "c-1"]]
    asked += [["inbox", "show", message] for message in ids]
    for arguments in asked:
        main(arguments)
        main([*arguments, "--json"])
    shown = capsys.readouterr()
    assert "sort" in shown.out
    assert not [word for word in CANARY.split() if word in shown.out + shown.err]
