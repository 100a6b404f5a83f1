"""`runner init`: a new country's folder, made of this repository's jobs and the answers to its questions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from invented import ROOT

from runner import project, yamlfile
from runner.cli import main
from runner.mapping import tables
from runner.template import questions

ANSWERS = {
    "agreement": "DSA-NIRGENDWO-2026",
    "time_zone": "Africa/Juba",
    "primero_url": "https://primero.nirgendwo.example.org",
    "primero_user": "bridge_nirgendwo",
    "referral_url": "https://dtp.example.org/nirgendwo/ReceiveIncomingReferral",
    "decision_url": "https://dtp.example.org/nirgendwo/ReceiveDecisionOutgoingReferral",
    "unhcr_user": "unhcr_nirgendwo",
    "intake_users": {"Plan Beispiel": "intake_plan", "Rescue Beispiel": "intake_rescue"},
    "default_intake_user": "intake_others",
    "administrator_name": "CPIMS+ Administrator Nirgendwo",
    "administrator_position": "Verwalter “Kinderschutz”",
    "administrator_email": "cpims@nirgendwo.example.org",
    "administrator_phone": "+211 000 000 000",
    "services_from_unhcr": {"Foster Care": "foster_care", "Tracing": "tracing"},
    "services_to_unhcr": {"foster_care": "Alternative Care", "tracing": "Tracing Service"},
    "languages_from_unhcr": {"Nirgendisch": "nirg_a", "Irgendisch": "nirg_b"},
    "languages_to_unhcr": {"nirg_a": "Nirgendisch", "nirg_b": "Irgendisch"},
    "dinka": "nirg_other",
    "other_language": "nirg_other",
}


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A copy of what a country is made from; the environment holds no secret of theirs."""
    for folder in ("jobs", "credentials.example"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "project.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("PRIMERO_PASSWORD", "DTP_SUBSCRIPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def answered(folder, **others):
    """A file of answers."""
    file = folder / "answers.yaml"
    file.write_text(json.dumps({**ANSWERS, **others}), "utf-8")
    return str(file)


def files(folder):
    """All files in a folder, but for what Python keeps."""
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def texts(folder):
    """All files in a folder, by name, as texts."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files(folder)}


def test_a_new_country(template, capsys):
    """The folder holds project file, jobs and credentials; the check says what must be filled in yet; exit code 4."""
    before = texts(template)
    code = main(["init", "nirgendwo", "--json", "--answers", answered(template)])
    told = json.loads(capsys.readouterr().out)
    made = template / "jobs" / "nirgendwo"

    assert 4 == code
    assert {str(path.relative_to(template)) for path in files(made)} == set(told["files"])
    assert ["credential: primero.yaml", "credential: progres.yaml"] == [
        f"{row['what']}: {row['found'].partition(',')[0]}"
        for row in told["check"]["findings"]
        if row["level"] == "wrong"
    ]
    assert [0o700, 0o600] == [
        (made / name).stat().st_mode & 0o777 for name in ("credentials", "credentials/primero.yaml")
    ]
    assert not (made / "data").exists()
    assert before == {name: text for name, text in texts(template).items() if name in before}
    assert ["jobs/nirgendwo"] == [
        str(path.relative_to(template)) for path in (template / "jobs").iterdir() if path.is_dir()
    ]


def test_the_next_machine_has_examples(template):
    """Beside each credential, which git ignores, lies the same as an example, answers included."""
    main(["init", "nirgendwo", "--answers", answered(template)])
    made = template / "jobs" / "nirgendwo"
    for kept in (made / "credentials").iterdir():
        assert kept.read_text("utf-8") == (made / "credentials.example" / kept.name).read_text("utf-8")
    assert "bridge_nirgendwo" in (made / "credentials.example" / "primero.yaml").read_text("utf-8")


def test_every_answer_arrives(template):
    """Each answer stands wherever its question says, and nothing else has changed."""
    main(["init", "nirgendwo", "--answers", answered(template)])
    made = template / "jobs" / "nirgendwo"
    there = project.load(made / "project.yaml")
    incoming = (made / "progres_to_primero.py").read_text("utf-8")
    outgoing = (made / "primero_to_progres.py").read_text("utf-8")
    held = {name: table.entries for name, table in tables.tables(incoming).items()}
    sent = {name: table.entries for name, table in tables.tables(outgoing).items()}

    assert ["nirgendwo", "DSA-NIRGENDWO-2026"] == [there.name, there.agreement]
    assert {"Africa/Juba"} == {
        trigger.timezone for job in there.jobs.values() for trigger in job.triggers if trigger.kind == "cron"
    }
    assert [ANSWERS[name] for name in ("intake_users", "services_from_unhcr", "languages_from_unhcr")] == [
        held[name] for name in ("INTAKE_USERS", "SERVICE_TYPES", "LANGUAGES")
    ]
    assert [ANSWERS[name] for name in ("services_to_unhcr", "languages_to_unhcr")] == [
        sent[name] for name in ("SERVICE_TYPES", "LANGUAGES")
    ]
    assert {
        "position": ANSWERS["administrator_position"],
        "email": ANSWERS["administrator_email"],
        "phone": ANSWERS["administrator_phone"],
        "full_name": ANSWERS["administrator_name"],
    } == sent["ADMINISTRATOR"]
    assert ["intake_others", "nirg_other", "nirg_other"] == [
        tables.constants(incoming)[name] for name in ("DEFAULT_INTAKE_USER", "DINKA", "OTHER_LANGUAGE")
    ]
    for name in ("primero_to_progres.py", "reconcile.py"):
        entries = tables.tables((made / name).read_text("utf-8"))["AGREED_SERVICE_TYPES"].entries
        assert ["foster_care", "tracing"] == list(entries)
    reached = yamlfile.read(made / "credentials" / "progres.yaml").value
    assert [ANSWERS["referral_url"], ANSWERS["decision_url"]] == [reached["referral_url"], reached["decision_url"]]


def own_answers(folder):
    """What the template itself says, as answers to its questions."""
    said = {}
    for question in questions.read(folder / "jobs"):
        file, (place, *_) = next(iter(question.written.items()))
        name, _, key = place.partition(".")
        if file.endswith(".py"):
            script = (folder / "jobs" / file).read_text("utf-8")
            table = tables.tables(script).get(name)
            said[question.name] = tables.constants(script)[name] if table is None else table.entries
            said[question.name] = said[question.name][key] if key else said[question.name]
        else:
            value = yamlfile.read(folder / file.replace("credentials/", "credentials.example/")).value
            for part in place.split("."):
                value = value[part]
            said[question.name] = value
    return said


def test_the_rest_stays_to_the_letter(template):
    """Answers that say what stands there already change no sign but name and paths; so no other place is touched."""
    said = own_answers(template)
    agreed = ["alternative_care", "focuses_non_specialized_mhpss_care", "food", "family_tracing_and_reunification"]
    script = template / "jobs" / "primero_to_progres.py"
    only = {key: said["services_to_unhcr"][key] for key in agreed}
    script.write_text(tables.changed(script.read_text("utf-8"), {"SERVICE_TYPES": only}), "utf-8")
    main(["init", "again", "--answers", answered(template, **{**said, "services_to_unhcr": only})])
    made = texts(template / "jobs" / "again")

    for name, text in made.items():
        if name.endswith(".py"):
            assert (template / "jobs" / name).read_text("utf-8") == text
        elif name.startswith("credentials/"):
            assert (template / name.replace("credentials/", "credentials.example/")).read_text("utf-8") == text
    whole = (template / "project.yaml").read_text("utf-8")
    assert whole.replace("name: gambella", "name: again").replace("script: jobs/", "script: ") == made["project.yaml"]


def test_what_is_made_is_formatted(template):
    """Ruff has nothing to say about the new scripts."""
    users = {'Beispiel "Plan"': "intake_plan", "Children's \\ Beispiel": "intake_children"}
    main(["init", "nirgendwo", "--answers", answered(template, intake_users=users)])
    for words in (["format", "--check"], ["check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", str(ROOT / "pyproject.toml"), "--no-cache", "."]
        done = subprocess.run(command, cwd=template / "jobs" / "nirgendwo", capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout


def test_constants_of_several_jobs(template):
    """Whatever stands under one name in several scripts is written into all of them by one answer."""
    known = {path.name: path.read_text("utf-8") for path in (template / "jobs").glob("*.py")}
    for question in questions.read(template / "jobs"):
        for file, places in question.written.items():
            for place in places:
                script = known.get(file, "")
                table = tables.tables(script).get(place)
                is_shared = place in tables.constants(script) or (table and None in table.entries.values())
                others = {name for name, text in known.items() if is_shared and f"\n{place} = " in text}
                assert others <= set(question.written), f"{question.name}: {place}"


def test_nothing_is_overwritten(template, capsys):
    """A folder that is there already is left alone."""
    (template / "jobs" / "nirgendwo").mkdir()
    assert 2 == main(["init", "nirgendwo", "--answers", answered(template)])
    assert "jobs/nirgendwo is there already" in capsys.readouterr().err
    assert [] == list((template / "jobs" / "nirgendwo").iterdir())


WRONG = [
    ("agreement", "", "agreement: this is not one line"),
    ("agreement", "two\nlines", "agreement: this is not one line"),
    ("agreement", True, "agreement: this is not one line"),
    ("time_zone", "Africa/Nirgendwo", "time_zone: this is not the name of a time zone"),
    ("time_zone", "../../etc/passwd", "time_zone: this is not the name of a time zone"),
    ("primero_url", "http://primero.example.org", "primero_url: this is not an address that begins with https://"),
    ("primero_url", "https://me:word@primero.example.org", "primero_url: this is not an address"),
    ("unhcr_user", "two words", "unhcr_user: this is not one word"),
    ("unhcr_user", 'a"', "unhcr_user: this is not one word"),
    ("administrator_email", "cpims", "administrator_email: this is not an e-mail address"),
    ("administrator_phone", 1.5, "administrator_phone: this is not one line"),
    ("services_from_unhcr", {}, "services_from_unhcr: this is not a table of texts with one entry"),
    ("services_from_unhcr", "Foster Care", "services_from_unhcr: this is not a table"),
    ("services_from_unhcr", {"Foster Care": ["a"]}, "services_from_unhcr: this is not a table"),
    ("intake_users", None, "intake_users: this is not a table of texts"),
    ("unhcr_usr", "unhcr_cw", "there is no question unhcr_usr"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG, ids=[f"{name} {value}"[:40] for name, value, _ in WRONG])
def test_wrong_answers(template, capsys, name, value, said):
    """A wrong answer is refused with its name and a fix, and nothing is made."""
    assert 2 == main(["init", "nirgendwo", "--answers", answered(template, **{name: value})])
    told = capsys.readouterr().err
    assert f"ERROR {said}" in told
    assert "fix: " in told
    assert [] == [path for path in (template / "jobs").iterdir() if path.is_dir()]


def test_all_wrong_answers_are_told_at_once(template, capsys):
    """Who has made two mistakes learns of both."""
    main(["init", "nirgendwo", "--answers", answered(template, time_zone="Nowhere", primero_url="primero")])
    assert 2 == capsys.readouterr().err.count("ERROR")


@pytest.mark.parametrize("name", ["", "Nirgendwo", "../x", "a b", ".", "-x"])
def test_names(template, capsys, name):
    """A country's name is a plain word."""
    assert 2 == main(["init", "--answers", answered(template), "--", name])
    assert "a country's name is a plain word" in capsys.readouterr().err


def test_nobody_to_ask(template, capsys):
    """Without a terminal, what is missing is listed, and nothing is made."""
    assert 2 == main(["init", "nirgendwo", "--answer", "agreement=DSA-1"])
    told = capsys.readouterr().err
    names = [question.name for question in questions.read(template / "jobs") if question.name != "agreement"]
    assert f"ERROR answers are missing: {', '.join(names)}\n" in told
    assert "--answers" in told


def test_said_on_the_command_line(template):
    """What is said on the command line counts before the file; tables are written as in YAML."""
    words = ["--answer", "agreement=DSA=2", "--answer", "intake_users={Third Beispiel: intake_third}"]
    main(["init", "nirgendwo", "--answers", answered(template), *words])
    made = template / "jobs" / "nirgendwo"
    assert "DSA=2" == project.load(made / "project.yaml").agreement
    assert '    "Third Beispiel": "intake_third",\n' in (made / "progres_to_primero.py").read_text("utf-8")


@pytest.mark.parametrize("words", [["--answer", "agreement"], ["--answer", "dinka=a", "--answer", "dinka=b"]])
def test_unclear_words(template, capsys, words):
    """An answer without a value, or one that is given twice, is refused."""
    assert 2 == main(["init", "nirgendwo", *words])
    assert "an answer is given once, as NAME=VALUE" in capsys.readouterr().err


def test_a_person_is_asked(template, capsys, monkeypatch):
    """At a terminal each question is asked, with an example; a wrong answer is asked for again."""
    some = {name: value for name, value in ANSWERS.items() if name not in ("unhcr_user", "intake_users")}
    (template / "answers.yaml").write_text(json.dumps(some), "utf-8")
    heard = iter(["two words", "unhcr_nirgendwo", "- no table", "", "Plan Beispiel: intake_plan", ""])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: next(heard))
    main(["init", "nirgendwo", "--answers", "answers.yaml"])
    told = capsys.readouterr().err.splitlines()

    assert "unhcr_user: the user in Primero to whom partners refer children for UNHCR, such as: unhcr_cw" == told[0]
    assert "unhcr_user: this is not one word, without blanks and quotes" == told[1]
    assert told[2].endswith("such as: {Plan Beispiel: intake_plan} (an entry a line, then an empty line)")
    assert "intake_users: this is not a table of texts; {} is an empty one" == told[3]
    made = (template / "jobs" / "nirgendwo" / "progres_to_primero.py").read_text("utf-8")
    assert '    "Plan Beispiel": "intake_plan",\n' in made


