"""The stand-in of Primero: recorded answers, their neighbours, other versions, faults."""

import base64
import json
import random
import threading
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import vectors_replay

from adaptors.sandbox.faults import Fault, Faults
from adaptors.sandbox.primero import Primero
from adaptors.sandbox.wire import Request

VECTORS = Path(__file__).parent / "vectors"
SEED = json.loads((VECTORS / "seed.json").read_text(encoding="utf-8"))
PASSWORDS = {user["user_name"]: user["password"] for user in SEED["users"] if user["password"]}
START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CP = "primeromodule-cp"
INTAKE = "progresv4_primero_intake"
CASES = "/api/v2/cases"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


def start(profile="2.14", *faults, clock=None):
    return Primero(SEED, profile=profile, clock=clock or Clock(), random=random.Random(7), faults=Faults(*faults))


def ask(primero, method, path, user="writer", query="", body=None, headers=None):
    """The status and the parsed body of one call."""
    response = send(primero, method, path, user, query, body, headers)
    return response.status, json.loads(response.body) if response.body else None


def send(primero, method, path, user="writer", query="", body=None, headers=None, password=None):
    credentials = base64.b64encode(f"{user}:{password or PASSWORDS.get(user, '')}".encode()).decode()
    sent = {"authorization": f"Basic {credentials}", "content-type": "application/json"} | (headers or {})
    return primero.answer(Request(method, path, query, sent, b"" if body is None else json.dumps(body).encode()))


def make(primero, user="writer", **data):
    status, answer = ask(primero, "POST", CASES, user, body={"data": {"module_id": CP, "owned_by": INTAKE, **data}})
    assert 200 == status, answer
    return answer["data"]["id"]


def names(primero, query, user="integration_a"):
    status, answer = ask(primero, "GET", CASES, user, query)
    assert 200 == status
    return [row.get("name") for row in answer["data"]]


def referred(primero, **data):
    """A case with consent and one referral to the recipient account; returns both ids."""
    consent = {"consent_for_services": True, "disclosure_other_orgs": True}
    key = make(primero, **consent, **data)
    body = {"data": {"transitioned_to": "unhcr_cw"}}
    status, answer = ask(primero, "POST", f"{CASES}/{key}/referrals", INTAKE, body=body)
    assert 200 == status, answer
    return key, answer["data"]["id"]


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("*.jsonl")))
def test_answers_are_the_recorded_ones(name):
    """Every recorded line of a live Primero gets the recorded answer, file by file, from an empty start."""
    clock, config = Clock(), deepcopy(SEED)
    config["system_settings"]["config_update_lock"] = name == "config_lock"
    primero = Primero(config, clock=clock, random=random.Random(7))
    lines = vectors_replay.load(VECTORS / f"{name}.jsonl")

    assert [] == vectors_replay.replay(primero.answer, lines, PASSWORDS, lambda s: clock.move(s + 0.01), START)


def test_the_replay_notices_a_wrong_answer():
    """The comparison is strict: another status, total, row, value or key is a difference."""
    lines = vectors_replay.load(VECTORS / "list_params.jsonl")
    without_cases = [line for line in lines if not line["id"].startswith("setup-0")]

    differences = vectors_replay.replay(start().answer, without_cases, PASSWORDS, lambda s: None, START)

    assert {"list-001", "list-044", "list-053"} <= {difference.split(":")[0] for difference in differences}


@pytest.mark.parametrize(
    "query",
    [
        "no_such_field=1",
        "services_section.service_type=x",
        "associated_user_names[]=nobody",
        "unhcr_individual_no[0]=X",
        "referred_users_pending[0]=unhcr_cw",
        "age=..3",
        "last_updated_at=garbage..",
        "name=A..B",
    ],
)
def test_a_filter_is_dropped_without_a_word(query):
    """A filter that Primero does not take leaves all cases in scope in the answer, with 200."""
    primero = start()
    make(primero, name_first="Almaz")
    make(primero, name_first="Nyakim")

    assert {"Almaz", "Nyakim"} == set(names(primero, query))


