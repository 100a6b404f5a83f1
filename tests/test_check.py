"""`runner check` and `runner snapshot`: ten mistakes of a new country, each found, with the fix (runner/check/)."""

import json
import shutil
from pathlib import Path

import pytest
from invented import country, edited

from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.listening import ListeningSandbox
from runner import jobscript, project
from runner.check import own, snapshots, uses
from runner.cli import main
from runner.store import Store
from runner.triggers import Trigger

ROOT = Path(__file__).parent.parent
IN, OUT = "jobs/progres_to_primero.py", "jobs/primero_to_progres.py"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """This repository's project, jobs and snapshot in a folder of their own."""
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project.yaml", "snapshot.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(capsys, *words):
    """The rows of `runner check --offline` and its exit code."""
    code = main(["check", "--offline", "--json", *words])
    return json.loads(capsys.readouterr().out)["findings"], code


def wrongs(rows):
    return [f"{row['what']}: {row['found']}" for row in rows if row["level"] == "wrong"]


def changed(copy, change):
    """Change what the snapshot holds of Primero."""
    document = json.loads((copy / "snapshot.json").read_text("utf-8"))
    change(document["systems"]["primero"])
    (copy / "snapshot.json").write_text(json.dumps(document), "utf-8")


def form(primero, name):
    return next(form for form in primero["forms"] if form["unique_id"] == name)


def test_this_repository(copy, capsys):
    """What lies in this repository is right: nothing is wrong, and the exit code is 0."""
    rows, code = checked(capsys)
    assert ([], 0) == (wrongs(rows), code)


def test_an_invented_country(tmp_path, capsys):
    """Another country's tables, users, options and version are right against its own snapshot, and not against ours."""
    file = str(country(tmp_path))
    rows, code = checked(capsys, "--project", file)
    assert ([], 0) == (wrongs(rows), code)
    rows, code = checked(capsys, "--project", file, "--snapshot", str(ROOT / "snapshot.json"))
    assert 4 == code
    assert 10 < len(wrongs(rows))


MISTAKES = [
    (IN, '"Alternative Care": "alternative_care"', '"Alternative Care": "alternative_car"',
     "progres_to_primero: services_section.service_type: alternative_car is no option of Service Type"),
    (IN, '"unhcr_id_no": look_up', '"unhcr_id_number": look_up',
     "progres_to_primero: unhcr_id_number: no form of the case has this field"),
    (IN, '"service_request_title": text', '"service_request_titel": text',
     "progres_to_primero: services_section.service_request_titel: no form of the case has this field"),
    (IN, 'DEFAULT_INTAKE_USER = "progresv4_primero_intake"', 'DEFAULT_INTAKE_USER = "progresv4_intake"',
     "progres_to_primero: user progresv4_intake: there is no such user"),
    (IN, '"sex": lookup(SEXES', '"other_sex": lookup(SEXES',
     'progres_to_primero: sex: "Sex" is required on the form "Basic Identity", and not mapped'),
    (IN, '"language": [derive(language, look_up_name("languages.progres_languagecodeid"))]',
     '"language": derive(language, look_up_name("languages.progres_languagecodeid"))',
     "progres_to_primero: language: one value for a field that is a list"),
    (IN, '"age": age(', '"age": date(', "progres_to_primero: age: date for a numeric_field (Age)"),
    (IN, '"service_request_external": True', '"service_request_external": 1',
     "progres_to_primero: services_section.service_request_external: a number for a tick_box"),
    (OUT, '    "food",\n    "family', '    "fod",\n    "family',
     "primero_to_progres: AGREED_SERVICE_TYPES: fod is no option"),
    (OUT, 'UNHCR_USER = "unhcr_cw"', 'UNHCR_USER = "progresv4_primero"',
     "primero_to_progres: user progresv4_primero: there is no such user"),
    (OUT, 'UNHCR_USER = "unhcr_cw"', 'UNHCR_USER = "unhcr_other"', "UNHCR_USER: differs between"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "found"), MISTAKES, ids=[found[:60] for *_, found in MISTAKES])
def test_mistakes_in_a_job(copy, capsys, file, before, after, found):
    """H30 H31 A wrong option, field, user, type or constant in a job is found before a child's referral loses it."""
    edited(copy / file, before, after)
    rows, code = checked(capsys)
    assert 4 == code
    assert any(wrong.startswith(found) for wrong in wrongs(rows)), wrongs(rows)
    assert all(row["fix"] for row in rows if row["level"] == "wrong")


def disable_user(primero):
    primero["users"]["progresv4_primero_intake"]["enabled"] = False


def receive_nothing(primero):
    primero["users"]["unhcr_cw"]["receives_referrals"] = False


