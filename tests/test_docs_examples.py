"""README and docs/: what can be copied from them works on the code as it is."""

import contextlib
import doctest
import json
import shutil
import subprocess

import httpx
import pytest
from flows import outcomes, run_job
from pages import DOCS, PAGES, ROOT, blocks, name_of

from adaptors import common, progres
from adaptors.common import fields_read
from adaptors.errors import AdaptorError
from adaptors.http import Client, reveal
from adaptors.ledger import MemoryLedger
from adaptors.promises import resolve
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from runner import execute, jobscript, report

RESOURCES = ROOT / "tests" / "resources"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_jobs_in_the_pages_load(page, tmp_path, monkeypatch):
    """Every whole job that a page shows is a job that the engine loads."""
    monkeypatch.syspath_prepend(RESOURCES)
    for number, block in enumerate(blocks(page, "python")):
        if "\noperations = [" in block:
            script = tmp_path / f"job{number}.py"
            script.write_text(block, "utf-8")
            assert jobscript.load(script).operations


def test_examples_in_writing_jobs_are_true():
    """The examples of writing-jobs.md give what they show."""
    names = {name: getattr(common, name) for name in common.__all__}
    text = "\n".join(blocks(DOCS / "writing-jobs.md", "pycon"))
    example = doctest.DocTestParser().get_doctest(text, names, "writing-jobs.md", None, 0)
    result = doctest.DocTestRunner(verbose=False).run(example)
    assert result.attempted > 4
    assert 0 == result.failed


def test_the_message_in_writing_jobs_is_taken():
    """The message of writing-jobs.md gives the lines that are shown, then a case, then no second one."""
    page = DOCS / "writing-jobs.md"
    message = next(json.loads(block) for block in blocks(page, "json") if '"GAM-' in block)
    sandbox, ledger = Sandbox(), MemoryLedger()
    rehearsed = run_job("progres_to_primero", sandbox, data=message, dry_run=[])
    assert blocks(page, "text") == ["".join(f"{line}\n" for line in report.run_lines(rehearsed))]
    for outcome in ("done", "unchanged"):
        assert [outcome] == outcomes(run_job("progres_to_primero", sandbox, ledger=ledger, data=message))


def names_in(script):
    """What a job script defines."""
    names = {"__file__": str(script)}
    exec(compile(script.read_text("utf-8"), str(script), "exec"), names)
    return names


def reads_service(jobs):
    incoming = jobs["progres_to_primero"]["SERVICE"]["service_type"]
    service = {"service_implementing_agency": "UNHCR", "service_type": "cash_assistance"}
    case = {"disclosure_other_orgs": True, "consent_for_services": True}
    referral = {"data": {"case": case, "service": service, "referral": {}}}
    return [
        resolve(incoming, {"data": {"interventiontype.progres_description": "Cash Assistance"}}),
        jobs["primero_to_progres"]["may_be_sent"](referral) is referral,
    ]


def reads_language(jobs):
    incoming = jobs["progres_to_primero"]["CASE"]["language"]
    outgoing = jobs["primero_to_progres"]["REFERRAL"]["language"]
    return [
        resolve(incoming, {"data": {"languages.progres_languagecodeid": {"Name": "Opuo"}}}),
        resolve(outgoing, {"data": {"case": {"language": ["language2", "_opuo"]}}}),
    ]


def reads_intake_user(jobs):
    owner = jobs["progres_to_primero"]["CASE"]["owned_by"]
    agencies = ["Itang Children's Aid", "Another Agency"]
    return [resolve(owner, {"data": {"user.progres_partner": {"Name": name}}}) for name in agencies]


def reads_required_field(jobs):
    return jobs["progres_to_primero"]["CASE"]["risk_level"]


def reads_another_field(jobs):
    referral = jobs["primero_to_progres"]["REFERRAL"]
    case = {"registration_date": "2026-01-31T00:00:00Z"}
    return [
        "registration_date" in fields_read(referral, "case"),
        resolve(referral["registration_date"], {"data": {"case": case}}),
    ]


def reads_free_text(jobs):
    notes = jobs["primero_to_progres"]["REFERRAL"]["service_referral_notes"]
    return resolve(notes, {"data": {"service": {"service_referral_notes": "asks for a school"}}})


def read_or_error(read, scripts):
    """What the jobs give, or the error they end with."""
    try:
        return read({script.stem: names_in(script) for script in scripts})
    except (AdaptorError, KeyError) as error:
        return error


CHANGES = [
    (reads_service, ["cash_assistance", True]),
    (reads_language, [["_opuo"], "Nuer, Opuo"]),
    (reads_intake_user, ["itang_aid_intake", "progresv4_primero_intake"]),
    (reads_required_field, "not_assessed"),
    (reads_another_field, [True, "2026-01-31"]),
    (reads_free_text, "Primero referral"),
]


def test_writing_jobs_shows_six_changes():
    """The page shows each of the six changes that implementers make most."""
    assert len(CHANGES) == len(blocks(DOCS / "writing-jobs.md", "diff"))


@pytest.mark.parametrize(("place", "read", "promised"), [(place, *change) for place, change in enumerate(CHANGES)])
def test_changes_apply_and_do_what_is_said(place, read, promised, tmp_path):
    """Each change of writing-jobs.md fits the jobs as they are; the changed jobs load and give what is promised."""
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    scripts = sorted((tmp_path / "jobs").glob("*.py"))
    assert promised != read_or_error(read, scripts), "it was so before"
    change = blocks(DOCS / "writing-jobs.md", "diff")[place]
    subprocess.run(["git", "apply", "-"], input=change.encode(), cwd=tmp_path, check=True)
    for script in scripts:
        jobscript.load(script)
    assert promised == read_or_error(read, scripts)