@pytest.mark.parametrize("query", ["age=abc", "id=not-a-uuid", "name=%22", "status=", "age=3..", "registration_date=x"])
def test_a_filter_that_breaks_the_query_finds_nothing(query):
    """What makes invalid SQL answers 200 with an empty list, which looks like no match."""
    primero = start()
    make(primero, name_first="Almaz", age=9)

    assert [] == names(primero, query)


def test_an_id_filter_with_brackets_is_a_500_without_a_body():
    """`id[]=…` ends in a 500 with an empty body; `id[0]=…` works."""
    primero = start()
    key = make(primero, name_first="Almaz")

    assert (500, None) == ask(primero, "GET", CASES, query=f"id[]={key}")
    assert ["Almaz"] == names(primero, f"id[0]={key}")


def test_or_and_not_read_one_level_more():
    """`or[0][f]=…&or[1][f]=…` is any of; `not[f]=…` also returns cases that lack the field."""
    primero = start()
    make(primero, name_first="Almaz", sex="female")
    make(primero, name_first="Gatluak", sex="male")
    make(primero, name_first="Nyakim")

    assert {"Almaz", "Gatluak"} == set(names(primero, "or[0][sex]=female&or[1][sex]=male"))
    assert {"Gatluak", "Nyakim"} == set(names(primero, "not[sex]=female"))


def test_whole_seconds_and_days_of_time_filters():
    """`last_updated_at` is compared by whole seconds, or by calendar days where days are given."""
    clock = Clock()
    primero = start(clock=clock)
    clock.move(0.9)
    make(primero, name_first="Almaz")

    assert ["Almaz"] == names(primero, "last_updated_at=2026-11-22T09:30:00.999Z..")
    assert [] == names(primero, "last_updated_at=2026-11-22T09:30:01Z..")
    assert ["Almaz"] == names(primero, "last_updated_at=2026-11-22..2026-11-22")


def test_ties_are_shuffled_and_a_total_order_is_not():
    """Cases that share a sort key come in another order each time; `order_by=case_id` never changes."""
    primero = start()
    for number in range(30):
        make(primero, name_first=f"Child {number}", created_at="2026-01-01T00:00:00Z")

    by_creation = {tuple(names(primero, "per=30&fields=name")) for _ in range(5)}
    by_case_id = {tuple(names(primero, "per=30&fields=name&order_by=case_id&order=asc")) for _ in range(5)}

    assert 5 == len(by_creation)
    assert 1 == len(by_case_id)


def test_not_modified():
    """An answer bears an ETag; asked for again with it, Primero says 304 with nothing."""
    primero = start()
    etag = send(primero, "GET", CASES).headers["ETag"]

    response = send(primero, "GET", CASES, headers={"if-none-match": etag})

    assert (304, b"") == (response.status, response.body)


@pytest.mark.parametrize(
    ("value", "stored"),
    [("2020-01-01", None), ("born 2020-01-01", "born 2020-01-01"), (True, None), ("", "")],
)
def test_text_that_is_a_date_is_refused(value, stored):
    """A text field refuses what as a whole looks like a date, and anything that is no text."""
    primero = start()
    body = {"data": {"module_id": CP, "name_nickname": value}}

    status, answer = ask(primero, "POST", CASES, body=body)

    if stored is None:
        assert (422, ["/name_nickname"]) == (status, answer["errors"][0]["detail"])
    else:
        assert stored == answer["data"]["name_nickname"]


def test_a_taken_id_out_of_scope_is_a_conflict():
    """The id of a case that the caller can't see is taken all the same: 409, then 403."""
    primero = start()
    key = make(primero, owned_by="selfer")
    body = {"data": {"id": key, "module_id": CP, "name_first": "Almaz"}}

    assert 409 == ask(primero, "POST", CASES, "grouper", body=body)[0]
    assert 403 == ask(primero, "GET", f"{CASES}/{key}", "grouper")[0]