def test_a_person_who_goes_away(template, capsys, monkeypatch):
    """When the answers end too early nothing is made; exit code 5."""

    def gone():
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", gone)
    assert 5 == main(["init", "nirgendwo"])
    assert "the answers ended too early" in capsys.readouterr().err
    assert not (template / "jobs" / "nirgendwo").exists()


def test_examples_are_answers(template):
    """What the questions give as examples makes a country that loads."""
    said = {question.name: question.answer(question.example) for question in questions.read(template / "jobs")}
    assert 4 == main(["init", "nirgendwo", "--answers", answered(template, **said)])


TEMPLATES = [
    ("form: zone", "form: zones", "forms are text, word"),
    ("    example: Africa/Juba\n", "", "a question has asks, example, form, written"),
    ("written: {project.yaml: [agreement]}", "written: [agreement]", "files, and for each a list of names"),
    ("written: {project.yaml: [agreement]}", "written: {no.yaml: [agreement]}", "can't be written into no.yaml"),
    ("written: {project.yaml: [agreement]}", "written: {project.yaml: [agreed.by]}", "agreed.by holds no single value"),
    ("[ADMINISTRATOR.phone]", "[ADMINISTRATOR.telephone]", "can't be written into ADMINISTRATOR.telephone"),
    ("[DINKA]", "[LANGUAGES]", "the answer to dinka can't be written into LANGUAGES"),
    ("questions:", "asked:", "it holds a table questions, and nothing else"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "said"), TEMPLATES, ids=[said for *_, said in TEMPLATES])