def forget_user(primero):
    primero["users"]["unhcr_cw"] = None


def hide_form(primero):
    del primero["role"]["forms"]["consent"]
    del primero["role"]["forms"]["services"]


def read_only(primero):
    primero["role"]["forms"]["basic_identity"] = "r"


def disable_option(primero):
    lookup = next(each for each in primero["lookups"] if any(one["id"] == "male" for one in each["values"]))
    next(one for one in lookup["values"] if one["id"] == "male")["disabled"] = True


def narrow_scope(primero):
    primero["role"]["scope"] = "self"


def lack(primero):
    primero["role"]["permissions"]["case"].remove("create")


STATES = [
    (disable_user, "user progresv4_primero_intake: disabled"),
    (receive_nothing, "user unhcr_cw: can't receive referrals"),
    (forget_user, "user unhcr_cw: there is no such user"),
    (hide_form, "service_type: the role may not read the form services"),
    (read_only, "name_first: the role may not write the form basic_identity"),
    (disable_option, "sex: male is disabled in Sex"),
    (narrow_scope, "scope: the role sees self cases only"),
    (lack, "role: lacks case: create"),
]


@pytest.mark.parametrize(("change", "found"), STATES, ids=[found for _, found in STATES])
def test_mistakes_in_primero(copy, capsys, change, found):
    """H13 What is wrong in Primero's configuration is found too: users, options, forms and rights of our role."""
    changed(copy, change)
    rows, code = checked(capsys)
    assert 4 == code
    assert any(found in wrong for wrong in wrongs(rows)), wrongs(rows)


@pytest.mark.parametrize(
    ("resource", "action", "fix"),
    [
        ("user", "manage", "Take it away"),
        ("case", "export_csv", "Take it away"),
        ("case", "write", "services_section_from_case"),
        ("role", "read", "Take it away"),
    ],
)
def test_rights_beyond_the_need(copy, capsys, resource, action, fix):
    """R-LP1 The check fails if our account may do more than the jobs need, and says what to take away (K8)."""
    changed(copy, lambda primero: primero["role"]["permissions"].setdefault(resource, []).append(action))
    rows, code = checked(capsys)
    (row,) = [row for row in rows if row["level"] == "wrong"]
    assert (4, f"may more than it needs: {resource}: {action}") == (code, row["found"])
    assert fix in row["fix"]


def test_forms_beyond_the_need(copy, capsys):
    """R-LP1 A form that the role may read although no job does is too much, and so is one it may write for nothing."""
    changed(copy, lambda primero: primero["role"]["forms"].update(notes="r", consent="rw"))
    rows, _ = checked(capsys)
    assert ["rw on consent, which no job writes", "r on notes, which no job uses"] == [
        row["found"] for row in rows if row["level"] == "wrong"
    ]


def test_a_required_custom_field(copy, capsys):
    """A field that a country requires is named with its label and form, and one line in the mapping fixes it."""
    field = {"name": "intake_source", "type": "text_field", "required": True, "display_name": {"en": "Who referred?"}}
    changed(copy, lambda primero: form(primero, "basic_identity")["fields"].append(field))
    rows, code = checked(capsys)
    assert 4 == code
    assert [
        'progres_to_primero: intake_source: "Who referred?" is required on the form "Basic Identity", and not mapped'
    ] == wrongs(rows)
    edited(copy / IN, '    "module_id": MODULE,\n', '    "module_id": MODULE,\n    "intake_source": "UNHCR",\n')
    assert ([], 0) == ((found := checked(capsys))[0] and wrongs(found[0]), found[1])


def test_keys_that_nothing_has(copy, capsys):
    """H30 A table's key that is no option, and an option that a closed table doesn't know, are told."""
    edited(copy / OUT, '    "wash": "WASH",\n', '    "wasch": "WASH",\n')
    rows, code = checked(capsys)
    told = [row["found"] for row in rows if row["level"] == "note" and "SERVICE_TYPES" in row["what"]]
    assert [
        "never used, since no options of Service Type: wasch",
        "no rows for these options of Service Type: wash",
    ] == told
    assert 0 == code


def test_a_version_that_was_not_tried(copy, capsys):
    """A Primero newer than those that were tried is told, and stops nothing."""
    changed(copy, lambda primero: primero.update(version="2.17.0"))
    rows, code = checked(capsys)
    assert ("note", "2.17.0 was not tried yet", 0) == (
        *next((row["level"], row["found"]) for row in rows if row["what"] == "version"), code
    )  # fmt: skip


