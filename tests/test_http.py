"""The one HTTP client: hosts, repeats, errors without payloads (adaptors/http.py, failures.py, gate.py)."""

import json
import random
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from adaptors import http
from adaptors.client import READ_PATIENCE, READ_REPEATS, Client, client_of
from adaptors.errors import (
    AdaptorError,
    JobError,
    NotAllowed,
    NotFound,
    Rejected,
    TimedOut,
    Unreachable,
)
from adaptors.gate import Gate
from adaptors.runtime import Runtime

CANARY = "-".join(["wood", "pecker"])  # in two pieces, since a traceback shows the test's own lines
CREDENTIAL = {"url": "https://primero.example.org", "user": "integration", "password": CANARY}


class FakeTime(Runtime):
    """A run in virtual time: sleeping moves the clock and is written down."""

    def __init__(self, **more):
        super().__init__(seed=1, **more)
        self.slept = []
        self.clock = 0.0

    def monotonic(self):
        return self.clock

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.clock += seconds


class Server:
    """Answers with what it was given, in order, the last again and again; keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return httpx.Response(status, headers=headers, content=body)


def told(status, body=b"{}", **headers):
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body


def client(server, credential=CREDENTIAL, **options):
    return Client("primero", credential, FakeTime(transport=httpx.MockTransport(server)), **options)


def test_an_answer():
    """A 2xx gives status, parsed body and headers; an empty body is None."""
    server = Server(told(200, '{"data": ["ንያሩት"]}'.encode(), X_Page="1"), told(204, b""))
    ours = client(server)

    answer = ours.send("GET", "/api/v2/cases", query={"per": 20, "name": "a b"})
    assert (200, {"data": ["ንያሩት"]}, "1") == (answer.status, answer.body, answer.headers["x-page"])
    assert "https://primero.example.org/api/v2/cases?per=20&name=a%20b" == str(server.requests[0].url)
    assert None is ours.send("DELETE", "/api/v2/cases/1").body


def test_a_body_is_sent_as_json():
    """A body goes out as UTF-8 JSON; what is no JSON is the job's fault and isn't shown."""
    server = Server(told(200))
    ours = client(server)

    ours.send("POST", "/cases", body={"name": "ንያሩት", "age": None})
    assert ({"name": "ንያሩት", "age": None}, "application/json") == (
        json.loads(server.requests[0].content),
        server.requests[0].headers["content-type"],
    )
    for wrong in (object(), float("nan"), "\ud800"):
        with pytest.raises(JobError, match=r"^POST primero\.example\.org/cases: the body is no JSON \(\w+\)$"):
            ours.send("POST", "/cases", body={"name": wrong})
    assert 1 == len(server.requests)


@pytest.mark.parametrize("path", ["/forms", "/forms?kept=1"])
def test_query_beside_a_query(path):
    """A query is added to one that the path has already."""
    server = Server(told(200))

    client(server).send("GET", path, query=[("per", 1), ("per", 2)])

    assert ["1", "2"] == server.requests[0].url.params.get_list("per")
    assert ("kept" in path) == ("kept" in server.requests[0].url.params)


@pytest.mark.parametrize(
    ("status", "kind", "code", "outcome", "unknown"),
    [
        (400, Rejected, "rejected", "refused", False),
        (401, NotAllowed, "not_allowed", "failed", False),
        (403, NotAllowed, "not_allowed", "failed", False),
        (404, NotFound, "not_found", "parked", False),
        (408, TimedOut, "timed_out", "failed", True),
        (409, Rejected, "rejected", "refused", False),
        (413, Rejected, "rejected", "refused", False),
        (422, Rejected, "rejected", "refused", False),
        (429, Unreachable, "too_many_requests", "failed", False),
        (500, Unreachable, "server_error", "failed", True),
        (502, Unreachable, "server_error", "failed", True),
        (503, Unreachable, "server_error", "failed", True),
    ],
)
def test_errors_by_type(status, kind, code, outcome, unknown):
    """H10: each refusal is an error of its own type; of a write it is said whether it may have taken effect."""
    with pytest.raises(kind) as caught:
        client(Server(told(status))).send("POST", "/cases", body={})

    assert (kind, code, outcome, unknown, status) == (
        type(caught.value), caught.value.code, caught.value.outcome, caught.value.unknown, caught.value.status
    )  # fmt: skip
    assert f"POST primero.example.org/cases answered {status}" == str(caught.value)
    assert caught.value.fix or status == 408


@pytest.mark.parametrize(
    ("error", "kind", "code", "unknown"),
    [
        (httpx.ConnectError("refused"), Unreachable, "unreachable", False),
        (httpx.ConnectTimeout(""), TimedOut, "timed_out", False),
        (httpx.PoolTimeout(""), TimedOut, "timed_out", False),
        (httpx.ReadTimeout(""), TimedOut, "timed_out", True),
        (httpx.WriteTimeout(""), TimedOut, "timed_out", True),
        (httpx.ReadError("reset"), Unreachable, "connection_lost", True),
        (httpx.WriteError("pipe"), Unreachable, "connection_lost", True),
        (httpx.RemoteProtocolError("closed"), Unreachable, "connection_lost", True),
        (httpx.DecodingError("gzip"), Unreachable, "connection_lost", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_no_answer_by_type(error, kind, code, unknown):
    """H10: no connection and no answer in time are told apart; unknown is what was sent, not what never left."""
    with pytest.raises(kind) as caught:
        client(Server(error)).send("POST", "/cases", body={})
    assert (kind, code, unknown) == (type(caught.value), caught.value.code, caught.value.unknown)

    with pytest.raises(kind) as caught:
        client(Server(error)).send("GET", "/cases")
    assert not caught.value.unknown


HTML = f"<p>{CANARY}</p>".encode()
LEAKY = f'{{"name": "{CANARY}"}}'.encode()
LEAKY_ANSWERS = [
    *(told(status, LEAKY, X_A=CANARY, Location=f"/{CANARY}") for status in (302, 400, 401, 403, 404, 422, 429, 500)),
    told(200, HTML),
    httpx.ReadError(CANARY),
    httpx.ConnectError(CANARY),
]


@pytest.mark.parametrize(
    "answer", LEAKY_ANSWERS, ids=lambda answer: str(answer[0] if isinstance(answer, tuple) else type(answer).__name__)
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_errors_without_payload(answer, method):
    """H42: neither the error nor its traceback holds body, query, header or credential, of either side."""
    ours = client(Server(answer), headers={"authorization": http.basic(CREDENTIAL), "x-key": CANARY})

    with pytest.raises(AdaptorError) as caught:
        ours.send(method, "/cases", query={"name": CANARY}, body={"name": CANARY}, headers={"x-b": CANARY})

    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(vars(caught.value))
    assert f"{method} primero.example.org/cases" in shown
    assert CANARY not in shown
    assert http.basic(CREDENTIAL) not in shown


@pytest.mark.parametrize("name", ["Nyaruot", "Ñandú", "Nyaruot Beispiel"])
def test_a_name_in_a_path(name):
    """H42: of a path, words and ids are told; what may be a name, by its length."""
    with pytest.raises(AdaptorError) as caught:
        client(Server(told(404, b""))).send("GET", f"/cases/{name}/referrals/c-1")
    assert f"/cases/({len(name)} characters)/referrals/c-1 answered 404" in str(caught.value)


def test_a_refusal_names_fields_only():
    """H42: of a refusal's body, only the names that `explain` finds are told."""
    server = Server(told(422, b'{"errors": [{"detail": "sex", "value": "x"}]}'))
    ours = client(server, explain=lambda status, body: [error["detail"] for error in body["errors"]])

    with pytest.raises(Rejected, match=r"^PATCH primero\.example\.org/cases/1 answered 422 for sex$") as caught:
        ours.send("PATCH", "/cases/1", body={})

    assert ("sex",) == caught.value.fields


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(method, status):
    """H45: a redirect, even within the host, is an error; nothing goes where it points."""
    server = Server(told(status, Location="https://elsewhere.example.org/"))

    with pytest.raises(Unreachable) as caught:
        client(server).send(method, "/cases")

    assert "redirected" == caught.value.code
    assert {"primero.example.org"} == {request.url.host for request in server.requests}


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.org/cases",
        "https://primero.example.org:8443/cases",
        "http://primero.example.org/cases",
        "https://primero.example.org@elsewhere.example.org/",
        "https://primero.example.org.elsewhere.example.org/",
    ],
)
def test_only_hosts_of_the_credential(url):
    """H45: another host, port or scheme than the credential names is refused before anything is sent."""
    server = Server(told(200))

    with pytest.raises(JobError) as caught:
        client(server).send("GET", url)

    assert ("foreign_host", []) == (caught.value.code, server.requests)


