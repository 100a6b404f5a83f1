"""The trial of a country's jobs: synthetic children for every row of their tables, and what shows a mistake in them."""

import json
from pathlib import Path

import pytest
import yaml
from flows import run_job
from invented import ROOT, case_actions, country, edited, snapshot, snapshot_of, write_snapshot

from adaptors.promises import data_value
from adaptors.sandbox import Sandbox
from adaptors.sandbox.inprocess import gambella
from adaptors.sandbox.snapshot import Snapshot
from adaptors.trial.__main__ import main
from adaptors.trial.script import load
from adaptors.trial.trial import Trial
from adaptors.trial.watched import Row, Watch
from adaptors.trial.ways import changed, ways
from adaptors.values import lookup

TO_PRIMERO, TO_UNHCR = Path("jobs/progres_to_primero.py"), Path("jobs/primero_to_progres.py")
ANSWERS = Path("jobs/progres_decisions_to_primero.py")


@pytest.fixture
def folder(tmp_path):
    """The folder of an invented country, to be spoilt."""
    country(tmp_path)
    return tmp_path


def verdict(folder, told):
    """Play all steps without sockets; gives the verdict by job."""
    project = yaml.safe_load((folder / "project.yaml").read_text("utf-8"))
    jobs = {
        name: {"script": str(folder / job["script"]), "message": project["triggers"][job["trigger"]].get("message")}
        for name, job in project["jobs"].items()
    }
    found = Snapshot.of(told)
    sandbox = Sandbox(config=found.configuration, profile=found.profile)
    trial = Trial(sandbox, jobs)
    items = {step["job"]: list(played(step, trial.before(step["name"]), sandbox, folder)) for step in trial.steps}
    return {job["job"]: job for job in trial.verdict(items)["jobs"]}


def played(step, begun, sandbox, folder):
    """The records of one step."""
    states = begun.get("states") or [{"data": begun.get("message", {}), "cursor": "2000-01-01T00:00:00Z"}]
    for state in states:
        yield from run_job(step["job"], sandbox, jobs=folder / "jobs", **state).items


def own_snapshot(folder):
    """The snapshot that lies in the country's folder."""
    return json.loads((folder / "snapshot.json").read_text("utf-8"))


def findings(folder):
    """All findings, a text each."""
    jobs = verdict(folder, own_snapshot(folder)).values()
    return [" | ".join(each.values()) for job in jobs for each in job["findings"]]


def statuses(job):
    """The keys of all rows by table and status."""
    found = {}
    for table in job["tables"]:
        for row in table["rows"]:
            found.setdefault((table["table"], row["status"]), []).append(row["key"])
    return found


@pytest.mark.parametrize("version", ["2.10.4", "2.14.1", "2.15.0"])
def test_an_invented_country_is_localised(folder, version):
    """With tables, constants, one mapping line, project file and snapshot edited, nothing is wrong and no row is left
    out, in each version of Primero."""
    jobs = verdict(folder, snapshot(version))

    assert [] == [finding for job in jobs.values() for finding in job["findings"]]
    assert {"reached", "withheld", "left alone", "not needed"} == {
        status for job in jobs.values() for _, status in statuses(job)
    }
    assert ["Plan Beispiel", "Rescue Beispiel", ""] == statuses(jobs["progres_to_primero"])["INTAKE_USERS", "reached"]
    assert [""] == statuses(jobs["progres_to_primero"])["DINKA", "reached"]
    assert ["clinic"] == statuses(jobs["primero_to_progres"])["SERVICE_TYPES", "withheld"]


def test_this_repository_is_rehearsed():
    """The jobs of this repository do what their tables say; what isn't agreed is held back, and told so."""
    users = {
        "progresv4_primero_intake": {"enabled": True, "receives_referrals": True, "agency": "UNICEF"},
        "unhcr_cw": {"enabled": True, "receives_referrals": True, "agency": "UNHCR"},
    }
    jobs = verdict(ROOT, snapshot_of(gambella(), users))

    assert [] == [finding for job in jobs.values() for finding in job["findings"]]
    assert 36 == len(statuses(jobs["primero_to_progres"])["LANGUAGES", "reached"])
    assert 19 == len(statuses(jobs["primero_to_progres"])["SERVICE_TYPES", "withheld"])
    assert 6 == len(statuses(jobs["progres_to_primero"])["REASONS", "reached"])
    assert 14 == len(statuses(jobs["progres_referral_given_up"])["REASONS", "reached"])
    assert 4 == len(statuses(jobs["progres_decisions_to_primero"])["REJECTION_REASONS", "reached"])