def test_form_fields_are_dropped_without_a_module():
    """Without `module_id` a patch of a case that has none stores no form field, and still answers 200."""
    primero = start()
    key = ask(primero, "POST", CASES, body={"data": {"name_first": "Almaz"}})[1]["data"]["id"]

    status, answer = ask(primero, "PATCH", f"{CASES}/{key}", body={"data": {"name_first": "Almaz"}})

    assert (200, {"id", "enabled", "last_updated_at"}) == (status, set(answer["data"]))


@pytest.mark.parametrize("user", ["integration_a", "unhcr_cw", "nocase", "notreceiver"])
def test_disabling_needs_its_permission(user):
    """DELETE is forbidden without `enable_disable_record`."""
    primero = start()
    key = make(primero)

    assert 403 == ask(primero, "DELETE", f"{CASES}/{key}", user)[0]


def test_retried_patch_appends_a_service_again():
    """A service without `unique_id` is appended by every retry; with one it is merged."""
    primero = start()
    key = make(primero)
    bare = {"data": {"services_section": [{"service_type": "food"}]}}
    named = {"data": {"services_section": [{"unique_id": "0e9326d4-9b7b-531f-b1cd-a347e0f09404"}]}}

    for body in (bare, bare, named, named):
        ask(primero, "PATCH", f"{CASES}/{key}", body=body)

    assert 3 == len(primero.cases[key].data["services_section"])


def test_each_save_gives_a_later_stamp():
    """Even a patch of nothing bumps `last_updated_at`; reading does not."""
    primero = start()
    key = make(primero)
    before = primero.cases[key].data["last_updated_at"]

    ask(primero, "GET", f"{CASES}/{key}")
    assert before == primero.cases[key].data["last_updated_at"]
    ask(primero, "PATCH", f"{CASES}/{key}", body={"data": {}})
    assert before < primero.cases[key].data["last_updated_at"]


@pytest.mark.parametrize(
    ("path", "asked", "kept"),
    [
        ([], "done", "in_progress"),
        ([], "revoked", "in_progress"),
        (["accepted"], "rejected", "accepted"),
        (["rejected"], "accepted", "rejected"),
        (["accepted", "done"], "rejected", "done"),
    ],
)
def test_a_decision_that_does_not_fit_is_ignored(path, asked, kept):
    """An answer that does not fit the present status gets 200 and changes nothing."""
    primero = start()
    key, referral = referred(primero)
    for status in (*path, asked):
        url = f"{CASES}/{key}/referrals/{referral}"
        code, answer = ask(primero, "PATCH", url, "writer", body={"data": {"status": status}})

    assert (200, kept, kept) == (code, answer["data"]["status"], primero.referrals[referral].data["status"])


def test_consent_withdrawn_blocks_every_answer():
    """Once a consent is gone, accepting, rejecting and revoking get 422 and the status stays."""
    primero = start()
    key, referral = referred(primero)
    ask(primero, "PATCH", f"{CASES}/{key}", body={"data": {"disclosure_other_orgs": False}})
    url = f"{CASES}/{key}/referrals/{referral}"

    codes = [ask(primero, "PATCH", url, body={"data": {"status": s}})[0] for s in ("accepted", "rejected")]

    assert [422, 422, 422] == [*codes, ask(primero, "DELETE", url)[0]]
    assert "in_progress" == primero.referrals[referral].data["status"]


def test_two_problems_of_a_referral_are_both_reported():
    """Missing consent and an unfit recipient come as two errors of one answer."""
    primero = start()
    key = make(primero)

    status, answer = ask(
        primero, "POST", f"{CASES}/{key}/referrals", INTAKE, body={"data": {"transitioned_to": "notreceiver"}}
    )

    assert 422 == status
    assert ["consent", "transitioned_to"] == [error["detail"] for error in answer["errors"]]


