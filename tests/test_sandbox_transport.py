"""The sandbox without sockets."""

import httpx
import pytest

from adaptors.sandbox import Fault, Sandbox
from adaptors.sandbox.transport import SandboxTransport
from adaptors.sandbox.wire import Response, json_response


def client_of(sandbox, **settings):
    """A client logged in to the sandbox's Primero."""
    primero = sandbox.configuration["primero"]
    auth = (primero["user"], primero["password"])
    return httpx.Client(transport=sandbox.transport, base_url=primero["url"], auth=auth, **settings)


def test_the_credentials_lead_to_both_stand_ins():
    """With the sandbox's transport and configuration Primero lists its cases and DTP takes a referral."""
    sandbox = Sandbox(cases=3)
    progres = sandbox.configuration["progres"]
    key = {"Ocp-Apim-Subscription-Key": progres["subscription_key"]}

    with client_of(sandbox) as client:
        listed = client.get("/api/v2/cases", params={"per": 2})
        posted = client.post(progres["referral_url"], json={"id": "c#1"}, headers=key)

    assert 3 == listed.json()["metadata"]["total"]
    assert 200 == posted.status_code
    assert {("c#1",): {"id": "c#1"}} == sandbox.dtp.effects


def test_a_request_arrives_as_it_was_sent():
    """Encoded path, query, body and headers in lower case come to the stand-in."""
    seen = []
    transport = SandboxTransport({"a.test": lambda request: seen.append(request) or json_response(200, {})})

    httpx.Client(transport=transport).patch("https://a.test/x%20y?k[0]=%2B", content=b"body", headers={"X-A": "b"})

    (request,) = seen
    assert ("PATCH", "/x%20y", "k[0]=%2B", b"body") == (request.method, request.path, request.query, request.body)
    assert "b" == request.headers["x-a"]


def test_other_hosts_are_out_of_reach():
    """Nothing but the stand-ins can be reached through the sandbox's transport."""
    with client_of(Sandbox()) as client, pytest.raises(httpx.ConnectError):
        client.get("https://elsewhere.sandbox.test/")


@pytest.mark.parametrize(("kind", "error"), [("reset", httpx.ReadError), ("time_out", httpx.ReadTimeout)])
def test_broken_connections_are_errors_of_httpx(kind, error):
    """A reset and a time-out look to the caller as they would on a socket."""
    sandbox = Sandbox()
    sandbox.faults.add(Fault(kind))

    with client_of(sandbox) as client:
        with pytest.raises(error):
            client.get("/api/v2/cases")
        assert 200 == client.get("/api/v2/cases").status_code


def test_latency_is_slept_or_times_out():
    """A delay is slept where the caller has patience, and is a time-out at once where it has not."""
    slept = []
    transport = SandboxTransport({"a.test": lambda request: Response(204, delay=3.0)}, sleep=slept.append)
    client = httpx.Client(transport=transport, base_url="https://a.test")

    assert 204 == client.get("/", timeout=10).status_code
    with pytest.raises(httpx.ReadTimeout):
        client.get("/", timeout=2)
    assert [3.0] == slept


def test_a_profile_that_is_not_known_is_refused():
    """The sandbox plays certain versions of Primero only."""
    with pytest.raises(KeyError):
        Sandbox(profile="1.0")