def run_script(script, answer, configuration, *, ledger=None, dry_run=False, **given):
    """One run of a job against `answer`, a function from request to response."""
    runtime = Runtime(transport=httpx.MockTransport(answer))
    state = execute.initial_state(given, configuration, store=None, dry_run=dry_run)
    return execute.execute(jobscript.load(script), {**state, "ledger": ledger or MemoryLedger(), "runtime": runtime})


def test_the_smallest_adaptor_runs(monkeypatch):
    """The adaptor and the job of adding-an-adaptor.md read, write, and write nothing in a dry run."""
    monkeypatch.syspath_prepend(RESOURCES)
    notes = {}

    def answer(request):
        assert "Bearer invented" == request.headers["authorization"]
        if request.method == "GET":
            assert "since=2026-03-01" == request.url.query.decode()
            return httpx.Response(200, json=[{"id": "c-1", "summary": "asks for a school"}, {"id": "c-2"}])
        notes[request.url.path] = json.loads(request.content)
        return httpx.Response(204)

    configuration = {"helpline": {"url": "https://helpline.example.org", "token": "invented"}}
    script = RESOURCES / "tiny_job.py"
    rehearsed = run_script(script, answer, configuration, dry_run=True)
    assert {} == notes
    assert ["send note"] * 2 == [sending["action"] for sending in rehearsed.state["dry_run"]]
    run = run_script(script, answer, configuration)
    assert 0 == run.exit_code
    assert {
        "/calls/c-1/note": {"text": "Read: asks for a school", "status": "read"},
        "/calls/c-2/note": {"text": "Read", "status": "read"},
    } == notes


@pytest.mark.parametrize("file", ["tiny_adaptor.py", "tiny_job.py"])
def test_the_page_shows_the_adaptor_that_runs(file):
    """What adding-an-adaptor.md shows is the file that is tested, to the letter."""
    assert (RESOURCES / file).read_text("utf-8") in blocks(DOCS / "adding-an-adaptor.md", "python")


def test_another_gateway_is_one_class(monkeypatch):
    """A transport as adding-an-adaptor.md shows it carries a referral, with mapping and operation untouched."""
    shown = next(block for block in blocks(DOCS / "adding-an-adaptor.md", "python") if "class Ping" in block)
    names = {"Client": Client, "reveal": reveal}
    exec(shown, names)
    monkeypatch.setitem(progres.TRANSPORTS, "ping", names["Ping"])
    posted = []

    def answer(request):
        posted.append((str(request.url), json.loads(request.content)))
        return httpx.Response(200)

    credential = {"transport": "ping", "url": "https://ping.example.org", "token": "invented"}
    with contextlib.closing(Runtime(transport=httpx.MockTransport(answer))) as runtime:
        send = progres.send_referral({"id": "c-1#aabbccddeeff"})
        after = send({"data": {}, "configuration": {"progres": credential}, "runtime": runtime})
    assert {"status": 200} == after["response"]
    assert [("https://ping.example.org/referral", {"id": "c-1#aabbccddeeff"})] == posted


def test_the_job_beside_openfns_runs(tmp_path):
    """The Python job of from-openfn.md sends what it says, once, and only with consent."""
    script = tmp_path / "tracing.py"
    script.write_text(blocks(DOCS / "from-openfn.md", "python")[0], "utf-8")
    cases = [
        {
            "id": f"00000000-0000-4000-8000-00000000000{number}",
            "case_id": f"c-{number}",
            "name_first": "Nyaruot",
            "name_last": "Beispiel",
            "date_of_birth": "2014-02-28",
            "language": ["language2", "language99"],
            "disclosure_other_orgs": consent,
            "referred_users": ["tracing_desk"],
            "last_updated_at": "2026-03-02T08:00:00Z",
            "services_section": [{"unique_id": "s-1", "service_type": "family_tracing"}],
        }
        for number, consent in ((1, True), (2, False))
    ]
    posted = []

    def answer(request):
        path = request.url.path
        if path == "/referrals":
            posted.append(json.loads(request.content))
            return httpx.Response(201)
        if path == "/api/v2/system_settings":
            return httpx.Response(200, json={"data": {"primero_version": "2.14.5"}})
        if path.endswith("/referrals"):
            where = path.split("/")[-2]
            made = {"record_id": where, "status": "in_progress", "service_record_id": "s-1"}
            return httpx.Response(
                200, json={"data": [{"id": f"r{where[-1]}", "transitioned_to": "tracing_desk", **made}]}
            )
        metadata = {"total": len(cases), "per": int(request.url.params["per"]), "page": 1}
        return httpx.Response(200, json={"data": cases, "metadata": metadata})

    configuration = {
        "primero": {"url": "https://primero.example.org", "user": "integration", "password": "invented"},
        "desk": {"url": "https://desk.example.org"},
    }
    ledger = MemoryLedger()
    for expected in (["done", "withheld"], ["unchanged", "withheld"]):
        run = run_script(script, answer, configuration, ledger=ledger, cursor="2026-03-01T00:00:00Z")
        assert expected == outcomes(run), run.error
    assert [
        {
            "reference": "r1",
            "case": "c-1",
            "name": "Nyaruot Beispiel",
            "born": "2014-02-28",
            "language": "Nuer, Other",
            "service": "Family tracing",
        }
    ] == posted
