"""The list of agreed fields at the wire: what jobs ask for, what they are given, and what leaves (issue 4, point 3)."""

import shutil
import subprocess

import pytest
from flows import JOBS, child, decision, intervention, outcomes, outgoing, run_job, send
from pages import DOCS, blocks
from test_canaries_wire import BABBLE, LONG_AGO, babbling_sandbox, case_of, refer, service_of
from wire import DTP, PRIMERO, Wire, leaves_of

from adaptors.common import data_value, each, fields_read, fn, map_values, require, save_as, source_value
from adaptors.errors import JobError
from adaptors.primero import (
    create_case,
    create_referral,
    find_case,
    get_case,
    get_cases,
    get_referrals,
    get_users,
    update_case,
    update_referral,
    upsert_case,
)
from adaptors.progres import send_decision, send_feedback, send_referral
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from adaptors.sandbox.inprocess import ADMINISTRATOR, passwords
from runner import dataflow, jobscript

SYSTEMS = {PRIMERO: "primero", DTP: "progres"}


def flows_of(job):
    """The flows of one of the six jobs."""
    return dataflow.flows(jobscript.load(JOBS / f"{job}.py", job))


def names(job, direction, system):
    """The fields that a job takes from, or sends to, a system."""
    flows = [flow for flow in flows_of(job) if (direction, system) == (flow["direction"], flow["system"])]
    return {field["field"] for flow in flows for field in flow["fields"]}


def all_exchanges(sandbox, sent):
    """Run all exchanges; gives what each job sent, by the job's name."""
    jobs = {}

    def run(job, **state):
        sent.clear()
        assert outcomes(run_job(job, sandbox, **state))
        jobs[job] = list(sent)

    run("progres_to_primero", data=outgoing(intervention(), intervention(individuals__progres_sex="9")))
    (case,) = child(sandbox, "GAM-00000901")
    decided = {"unique_id": case["services_section"][0]["unique_id"], "unhcr_referral_status": "accepted"}
    send(sandbox, "PATCH", f"/cases/{case['id']}", {"services_section": [decided]})
    run("primero_decisions_to_progres", cursor=LONG_AGO)
    made, service = case_of(), service_of()
    refer(sandbox, made, service)
    run("primero_to_progres", cursor=LONG_AGO)
    told = decision(f"{made['case_id']}#{service['unique_id'][-12:]}", "125080001")
    run("progres_decisions_to_primero", data=told)
    error = {"code": "unreachable", "ids": {}}
    run("progres_referral_given_up", data=outgoing(intervention()), error=error, message="m9")
    waiting = {"status": "Delivery Fail", "progres_interventionnumber": "INT-1"}
    entry = {"system": "progres", "kind": "answer", "key": "INT-1", "value": "m1", "send": waiting}
    run("progres_answers", outbox=[entry])
    run("reconcile")
    return jobs


@pytest.fixture(scope="module")
def traffic():
    """What the seven jobs send to a Primero that tells too much."""
    sandbox, wire = babbling_sandbox()
    return all_exchanges(sandbox, wire.sent)


ALL_JOBS = sorted(path.stem for path in JOBS.glob("*.py"))


@pytest.mark.parametrize("job", ALL_JOBS)
def test_what_leaves_is_what_was_told(job, traffic):
    """R-LP3 Every field of every body that a job sends is among those that its mapping names."""
    assert traffic[job]
    for request in traffic[job]:
        if request.body is not None:
            body = request.body["data"] if request.host == PRIMERO else request.body
            assert {name for name, _ in leaves_of(body)} <= names(job, "to", SYSTEMS[request.host])


@pytest.mark.parametrize("job", ALL_JOBS)
def test_what_is_searched_for_is_told(job, traffic):
    """R-LP3 What a job looks for in Primero, in the address, is told as sent, too."""
    known = {"per", "page", "order", "order_by", "fields"}
    for request in traffic[job]:
        sought = {name.partition("[")[0] for name, _ in request.query} - known
        assert sought <= names(job, "to", "primero")