def test_a_template_that_is_wrong(template, capsys, before, after, said):
    """A mistake in the questions is told by its name or line; exit code 3, and nothing is made."""
    file = template / "jobs" / "questions.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")
    assert 3 == main(["init", "nirgendwo", "--answers", answered(template)])
    assert said in capsys.readouterr().err
    assert [] == [path for path in (template / "jobs").iterdir() if path.is_dir()]


def test_a_secret_is_no_answer(template, capsys):
    """R-RT5 A secret that is given as an answer is refused, since what is made goes under version control."""
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    assert 3 == main(["init", "nirgendwo", "--answers", answered(template, administrator_position=token)])
    told = capsys.readouterr().err
    assert "stands here" in told
    assert token not in told
    assert not (template / "jobs" / "nirgendwo").exists()


def test_without_questions(tmp_path, capsys):
    """A project that asks nothing is no template."""
    (tmp_path / "project.yaml").write_text('{"name": "x", "jobs": {}}', "utf-8")
    assert 2 == main(["init", "nirgendwo", "--project", str(tmp_path / "project.yaml")])
    assert "questions.yaml can't be read" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(template, capsys, monkeypatch):
    """Where the disk says no, the command says so, and half a folder is never left."""

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    assert 2 == main(["init", "nirgendwo", "--answers", answered(template)])
    assert "jobs/nirgendwo can't be made: No space left on device" in capsys.readouterr().err
    assert [] == [path for path in (template / "jobs").iterdir() if path.is_dir()]