def test_access_ends_with_the_last_live_referral():
    """A recipient with two live referrals keeps access until both have ended."""
    primero = start()
    key, first = referred(primero)
    body = {"data": {"transitioned_to": "unhcr_cw"}}
    second = ask(primero, "POST", f"{CASES}/{key}/referrals", INTAKE, body=body)[1]["data"]["id"]
    codes = []

    for referral in (first, second):
        ask(primero, "DELETE", f"{CASES}/{key}/referrals/{referral}", INTAKE)
        codes.append(ask(primero, "GET", f"{CASES}/{key}", "unhcr_cw")[0])

    assert [200, 403] == codes


def test_lock_out_ends_after_thirty_minutes():
    """Six wrong passwords lock an account; the right one is refused until thirty minutes have passed."""
    clock = Clock()
    primero = start(clock=clock)
    for _ in range(6):
        send(primero, "GET", CASES, "lockme", password="wrong")

    assert 401 == ask(primero, "GET", CASES, "lockme")[0]
    clock.move(29 * 60)
    assert 401 == ask(primero, "GET", CASES, "lockme")[0]
    clock.move(60)
    assert 200 == ask(primero, "GET", CASES, "lockme")[0]


def test_seventh_log_in_call_of_a_minute_is_throttled():
    """`/tokens` answers 429 in plain text from the seventh call for a name within a minute on."""
    clock = Clock()
    primero = start(clock=clock)
    body = {"user": {"user_name": "somebody", "password": "x"}}

    codes = [send(primero, "POST", "/api/v2/tokens", body=body).status for _ in range(7)]
    clock.move(61)

    assert [403] * 6 + [429] == codes
    assert 403 == send(primero, "POST", "/api/v2/tokens", body=body).status


@pytest.mark.parametrize(("profile", "version"), [("2.10", "2.10.7"), ("2.14", "2.14.5.1"), ("2.15", "2.15.2")])
def test_version_by_profile(profile, version):
    """A profile reports its version in settings and contact information."""
    primero = start(profile)

    assert version == ask(primero, "GET", "/api/v2/system_settings")[1]["data"]["primero_version"]
    assert version == ask(primero, "GET", "/api/v2/contact_information")[1]["data"]["system_version"]


def test_2_10_takes_bracket_lists_open_ranges_and_large_pages():
    """2.10: `key[]=v` lists and open numeric ranges work, and `per` has no limit."""
    primero = start("2.10")
    make(primero, name_first="Almaz", age=9)
    make(primero, name_first="Nyakim", owned_by="selfer", age=3)

    assert ["Nyakim"] == names(primero, "associated_user_names[]=selfer")
    assert ["Almaz"] == names(primero, "age=4..")
    assert 5000 == ask(primero, "GET", CASES, query="per=5000")[1]["metadata"]["per"]


def test_2_10_refuses_unknown_keys_and_knows_no_referred_users():
    """2.10: an unknown key is 422, `referred_users` is neither value nor filter, accepting does not bump the case."""
    primero = start("2.10")
    key, referral = referred(primero)
    before = primero.cases[key].data["last_updated_at"]
    body = {"data": {"no_such_field": 1, "services_section": [{"no_such_column": 2}]}}

    status, answer = ask(primero, "PATCH", f"{CASES}/{key}", body=body)
    ask(primero, "PATCH", f"{CASES}/{key}/referrals/{referral}", "unhcr_cw", body={"data": {"status": "accepted"}})

    assert (422, ["/no_such_field", "/services_section/0/no_such_column"]) == (status, answer["errors"][0]["detail"])
    assert "referred_users" not in primero.cases[key].data
    assert before == primero.cases[key].data["last_updated_at"]
    assert 1 == len(names(primero, "referred_users[0]=nobody"))


def test_2_15_checks_options_and_status():
    """2.15: select values, elements of multi-selects and the status must be listed."""
    primero = start("2.15")
    body = {"data": {"module_id": CP, "sex": "zzz", "nationality": ["zzz"], "status": "zzz", "maritial_status": ""}}

    status, answer = ask(primero, "POST", CASES, body=body)

    assert 422 == status
    assert {"/sex", "/nationality/0", "/status", "/maritial_status"} == set(answer["errors"][0]["detail"])
    assert make(primero, sex="male", nationality=["ethiopia"], status="open")