@pytest.mark.parametrize("job", ALL_JOBS)
def test_primero_is_asked_for_agreed_fields_only(job, traffic):
    """H40, R-LP4 Cases are asked for with `fields=`, which names what the job reads; no photo or attachment ever is."""
    agreed = {name.partition(".")[0] for name in names(job, "from", "primero") | names(job, "to", "primero")}
    for request in traffic[job]:
        if request.host == PRIMERO and request.method == "GET" and request.path.endswith("/cases"):
            asked = set(dict(request.query)["fields"].split(","))
            assert asked <= agreed
            assert not asked & {"photo", "photos", "recorded_audio", "other_documents"}
        assert "attachment" not in request.path


def test_decisions_are_asked_for_by_three_fields(traffic):
    """H40 1b asks for `fields=case_id,owned_by,services_section` only."""
    asked = {
        dict(request.query)["fields"]
        for request in traffic["primero_decisions_to_progres"]
        if "fields" in dict(request.query)
    }

    assert "case_id,owned_by,services_section" in asked
    assert asked <= {"case_id,owned_by,services_section", "case_id"}


def test_only_referred_cases_are_read(traffic):
    """R-LP4 2a reads the cases that were referred to the UNHCR user, filtered by Primero, and no others."""
    read = [request for request in traffic["primero_to_progres"] if request.path.endswith("/cases")]

    assert read
    assert all(("referred_users[0]", "unhcr_cw") in request.query for request in read)


def test_no_job_reads_what_it_does_not_name():
    """R-LP3 Of the seven jobs, none reads of a message or from Primero anything that isn't named."""
    read = {
        job: {field["field"] for flow in flows_of(job) for field in flow["fields"] if "from" == flow["direction"]}
        for job in ALL_JOBS
    }

    assert not [job for job in ALL_JOBS if dataflow.ANYTHING in read[job]]
    assert {"individuals.progres_givenname", "user.title"} <= read["progres_to_primero"]


def test_free_text_is_marked():
    """R-LP3 What people write freely is marked as such in the seven jobs, and nothing else is."""
    marked = {
        job: {field["field"] for flow in flows_of(job) for field in flow["fields"] if field["free_text"] == "yes"}
        for job in ALL_JOBS
    }

    assert {
        "progres_to_primero": {"address_current", "services_section.service_referral_notes"},
        "primero_decisions_to_progres": {"closure_reason"},
        "primero_to_progres": {"address_current", "service_referral_notes", "service_type_other"},
        "progres_decisions_to_primero": {"rejected_reason"},
        "progres_referral_given_up": set(),
        "progres_answers": set(),
        "reconcile": set(),
    } == marked


def seen_by(sandbox, *operations):
    """What a function finds in `data` after these operations, done by an account that may do everything."""
    credential = {**sandbox.configuration["primero"], "user": ADMINISTRATOR}
    credential["password"] = passwords(sandbox.config)[ADMINISTRATOR]
    state = {"configuration": {"primero": credential}, "runtime": Runtime(transport=sandbox.transport), "data": {}}
    for operation in operations:
        state = operation(state)
    return state["data"]


@pytest.fixture
def referred():
    """A sandbox whose Primero tells too much, with a case that was referred; and its ids."""
    sandbox, _ = babbling_sandbox()
    case, service = case_of(), service_of()
    refer(sandbox, case, service)
    (referral,) = seen_by(sandbox, get_referrals(case["id"]))
    return sandbox, case, referral["id"]


STAMPED = {"id", "case_id", "last_updated_at"}
REFERRAL = {"id", "record_id", "status", "transitioned_to", "service_record_id", "consent_overridden", "created_at"}


def test_cases_hold_agreed_fields_only(referred):
    """R-LP3 Whatever Primero answers, a case holds the fields that were asked for, and a subform its columns."""
    sandbox, case, _ = referred
    fields = ["sex", "services_section.service_type"]

    for read in (
        get_case(case["id"], fields=fields),
        find_case({"case_id": case["case_id"]}, fields=fields),
        map_and_first(get_cases({"id": case["id"]}, fields=fields)),
    ):
        record = seen_by(sandbox, read)
        assert {"sex", "services_section"} <= set(record) <= {"sex", "services_section", *STAMPED}
        assert [{"service_type": "alternative_care"}, {"service_type": "food"}] == record["services_section"]
        with pytest.raises(JobError, match="protection_concerns"):
            record.get("protection_concerns")


def map_and_first(operation):
    """The first record of what an operation reads."""

    def first(state):
        after = operation(state)
        return {**after, "data": after["data"][0]}

    return first