@pytest.mark.parametrize(
    "path", ["//elsewhere.example.org/x", "@elsewhere.example.org/x", "elsewhere.example.org", "\\\\elsewhere"]
)
def test_a_path_stays_on_the_host(path):
    """H45: whatever a path holds, it stays a path below the credential's URL."""
    server = Server(told(200))

    client(server).send("GET", path)

    assert "primero.example.org" == server.requests[0].url.host


def test_every_url_of_the_credential_may_be_asked():
    """Every `url` and `…_url` of a credential counts, in any letter case, and no other key does."""
    credential = {"url": "https://A.example.org", "decision_url": "https://b.example.org/d", "other_url": None}
    credential["password"] = "https://secret.example.org/"
    server = Server(told(200))
    ours = client(server, credential)

    ours.send("GET", "https://a.example.org:443/x")
    ours.send("GET", "https://b.example.org/x")
    with pytest.raises(JobError, match="not a host of the credential"):
        ours.send("GET", "https://secret.example.org/")


@pytest.mark.parametrize("password", ["odd://secret", "http://secret/", "://secret"])
def test_a_password_is_no_address(password):
    """H42: a password that looks like an address is not taken for one, nor told in an error."""
    client(Server(told(200)), {**CREDENTIAL, "password": password}).send("GET", "/cases")