def test_2_15_referred_users_need_the_dashboard():
    """2.15: `referred_users*` are filters only with `dash_shared_with_me`, and tell pending from accepted."""
    primero = start("2.15")
    key, referral = referred(primero, name_first="Almaz")
    make(primero, name_first="Nyakim")

    assert ["Almaz"] == names(primero, "referred_users_pending[0]=unhcr_cw")
    assert 2 == len(names(primero, "referred_users[0]=unhcr_cw", "integration_noforms"))
    ask(primero, "PATCH", f"{CASES}/{key}/referrals/{referral}", "unhcr_cw", body={"data": {"status": "accepted"}})
    assert [] == names(primero, "referred_users_pending[0]=unhcr_cw")
    assert ["Almaz"] == names(primero, "referred_users_accepted[0]=unhcr_cw")


def test_2_15_lists_filter_users():
    """2.15: `agency[]` filters accounts; 2.14 drops it."""
    totals = [
        ask(start(profile), "GET", "/api/v2/users", query="agency[]=UNHCR")[1]["metadata"]["total"]
        for profile in ("2.14", "2.15")
    ]

    assert [24, 3] == totals


def test_profile_must_be_known():
    """Another version is a KeyError, not a silent default."""
    with pytest.raises(KeyError):
        start("3.0")


@pytest.mark.parametrize(
    ("kind", "status", "cases"),
    [("fail_before", 500, 0), ("fail_after", 500, 1), ("too_many", 429, 0), ("bad_gateway", 502, 0), ("lock", 503, 0)],
)
def test_faults_before_and_after_the_effect(kind, status, cases):
    """A fault hits one request and is spent; only `fail_after` leaves the effect."""
    primero = start("2.14", Fault(kind, method="POST", path=CASES))

    response = send(primero, "POST", CASES, body={"data": {"module_id": CP}})

    assert (status, cases) == (response.status, len(primero.cases))
    assert 200 == send(primero, "POST", CASES, body={"data": {"module_id": CP}}).status


def test_what_only_a_socket_can_do_is_described():
    """Latency, reset and time-out come as a description beside an answer that was carried out."""
    primero = start("2.14", Fault("latency", seconds=2.5), Fault("reset", after=1), Fault("time_out", after=2))

    responses = [send(primero, "POST", CASES, body={"data": {}}) for _ in range(3)]

    assert [2.5, 0, 0] == [response.delay for response in responses]
    assert ["", "reset", "time_out"] == [response.broken for response in responses]
    assert 3 == len(primero.cases)


def test_pages_shift_while_they_are_read():
    """`shift_pages` acts between two pages of a list: what was on page two moves to page one unseen."""
    primero = start()
    primero.load({"name_first": f"Child {n}", "module_id": CP, "owned_by": INTAKE} for n in range(4))
    first = names(primero, "per=2&fields=name")
    primero.faults.add(Fault("shift_pages"))

    second = names(primero, "per=2&page=2&fields=name")

    assert (["Child 3", "Child 2"], ["Child 0"]) == (first, second)


def test_a_new_case_enters_between_pages():
    """`shift_pages` with an act of its own: a row is seen twice."""
    primero = start()
    primero.load({"name_first": f"Child {n}", "module_id": CP, "owned_by": INTAKE} for n in range(4))
    first = names(primero, "per=2&fields=name")
    primero.faults.add(Fault("shift_pages", act=lambda: primero.load([{"owned_by": INTAKE}])))

    assert first[-1] == names(primero, "per=2&page=2&fields=name")[0]


def test_a_form_lost_in_mid_run_opens_the_filter():
    """When a role loses the form of a filter field, the filter is dropped and all cases come back."""
    loss = Fault("lose_permission", after=1, role="role-interop-a", loses="basic_identity")
    primero = start()
    primero.load({"unhcr_individual_no": f"DAD-{n}", "module_id": CP, "owned_by": INTAKE} for n in range(3))
    primero.faults.add(loss)

    totals = [
        ask(primero, "GET", CASES, "integration_a", "unhcr_individual_no=DAD-1")[1]["metadata"]["total"]
        for _ in range(3)
    ]

    assert [1, 3, 3] == totals