MISTAKES = {
    "an option that the form lacks": (TO_PRIMERO, '"nirg_b"', '"nirg_z"', '"nirg_z", to which LANGUAGES Irgendisch'),
    "a service that is agreed, and in no table": (
        TO_UNHCR, '    "tracing": "Tracing Service",\n', "", 'primero_to_progres.py has no key "tracing"',
    ),
    "an option of the form that is in no table": (
        TO_UNHCR, '    "clinic": "Health Service",\n', "", 'the option clinic, which is no key of SERVICE_TYPES',
    ),
    "a key that no case can hold": (
        TO_UNHCR, '    "clinic"', '    "surgery": "Surgery",\n    "clinic"', 'SERVICE_TYPES surgery | ',
    ),
    "an agreed service that no case can hold": (
        TO_UNHCR, '    "tracing",\n]', '    "tracing",\n    "shelter",\n]', '"shelter" is no option of "Service Type"',
    ),
    "a user of UNHCR who isn't there": (TO_UNHCR, '"unhcr_nirgendwo"', '"unhcr_x"', '"unhcr_x" is no user who can'),
    "another user in the decisions": (ANSWERS, '"unhcr_nirgendwo"', '"unhcr_x"', "the case has no referral to UNHCR"),
    "an intake user who isn't there": (
        TO_PRIMERO, '"intake_rescue"', '"intake_x"', '"intake_x", to which INTAKE_USERS Rescue Beispiel leads',
    ),
    "a default intake user who isn't there": (
        TO_PRIMERO, '"intake_others"', '"intake_x"', '"intake_x", to which DEFAULT_INTAKE_USER leads',
    ),
    "a required field that is forgotten": (
        TO_PRIMERO, '    "intake_source": "unhcr",\n', "", '"Intake Source" on the form "Basic Identity" is required',
    ),
    "a field that no form has": (TO_PRIMERO, '"name_nickname"', '"nick_name"', "answered 422 for nick_name"),
    "a module that isn't there": (TO_PRIMERO, '"primeromodule-cp"', '"primeromodule-x"', "to which MODULE leads"),
    "no consent": (
        TO_UNHCR, '["disclosure_other_orgs", "consent_for_services"]', '["consent_for_services"]',
        "disclosure_other_orgs is withdrawn | primero_to_progres | done; right would be withheld",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(folder, mistake):
    """Whatever is wrong in tables and constants shows as a finding that names it."""
    script, before, after, shown = MISTAKES[mistake]
    edited(folder / script, before, after)

    assert [True] == [shown in found for found in findings(folder) if shown in found][:1]


SPOILT = {
    "intake user disabled": (
        lambda told: told["users"]["intake_plan"].update(enabled=False), '"intake_plan", to which INTAKE_USERS Plan',
    ),
    "UNHCR's user can't receive referrals": (
        lambda told: told["users"]["unhcr_nirgendwo"].update(receives_referrals=False), "UNHCR_USER | ",
    ),
    "our role may create no case": (
        lambda told: case_actions(told).remove("create"), "failed (not_allowed)",
    ),
    "our role may not write the form": (
        lambda told: told["role"]["forms"].update(basic_identity="r"), "answered 422 for unhcr_individual_no",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", SPOILT)
def test_a_fault_of_primero_is_named(folder, fault):
    """Whatever is wrong in Primero's own configuration shows as well."""
    spoil, shown = SPOILT[fault]
    told = own_snapshot(folder)
    spoil(told["systems"]["primero"])
    write_snapshot(folder, told)

    assert [True] == [shown in found for found in findings(folder) if shown in found][:1]


def test_a_field_that_an_older_primero_drops_without_a_word(folder):
    """What Primero 2.14 takes and doesn't keep is found by what it holds."""
    write_snapshot(folder, snapshot("2.14.1"))
    edited(folder / TO_PRIMERO, '"name_nickname"', '"nick_name"')

    assert [True] == ["nick_name: it wasn't kept" in found for found in findings(folder) if "nick_name" in found]


def test_one_finding_for_all_that_show_the_same(folder):
    """Thirty children who fail for one reason are one line, with three of them by name."""
    edited(folder / TO_PRIMERO, '"intake_others"', '"intake_x"')
    found = [each for each in findings(folder) if "owner_missing" in each]

    assert 1 == len(found)
    assert found[0].startswith("all as usual, much is missing, notes that look like a date and ")


def test_watched_tables():
    """A table tells which of its rows were looked at, in which letter case ever, and when none fits."""
    watch = Watch()
    sexes = watch.table("SEXES", {"f": "female", "m": "male"})

    assert ("female", {Row("SEXES", "f")}) == watch.during(lambda: lookup(sexes, "f"))
    assert ("other", {Row("SEXES", "")}) == watch.during(lambda: lookup(sexes, "x", default="other"))
    assert ("male", {Row("SEXES", "m")}) == watch.during(lambda: sexes.get("m"))
    assert ("none", {Row("SEXES", "")}) == watch.during(lambda: sexes.get("x", "none"))
    assert {"a": 1} == watch.table("SIZES", {"a": 1})


def test_the_way_to_a_row_that_another_table_leads_to(tmp_path):
    """Where one table is only asked after another, the way to its rows changes both values."""
    (tmp_path / "job.py").write_text(
        "from adaptors.common import derive, lookup\n"
        "from adaptors.progres import send_decision\n"
        'KINDS = {"1": "yes", "2": "no"}\n'
        'REASONS = {"a": "first"}\n'
        "def why(kind, reason):\n"
        '    return lookup(REASONS, reason) if lookup(KINDS, kind) == "no" else None\n'
        'DECISION = {"progres_interventionnumber": "1", "status": derive(why, "kind", "reason")}\n'
        "operations = [send_decision(DECISION)]\n",
        "utf-8",
    )
    script = load("job", tmp_path / "job.py")
    status = script.named("send_decision")[0].sends["status"]
    found = ways(script, status, {"data": {"kind": "1", "reason": ""}})

    assert {"data.kind": "2", "data.reason": "a"} in [
        way.changes for way in found if Row("REASONS", "a") in way.rows and not way.code
    ]


def test_a_value_is_put_in_the_shape_of_what_stands_there():
    """Of proGres' names the longest literal key is meant; look-up objects and lists stay such."""
    state = {"data": {"a.b": {"Id": 1, "Name": "x"}, "case": {"language": ["y"]}}}
    after = changed(state, {"data.a.b": "z", "data.case.language": "w", "data.new.field": "v"})

    assert {"a.b": {"Id": 1, "Name": "z"}, "case": {"language": ["w"]}, "new.field": "v"} == after["data"]
    assert "x" == state["data"]["a.b"]["Name"]


def test_what_a_script_prints_goes_nowhere(tmp_path, capsys):
    """A job script that prints when it is loaded doesn't spoil the line with which a trial says that it is ready."""
    (tmp_path / "job.py").write_text('print("hello")\noperations = []\n', "utf-8")
    load("job", tmp_path / "job.py")

    assert "" == capsys.readouterr().out
    assert "data.x" in data_value("x").reads


def test_a_trial_that_cannot_start(tmp_path, capsys):
    """A snapshot that is none ends the process with 1 and one line that says so."""
    (tmp_path / "snapshot.json").write_text("{}", "utf-8")
    (tmp_path / "jobs.json").write_text("{}", "utf-8")
    places = {"--snapshot": "snapshot.json", "--jobs": "jobs.json", "--write": "credentials"}
    words = [word for option, name in places.items() for word in (option, str(tmp_path / name))]

    assert 1 == main(words)
    assert "The trial can't start: ValueError: no snapshot" in capsys.readouterr().err