@pytest.mark.parametrize(
    "url", ["http://primero.example.org", "http://10.0.0.1", "ftp://primero.example.org", "primero"]
)
def test_plain_http(url):
    """H45: plain http leaves this machine never; a credential that asks for it is refused."""
    with pytest.raises(JobError) as caught:
        client(Server(told(200)), {"url": url})

    assert "plain_http" == caught.value.code


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost", "[::1]:3000"])
def test_plain_http_on_loopback(host):
    """Plain http is for loopback addresses."""
    assert 200 == client(Server(told(200)), {"url": f"http://{host}"}).send("GET", "/x").status


@pytest.mark.parametrize("letter", ["x", "é"])
def test_long_urls(letter):
    """A URL of 1,000 bytes, as sent, is refused with nothing sent, since the usual proxy refuses 1,024; 999 may go."""
    server = Server(told(200))
    ours, weight = client(server), len(quote(letter))
    start = len("https://primero.example.org/api/v2/cases?q=")
    fits = letter * ((999 - start) // weight)
    query = fits + "x" * (999 - start - len(fits) * weight)

    ours.send("GET", "/api/v2/cases", query={"q": query})
    assert 999 == len(str(server.requests[0].url))

    with pytest.raises(JobError) as caught:
        ours.send("GET", "/api/v2/cases", query={"q": query + "x"})
    assert ("url_too_long", 1) == (caught.value.code, len(server.requests))


@pytest.mark.parametrize(
    "answer",
    [told(429), told(500), told(502), told(200, b"<html>"), httpx.ReadTimeout(""), httpx.ConnectError("")],
    ids=str,
)
def test_reads_are_repeated(answer):
    """A read that can't be answered now is repeated three times, with growing pauses; then it is an error."""
    server = Server(answer)
    ours = client(server)

    with pytest.raises(Unreachable):
        ours.send("GET", "/cases")

    assert 1 + READ_REPEATS == len(server.requests)
    pauses = [pause for pause in ours._runtime.slept if pause >= 1]
    assert 3 == len(pauses)
    assert pauses == sorted(pauses)
    assert sum(pauses) <= READ_PATIENCE


def test_a_read_that_succeeds_at_last():
    """An answer to a repeated read is an answer like any other."""
    server = Server(told(502), httpx.ReadError("reset"), told(429), told(200, b'{"data": 1}'))

    assert {"data": 1} == client(server).send("GET", "/cases").body


@pytest.mark.parametrize(
    "answer", [told(429, Retry_After="1"), told(500), told(200, b"<html>"), httpx.ReadTimeout("")], ids=str
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writes_are_never_repeated(method, answer):
    """H19: a write is sent once; whether again is decided by those who know what was done before."""
    server = Server(answer)

    with pytest.raises(Unreachable):
        client(server).send(method, "/cases/1", body={})

    assert 1 == len(server.requests)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_read_is_not_repeated(status):
    """What was understood and refused isn't asked again."""
    server = Server(told(status))

    with pytest.raises(AdaptorError):
        client(server).send("GET", "/cases")

    assert 1 == len(server.requests)


def test_retry_after_is_honoured():
    """A read waits as long as the far side says."""
    ours = client(Server(told(429, Retry_After="7"), told(503, Retry_After="11"), told(200)))

    ours.send("GET", "/cases")

    assert [7.0, 11.0] == [pause for pause in ours._runtime.slept if pause >= 1]


@pytest.mark.parametrize("wait", ["31", "3600", "9" * 400])
def test_too_long_to_wait_for(wait):
    """What should wait longer than half a minute is left to the worker, which is told for how long."""
    server = Server(told(429, Retry_After=wait))

    with pytest.raises(Unreachable) as caught:
        client(server).send("GET", "/cases")

    assert (1, float(wait)) == (len(server.requests), caught.value.retry_after)


@pytest.mark.parametrize(
    ("dates", "seconds"),
    [
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Retry_After": "Mon, 02 Mar 2026 12:10:00 GMT"}, 600),
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Retry_After": "Mon, 02 Mar 2026 11:00:00 GMT"}, None),
        ({"Retry_After": "Sun, 01 Mar 2026 10:00:30 GMT"}, 30),
        ({"Date": "soon", "Retry_After": "Sun, 01 Mar 2026 10:00:30 -0000"}, 30),
    ],
    ids=["by their clock", "in the past", "by ours", "bad date"],
)
def test_retry_after_as_a_date(dates, seconds):
    """R-DL1: a Retry-After may be a date; it is held against the answer's own, since clocks differ, or against ours."""
    ours = client(Server(told(503, **dates)))
    ours._runtime.now = lambda: datetime(2026, 3, 1, 10, tzinfo=UTC)

    with pytest.raises(Unreachable) as caught:
        ours.send("POST", "/cases")

    assert seconds == caught.value.retry_after


@pytest.mark.parametrize(
    "wait", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Oct 2026 07:28:00 GMT", "Wed, 1 Oct 99999999999"]
)
def test_retry_after_that_can_not_be_read(wait):
    """A Retry-After that is neither a number of seconds nor a date is as good as none."""
    with pytest.raises(Unreachable) as caught:
        client(Server((429, [(b"retry-after", wait.encode())], b""))).send("POST", "/cases")

    assert None is caught.value.retry_after


def test_nothing_more_after_a_401():
    """H10: after a 401 the run stops and nothing more is asked: each wrong password brings a lock nearer."""
    server = Server(told(401), told(200))
    ours = client(server)

    with pytest.raises(NotAllowed) as first:
        ours.send("GET", "/cases")
    with pytest.raises(NotAllowed) as second:
        ours.send("GET", "/cases")

    assert (True, "locked", 1) == (first.value.stops_run, second.value.code, len(server.requests))


def test_what_waits_for_its_turn_is_not_sent_after_a_401():
    """H10: a request that waited while another got its 401 isn't sent any more."""
    waiting, server = threading.Event(), Server(told(401))
    ours = client(lambda request: waiting.wait(30) and server(request), {**CREDENTIAL, "connections": 1})
    gate = ours._runtime.resource(("gate", "primero.example.org:443"), lambda: Gate(40, 1, ours._runtime))
    take_place = gate._places.acquire

    def told_of_second(*args):
        if not take_place(blocking=False):
            waiting.set()  # the second one is at the gate; let the first be answered
            take_place()

    gate._places.acquire = told_of_second
    with ThreadPoolExecutor(2) as pool:
        errors = [sent.exception() for sent in [pool.submit(ours.send, "GET", "/cases") for _ in range(2)]]

    assert {"not_allowed", "locked"} == {error.code for error in errors}
    assert 1 == len(server.requests)


def test_a_403_is_for_one_record():
    """H10: a 403 says something of one record or permission: others are asked."""
    server = Server(told(403), told(200))
    ours = client(server)

    with pytest.raises(NotAllowed) as caught:
        ours.send("GET", "/cases/1")

    assert not caught.value.stops_run
    assert 200 == ours.send("GET", "/cases/2").status


def test_cookies_are_never_sent():
    """A session that a server offers is not taken: each request stands for itself."""
    server = Server(told(200, Set_Cookie="session=s1; Path=/"))
    ours = client(server)

    ours.send("GET", "/one")
    ours.send("GET", "/two")

    assert [False, False] == ["cookie" in request.headers for request in server.requests]


@pytest.mark.parametrize(
    "body", [b"<html>502</html>", b"{", b"\xff\xfe", b"[" * 200_000], ids=["html", "cut", "bytes", "deep"]
)
def test_an_answer_that_is_no_json(body):
    """A 2xx that holds no JSON is no answer; of a write it is unknown whether it took effect."""
    with pytest.raises(Unreachable) as caught:
        client(Server(told(200, body))).send("POST", "/cases", body={})
    assert ("unreadable_answer", True) == (caught.value.code, caught.value.unknown)

    assert None is client(Server(told(200, body)), json_only=False).send("POST", "/cases", body={}).body


@pytest.mark.parametrize("credential_rate", [None, 40, 5])
def test_forty_a_second(credential_rate):
    """At most 40 requests a second to one host, evenly, unless the credential says otherwise."""
    at, runtime = [], FakeTime()
    runtime.transport = httpx.MockTransport(lambda request: at.append(runtime.clock) or httpx.Response(200))
    ours = Client("primero", {**CREDENTIAL, "rate": credential_rate}, runtime)

    for _ in range(200):
        ours.send("GET", "/cases")

    rate = credential_rate or 40
    assert [place / rate for place in range(200)] == pytest.approx(at)


def test_one_gate_per_host():
    """Two credentials for one host share its gate; another host has its own."""
    at, runtime = [], FakeTime()
    runtime.transport = httpx.MockTransport(
        lambda request: at.append((request.url.host, runtime.clock)) or httpx.Response(200)
    )
    narrow = {"url": "https://narrow.example.org", "rate": 10}
    clients = [Client(name, found, runtime) for name, found in (("a", narrow), ("b", narrow), ("c", CREDENTIAL))]

    for ours in clients:
        ours.send("GET", "/cases")

    hosts = ["narrow.example.org", "narrow.example.org", "primero.example.org"]
    assert (hosts, [0.0, 0.1, 0.1]) == ([host for host, _ in at], pytest.approx([when for _, when in at]))


@pytest.mark.parametrize(("connections", "most"), [(None, 8), (3, 3)])
def test_eight_in_flight(connections, most):
    """At most eight requests are on their way at a time, unless the credential says otherwise."""
    lock, now, highest = threading.Lock(), [], []
    full = threading.Barrier(most, timeout=30)

    def answer(request):
        with lock:
            now.append(1)
            highest.append(len(now))
        full.wait()  # all places are taken together, each round
        with lock:
            now.pop()
        return httpx.Response(200)

    ours = Client("primero", {**CREDENTIAL, "connections": connections}, Runtime(transport=httpx.MockTransport(answer)))
    ours._runtime.sleep = lambda seconds: None
    with ThreadPoolExecutor(most * 2) as pool:
        assert [200] * most * 2 == [
            answer.status for answer in pool.map(lambda _: ours.send("GET", "/x"), range(most * 2))
        ]

    assert most == max(highest)


def test_jitter_comes_from_the_run():
    """Pauses are spread by the run's own chance, so that many don't come back at the same moment."""
    runs = []
    for seed in (1, 1, 2):
        ours = client(Server(told(500)))
        ours._runtime.random = random.Random(seed)
        with pytest.raises(Unreachable):
            ours.send("GET", "/cases")
        runs.append([pause for pause in ours._runtime.slept if pause >= 1])

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def begin(server, **more):
    return {
        "configuration": {"kobo": {"url": "https://kobo.example.org/base", "token": "t-1"}},
        "runtime": FakeTime(transport=httpx.MockTransport(server)),
        **more,
    }


@pytest.mark.parametrize(
    ("operation", "method", "sent"),
    [
        (http.get("/f", credential="kobo", query={"limit": 1}), "GET", b""),
        (http.post("/f", {"a": 1}, credential="kobo"), "POST", b'{"a": 1}'),
        (
            http.put(lambda state: "/f", lambda state: state["data"], credential="kobo", fields=["b"]),
            "PUT",
            b'{"b": 2}',
        ),
        (http.patch("/f", {"a": None}, credential="kobo"), "PATCH", b'{"a": null}'),
        (http.delete("/f", credential="kobo"), "DELETE", b""),
        (http.request("post", "/f", credential="kobo", body=[1]), "POST", b"[1]"),
    ],
    ids=["get", "post", "put", "patch", "delete", "request"],
)
def test_a_third_system(operation, method, sent):
    """For a system without adaptor there are plain operations: `data` becomes its JSON, `response` its status."""
    server = Server(told(201, b'{"x": 1}'))

    after = operation(begin(server, data={"b": 2}))

    assert ({"x": 1}, {"status": 201}) == (after["data"], after["response"])
    (request,) = server.requests
    assert (method, "/base/f", sent, "Bearer t-1") == (
        request.method, request.url.path, request.content, request.headers["authorization"]
    )  # fmt: skip


def test_a_third_system_in_a_dry_run():
    """In a dry run reads are made, and writes are noted as names of fields only."""
    server, noted = Server(told(200)), []
    state = begin(server, dry_run=noted, data={"sex": "female"})

    http.post("/f", {"sex": "female", "age": 9}, credential="kobo")(state)
    assert ([{"system": "kobo", "action": "post /f", "fields": ["age", "sex"]}], []) == (noted, server.requests)

    http.get("/f", credential="kobo")(state)
    assert 1 == len(server.requests)


def test_a_third_system_with_user_and_password():
    """User and password become HTTP Basic."""
    server = Server(told(200))
    state = begin(server, configuration={"x": {"url": "https://x.example.org", "user": "a", "password": "b"}})

    http.get("/f", credential="x")(state)

    assert "Basic YTpi" == server.requests[0].headers["authorization"]


def test_body_with_a_bare_function():
    """A bare function in a body's mapping is refused when the job is loaded."""
    with pytest.raises(JobError, match="bare function"):
        http.post("/f", {"sex": str.upper}, credential="kobo")


def test_no_such_credential():
    """A credential that isn't there is named, with where to write it."""
    with pytest.raises(JobError, match="no credential named kobo") as caught:
        http.get("/f", credential="kobo")({"configuration": {}})

    assert ("no_credential", True) == (caught.value.code, "project.yaml" in caught.value.fix)


def test_one_client_for_a_credential_and_run():
    """The client is made once a run, kept off the state, and closed with the runtime."""
    made, closed, state = [], [], begin(Server(told(200)))
    state["runtime"].transport.close = lambda: closed.append("its connections")

    def make(credential, runtime):
        made.append(Client("kobo", credential, runtime))
        return made[-1]

    assert http.client_of(state, "kobo", make) is http.client_of(dict(state), "kobo", make)
    assert {"configuration", "runtime"} == set(state)
    state["runtime"].close()
    assert (1, ["its connections"]) == (len(made), closed)


def test_two_adaptors_with_one_credential():
    """Each adaptor has a client of its own sort, also where another one uses the same credential."""
    state = begin(Server(told(200)))
    ours = client_of(state, "kobo", lambda credential, runtime: [credential])

    assert 200 == http.get("/f", credential="kobo")(state)["response"]["status"]
    assert isinstance(ours, list)


def test_credential_that_rests():
    """R-DL1: nothing is asked with a credential that rests; the error says for how long."""
    server = Server(told(200))
    state = begin(server, resting={"kobo": "2026-03-01T10:30:00+00:00"})
    state["runtime"].now = lambda: datetime(2026, 3, 1, 10, tzinfo=UTC)

    with pytest.raises(Unreachable, match="kobo was refused, and rests") as caught:
        http.get("/f", credential="kobo")(state)

    assert ("resting", 1800, False, []) == (
        caught.value.code, caught.value.retry_after, caught.value.unknown, server.requests,
    )  # fmt: skip