def test_a_permission_lost_in_mid_run_forbids():
    """When a role loses `case:read`, the same call is forbidden from then on."""
    primero = start("2.14", Fault("lose_permission", after=1, role="role-interop-a", loses="case:read"))

    assert [200, 403, 403] == [ask(primero, "GET", CASES, "integration_a")[0] for _ in range(3)]


def test_clock_skew_shifts_the_stamps_of_one_request():
    """A server whose clock is off gives stamps that are off; the next request is right again."""
    primero = start("2.14", Fault("clock_skew", seconds=-3600))

    stamps = [primero.cases[make(primero)].data["last_updated_at"][:16] for _ in range(2)]

    assert ["2026-11-22T08:30", "2026-11-22T09:30"] == stamps


def test_the_proxy_refuses_long_addresses_and_fast_callers():
    """Behind nginx: 414 above 1 KiB, an HTML 503 above the rate, no answer to OPTIONS, and a `Date` header."""
    primero = start("2.14", Fault("proxy", count=None))
    codes = [send(primero, "GET", CASES).status for _ in range(30)]

    assert {200, 503} == set(codes)
    assert 414 == send(primero, "GET", CASES, query="fields=" + "name," * 300).status
    assert "reset" == send(primero, "OPTIONS", CASES).broken
    assert "Sun, 22 Nov 2026 09:30:00 GMT" == send(primero, "GET", CASES).headers["Date"]
    assert "Date" not in send(start(), "GET", CASES).headers


def test_loaded_cases_keep_their_stamps():
    """`load` takes stamps that a post cannot set; a referral leaves them alone and gives its recipient access."""
    primero = start()
    case = {"id": "47ab8855-cb45-5757-a184-bd70a4c8cfb8", "module_id": CP, "owned_by": INTAKE, "name_first": "Almaz"}
    stamps = {"created_at": "2020-01-01T00:00:00.000Z", "last_updated_at": "2021-01-01T00:00:00.000Z"}

    primero.load([case | stamps], [{"record_id": case["id"], "transitioned_to": "unhcr_cw", "status": "accepted"}])

    assert stamps.items() <= primero.cases[case["id"]].data.items()
    assert ["accepted"] == [referral.data["status"] for referral in primero.referrals.values()]
    assert ["Almaz"] == names(primero, "", "unhcr_cw")


def test_the_configuration_stays_as_it_was():
    """What happens inside a stand-in changes neither the document that it was given nor another stand-in."""
    config = deepcopy(SEED)
    primero = Primero(config, clock=Clock(), random=random.Random(7))
    number = next(user["id"] for user in SEED["users"] if user["user_name"] == "selfer")

    assert 200 == ask(primero, "PATCH", f"/api/v2/users/{number}", "primero", body={"data": {"disabled": True}})[0]
    assert SEED == config


def test_answers_from_several_threads_lose_nothing():
    """One lock guards the memory: cases made at the same time are all there, each with a stamp of its own."""
    primero = start()
    threads = [threading.Thread(target=lambda: [make(primero) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 40 == len(primero.cases) == len({case.data["last_updated_at"] for case in primero.cases.values()})


def test_a_list_of_many_cases_is_read_page_by_page():
    """2,345 cases come back once each over three pages of a thousand."""
    primero = start()
    primero.load({"module_id": CP, "owned_by": INTAKE} for _ in range(2345))
    query = "per=5000&order_by=case_id&order=asc&fields=id&page="

    pages = [ask(primero, "GET", CASES, query=f"{query}{page}")[1] for page in (1, 2, 3)]

    assert [1000, 1000, 345] == [len(page["data"]) for page in pages]
    assert 2345 == len({row["id"] for page in pages for row in page["data"]})