def test_referrals_and_users_hold_agreed_fields_only(referred):
    """R-LP3, H40 Of a referral and a user the job gets what it asked for, and no notes, codes or places."""
    sandbox, case, referral_id = referred

    assert set(seen_by(sandbox, get_referrals(case["id"]))[0]) <= REFERRAL
    assert {"notes"} == set(seen_by(sandbox, get_referrals(case["id"], fields=["notes"]))[0])
    (user,) = seen_by(sandbox, get_users(user_name="caseworker_mockomot"))
    assert {"user_name", "full_name", "email", "phone", "position"} == set(user)
    assert all({"user_name", "code"} == set(user) for user in seen_by(sandbox, get_users(fields=["code"])))
    answered = update_referral(case["id"], referral_id, {"status": "rejected", "rejected_reason": "x"})
    assert set(seen_by(sandbox, answered)) <= REFERRAL


def test_what_was_written_comes_back_without_the_rest(referred):
    """R-LP3 After a write the job gets what it wrote, and what it needs to go on, not the whole case."""
    sandbox, case, _ = referred
    new = {"module_id": "primeromodule-cp", "sex": "female", "services_section": [{"service_type": "food"}]}

    created = seen_by(sandbox, create_case(new, key="GAM-77"))
    changed = seen_by(sandbox, update_case(case["id"], {"sex": "female"}))
    again = seen_by(sandbox, create_referral(case["id"], {"transitioned_to": "caseworker_sampleya"}))

    assert set(created) <= {*new, *STAMPED}
    assert {"sex"} <= set(changed) <= {"sex", *STAMPED}
    assert set(again) <= REFERRAL


@pytest.mark.parametrize(
    "field", ["photos", "photo", "recorded_audio", "other_documents", "bia_documents", "signature"]
)
@pytest.mark.parametrize(
    "read",
    [
        lambda fields: get_cases(fields=fields),
        lambda fields: get_case("x", fields=fields),
        lambda fields: find_case({"case_id": "x"}, fields=fields),
    ],
    ids=["get_cases", "get_case", "find_case"],
)
def test_photos_are_never_fetched(read, field):
    """R-LP4 Photos and attachments can't even be asked for: the job isn't loaded."""
    with pytest.raises(JobError, match=f"{field}: photos and attachments are never fetched"):
        read(["case_id", field])


@pytest.mark.parametrize(
    "operation",
    [
        send_referral,
        send_decision,
        lambda mapping: update_referral("x", "y", mapping),
        lambda mapping: update_case("x", mapping),
        lambda mapping: create_referral("x", mapping),
        lambda mapping: create_case(mapping, key="x"),
        lambda mapping: upsert_case(mapping, match=["id"]),
    ],
    ids=[
        "send_referral",
        "send_decision",
        "update_referral",
        "update_case",
        "create_referral",
        "create_case",
        "upsert",
    ],
)
def test_a_mapping_is_written_out(operation):
    """R-LP3 What is to be sent to Primero or proGres is written out as a dict; a promise of it is refused."""
    with pytest.raises(JobError, match="what is to be sent is computed"):
        operation(data_value("$"))


def test_an_answer_holds_agreed_fields_only():
    """R-LP3 An answer that waited is sent with the fields of an answer; with any other it isn't sent."""
    sandbox = Sandbox()
    waited = {"progres_interventionnumber": "INT-1", "status": "x", "child_name": "Nyaruot Beispiel"}
    state = {"data": waited, "configuration": sandbox.configuration, "runtime": Runtime(transport=sandbox.transport)}

    with pytest.raises(JobError, match="child_name would be sent"):
        send_feedback(data_value("$"))(state)

    assert [] == sandbox.dtp.received


MESSAGE = {"interventions": [{"id": 1, "name": "secret", "user.title": "x", "inner": {"name": "secret", "code": 2}}]}


def records_of(*operations, **more):
    """What a function sees in `each` beside these operations."""
    seen = []

    def look(state):
        seen.append(dict(state["data"]))
        return state

    each("$.data.interventions[*]", *operations, fn(look, reads=[]), **more)({"data": MESSAGE})
    return seen[0]