def test_the_project_itself(copy, capsys):
    """R-ER7 Disabled jobs, filters that overlap, and keeping longer than agreed stand in the table in plain sight."""
    edited(copy / "project.yaml", "    script: jobs/reconcile.py", "    enabled: false\n    script: jobs/reconcile.py")
    edited(copy / "project.yaml", "{request_type: PrimeroIncomingReferralDecision}", "{interventions: []}")
    with (copy / "project.yaml").open("a") as file:
        file.write("retention: {payload_days: 30}\n")
    rows, code = checked(capsys)
    found = {row["what"]: (row["level"], row["found"]) for row in rows if row["where"] == "project"}
    assert ("note", "disabled: nothing starts it") == next(
        (row["level"], row["found"]) for row in rows if row["what"] == "reconcile"
    )
    assert ("note", "what nobody settles is kept 30 days; 7 are agreed") == found["retention"]
    assert ("wrong", 4) == (found["triggers"][0], code)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 * * * *", "every hour at minute 0, UTC"),
        ("*/15 * * * *", "every 15 minutes, UTC"),
        ("30 1 * * *", "every day at 01:30, UTC"),
        ("5 18 * * 5", "every Friday at 18:05, UTC"),
        ("0 8 1-7 * 1", "0 8 1-7 * 1, UTC"),
    ],
)
def test_schedules_in_words(cron, words):
    """A schedule that one sentence can tell is told so; any other as it is written, never wrongly."""
    assert words == own.in_words(Trigger("t", "cron", cron))


def test_what_can_be_written_is_known():
    """Each value that a table or a constant can give is known with the name of where it stands."""
    script = jobscript.load(ROOT / IN, "progres_to_primero")
    found = {use["field"]: use for use in uses.of_job(script)["primero"] if use["written"]}
    assert ("female", "SEXES") in found["sex"]["values"]
    assert {("language3", "DINKA"), ("language6", "OTHER_LANGUAGE")} <= set(found["language"]["values"])
    assert ("primeromodule-cp", "MODULE") in found["module_id"]["values"]
    assert (True, False) == (found["language"]["listed"], found["sex"]["listed"])


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "systems": {}}', '{"format": 1}'])
def test_a_snapshot_that_is_none(copy, capsys, text):
    """A snapshot of another shape is refused with the command that makes one, never half understood."""
    (copy / "snapshot.json").write_text(text)
    assert 2 == main(["check", "--offline"])
    assert "runner snapshot" in capsys.readouterr().err


def test_against_the_live_systems(copy, capsys):
    """R-TL2 H54 Live, the same comes from the systems themselves, with certificates and filters; recorded for K8."""
    with ListeningSandbox(Sandbox(cases=3, thumbprint_header=THUMBPRINT_HEADER)) as listening:
        listening.write_credentials(copy / "credentials")
        code = main(["check", "--json"])
        rows = json.loads(capsys.readouterr().out)["findings"]
        assert 0 == main(["snapshot", "-o", "made.json"])
    found = {(row["where"], row["what"]): row["level"] for row in rows}
    assert ([], 0) == (wrongs(rows), code)
    assert {"ok"} == {
        found[key] for key in (
            ("certificates", "ours"), ("primero", "reachable"), ("primero", "filters"), ("primero", "pages"),
            ("primero", "role"), ("primero", "users"), ("progres", "connection to 127.0.0.1 with our certificate"),
        )
    }  # fmt: skip
    assert "note" == found["progres", "subscription key"]
    with Store.open(copy / "data") as store:
        assert ["passed"] == [line.about["code"] for line in store.audit_log(event="systems_checked")]
    assert (copy / "snapshot.json").read_text("utf-8") == (copy / "made.json").read_text("utf-8")


def test_systems_that_cannot_be_asked(copy, capsys):
    """A system that is away, or a credential that isn't there, is a row with a fix, not an end of the check."""
    credentials = copy / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "primero.yaml").write_text("url: https://127.0.0.1:9\nuser: nobody\npassword: file:pw\n")
    (credentials / "pw").write_text("x")
    for file in credentials.iterdir():
        file.chmod(0o600)
    assert 4 == main(["check", "--json"])
    rows = json.loads(capsys.readouterr().out)["findings"]
    assert {("primero", "asking it"), ("progres", "credential")} <= {
        (row["where"], row["what"]) for row in rows if row["level"] == "wrong"
    }
    with Store.open(copy / "data") as store:
        assert ["failed"] == [line.about["code"] for line in store.audit_log(event="systems_checked")]


def test_the_snapshot_holds_nobody():
    """R-LP1 The snapshot under version control names users that jobs name, and tells nothing of anybody else."""
    users = snapshots.read(ROOT / "snapshot.json")["primero"]["users"]
    assert {"progresv4_primero_intake", "unhcr_cw"} == users.keys()
    assert all({"enabled", "receives_referrals", "agency"} == told.keys() for told in users.values())
    assert project.load(ROOT / "project.yaml").jobs