def test_a_message_is_cut_down_to_what_is_read():
    """R-LP3 Inside `each`, a record of a message holds what the operations there say they read, and nothing else."""
    told = fn(lambda state: state, reads=["inner.code"])

    assert {"id": 1, "user.title": "x", "inner": {"code": 2}} == records_of(require("id", "user.title"), told)
    assert {} == records_of()
    assert {"id": 1} == records_of(when_refused=[save_as("x", map_values({"a": data_value("id")}))])
    assert {} == records_of(save_as("x", map_values({"a": source_value("case.id")})))


def test_a_function_that_tells_nothing_gets_all():
    """A function whose reads aren't told may read anything, and so may who gets the collected records."""
    whole = MESSAGE["interventions"][0]

    assert whole == records_of(fn(lambda state: state))
    assert whole == records_of(lambda state: state)
    assert whole == records_of(require("id"), collect="kept")


def test_a_function_that_reads_more_than_it_tells():
    """R-LP3 A function that reads what it didn't name ends with an error that names the field, and what to write."""

    def curious(state):
        state["data"]["name"]
        return state

    state = each("$.data.interventions[*]", fn(curious, reads=["id"]))({"data": MESSAGE})

    (item,) = state["outcomes"]
    assert ("failed", "not_agreed_field") == (item["outcome"], item["code"])
    assert "name is read" in item["message"]
    assert "reads=" in item["fix"]


def changed_jobs(folder, place):
    """A copy of the jobs with one of the changes of writing-jobs.md."""
    jobs = folder / "jobs"
    shutil.copytree(JOBS, jobs, ignore=shutil.ignore_patterns("__pycache__"))
    change = blocks(DOCS / "writing-jobs.md", "diff")[place]
    subprocess.run(["git", "apply", "-"], input=change.encode(), cwd=folder, check=True)
    return jobs


def sent_out(jobs):
    """What 2a sends for a child who was registered on a day, and what it asks Primero for."""
    sandbox = Sandbox()
    sandbox.transport = wire = Wire(sandbox.transport, BABBLE)
    refer(sandbox, case_of(registration_date="2026-01-31"), service_of(service_referral_notes="asks for a school"))
    assert ["done"] == outcomes(run_job("primero_to_progres", sandbox, jobs=jobs, cursor=LONG_AGO))
    asked = {name for request in wire.sent for name in dict(request.query).get("fields", "").split(",")}
    return wire.posted(DTP)[0].body, asked


def test_one_line_more_in_a_mapping(tmp_path):
    """R-LP3, H40 A line that is added to a mapping puts exactly that field on the wire, and into what is asked for."""
    before, asked_before = sent_out(JOBS)

    after, asked = sent_out(changed_jobs(tmp_path, 4))

    assert {"registration_date": "2026-01-31"} == {name: after[name] for name in set(after) - set(before)}
    assert ({"registration_date"}, set()) == (asked - asked_before, asked_before - asked)


def test_free_text_that_is_left_out(tmp_path):
    """R-LP3 A None in the table FREE_TEXT keeps the caseworker's notes from leaving, and from the job itself."""
    jobs = changed_jobs(tmp_path, 5)

    body, _ = sent_out(jobs)

    assert "Primero referral" == body["service_referral_notes"]
    flows = dataflow.flows(jobscript.load(jobs / "primero_to_progres.py"))
    names_of = {
        flow["operation"]: {field["field"] for field in flow["fields"]} for flow in flows if flow["direction"] == "from"
    }
    assert "services_section.service_referral_notes" not in names_of["get_cases"]
    (sent,) = (flow for flow in flows if flow["operation"] == "send_referral")
    assert "left out" == {field["field"]: field["free_text"] for field in sent["fields"]}["service_referral_notes"]


def test_free_text_that_is_cut():
    """R-LP3 Notes longer than agreed are cut after a word, and the run says so."""
    sandbox = Sandbox()
    refer(sandbox, case_of(), service_of(service_referral_notes="word " * 3000))

    run = run_job("primero_to_progres", sandbox, cursor=LONG_AGO)

    (body,) = [post.body for post in sandbox.dtp.received]
    assert "word " * 1999 + "word…" == body["service_referral_notes"]
    assert "service.service_referral_notes was cut to 10000 characters" in run.items[0]["message"]


def test_columns_to_ask_for():
    """H40 What a mapping reads of a subform's entry becomes the names of its columns."""
    mapping = {"kind": data_value("service.service_type"), "sex": data_value("case.sex")}

    assert ["services_section.service_type"] == fields_read(mapping, "service", subform="services_section")
