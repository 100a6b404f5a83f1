"""The listeners, with real sockets and real TLS."""

import re
import socket
import ssl
import threading
import time

import httpx
import pytest

from adaptors.sandbox.authority import Authority
from adaptors.sandbox.dtp import PRIMARY_KEY, REFERRALS, THUMBPRINT_HEADER, Dtp
from adaptors.sandbox.faults import Fault, Faults, with_faults
from adaptors.sandbox.serve import Listener
from adaptors.sandbox.wire import empty_response, json_response
from tests.threads import alive


def told(request):
    """Answers with what it was asked."""
    return json_response(200, [request.method, request.path, request.query, len(request.body), dict(request.headers)])


def client_context(authority, tmp_path, identity=None):
    """A client that trusts the authority, with a certificate where one is given."""
    context = ssl.create_default_context(cadata=authority.certificate_pem.decode())
    if identity:
        pem = tmp_path / "client.pem"
        pem.write_bytes(identity.key_pem + identity.certificate_pem)
        context.load_cert_chain(pem)
    return context


def post_referral(listener, context, thumbprint):
    """One referral, as the adaptor posts it."""
    headers = {"Ocp-Apim-Subscription-Key": PRIMARY_KEY, THUMBPRINT_HEADER: thumbprint}
    return httpx.post(
        f"{listener.url}/{REFERRALS}", json={"id": "c#1"}, headers=headers, verify=context, trust_env=False
    )


def test_a_request_arrives_as_it_was_sent():
    """Method, encoded path, query, body and headers in lower case come to the stand-in, over one connection."""
    with Listener(told) as listener, httpx.Client(trust_env=False) as client:
        first = client.post(f"{listener.url}/a%20b?x=1&y[0]=%2B", content=b"n" * 300_000, headers={"X-Some": "Thing"})
        second = client.get(f"{listener.url}/")

    assert ["POST", "/a%20b", "x=1&y[0]=%2B", 300_000] == first.json()[:4]
    assert "Thing" == first.json()[4]["x-some"]
    assert ["GET", "/", "", 0] == second.json()[:4]


def test_nothing_is_added_to_the_headers():
    """primero-api §15: the application server sends no Date; nor does the sandbox, and no Server either."""
    with Listener(lambda request: json_response(200, {}, {"ETag": "x"})) as listener:
        response = httpx.get(listener.url, trust_env=False)

    assert {"content-type", "etag", "content-length"} == set(response.headers)


def test_connections_are_kept():
    """Many requests go over one connection, so that it is not the sandbox that a measurement measures."""
    with Listener(told) as listener, socket.create_connection(("127.0.0.1", listener.port)) as connection:
        for _ in range(3):
            connection.sendall(b"GET /again HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_two_requests_in_one_packet_get_two_answers():
    """Requests that arrive together are answered in order; the connection ends where the caller says so."""
    together = b"GET /1 HTTP/1.1\r\nHost: s\r\n\r\nGET /2 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"
    with Listener(told) as listener, socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(together)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert [b"/1", b"/2"] == re.findall(rb'"GET","(/.)"', answers)


def test_what_is_no_http_gets_400():
    """Garbage is answered with 400 and the end of the connection."""
    with Listener(told) as listener, socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(b"garbage\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_head_and_204_have_no_body():
    """HEAD gets the headers of a GET only, and an empty answer has no length."""

    def answer(request):
        return empty_response(204) if request.path == "/empty" else told(request)

    with Listener(answer) as listener, httpx.Client(base_url=listener.url, trust_env=False) as client:
        head, empty, after = client.head("/"), client.get("/empty"), client.get("/")

    assert (200, b"") == (head.status_code, head.content)
    assert int(head.headers["content-length"]) > 0
    assert (204, {}) == (empty.status_code, dict(empty.headers))
    assert 200 == after.status_code


def test_a_certificate_of_ours_with_its_thumbprint_is_let_in(tmp_path):
    """DTP takes a post over TLS from the holder of the client certificate who tells its thumbprint."""
    authority, dtp = Authority(), Dtp()
    identity = authority.client()
    tls = authority.server_context(authority.server(), demand_client=True)

    with Listener(dtp.answer, tls=tls) as listener:
        right = post_referral(listener, client_context(authority, tmp_path, identity), identity.thumbprint)
        wrong = post_referral(listener, client_context(authority, tmp_path, identity), "00" * 20)

    assert (200, 403) == (right.status_code, wrong.status_code)
    assert [("c#1",)] == list(dtp.effects)


def test_the_handshake_demands_the_client_certificate(tmp_path):
    """Without a client certificate, or with a stranger's, no request reaches DTP."""
    authority, dtp = Authority(), Dtp()
    tls = authority.server_context(authority.server(), demand_client=True)
    stranger = Authority().client()

    with Listener(dtp.answer, tls=tls) as listener:
        for identity in (None, stranger):
            with pytest.raises(httpx.TransportError):
                post_referral(listener, client_context(authority, tmp_path, identity), stranger.thumbprint)

    assert [] == dtp.received


def test_the_servers_certificate_is_checked_against_the_authority(tmp_path):
    """A client that does not know the authority of this run refuses to talk."""
    authority = Authority()
    with Listener(told, tls=authority.server_context(authority.server())) as listener:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(listener.url, verify=client_context(Authority(), tmp_path), trust_env=False)
        assert 200 == httpx.get(listener.url, verify=client_context(authority, tmp_path), trust_env=False).status_code


def test_tls_older_than_1_2_is_refused():
    """The stand-ins speak TLS 1.2 or newer only."""
    authority = Authority()

    assert ssl.TLSVersion.TLSv1_2 == authority.server_context(authority.server()).minimum_version


@pytest.mark.parametrize("tls", [False, True])
def test_a_reset_drops_the_connection_and_the_next_request_is_answered(tls, tmp_path):
    """A reset comes to the caller as a lost connection; afterwards the stand-in is there again."""
    authority = Authority()
    context = authority.server_context(authority.server()) if tls else None
    client = httpx.Client(verify=client_context(authority, tmp_path), trust_env=False)

    with Listener(with_faults(told, Faults(Fault("reset"))), tls=context) as listener, client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get(listener.url)
        assert 200 == client.get(listener.url).status_code


def test_a_time_out_keeps_the_caller_waiting():
    """A time-out gives no answer for as long as the caller waits."""
    with Listener(with_faults(told, Faults(Fault("time_out")))) as listener, pytest.raises(httpx.ReadTimeout):
        httpx.get(listener.url, timeout=httpx.Timeout(5, read=0.05), trust_env=False)


def test_latency_delays_the_answer():
    """An answer with a delay comes after the caller's shorter patience, and in time for a longer one."""
    faults = Faults(Fault("latency", count=2, seconds=0.2))
    with Listener(with_faults(told, faults)) as listener:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(listener.url, timeout=httpx.Timeout(5, read=0.02), trust_env=False)
        assert 200 == httpx.get(listener.url, timeout=5, trust_env=False).status_code


def test_closing_ends_everything():
    """After close nobody listens, idle and waiting connections are dropped, and no thread is left."""
    before = alive("sandbox")
    faults = Faults(Fault("time_out", path="/hang"), Fault("latency", path="/slow", seconds=60))
    listener = Listener(with_faults(told, faults))
    connections = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(3)]
    for connection, path in zip(connections, (b"/hang", b"/slow", b"/"), strict=True):
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: s\r\n\r\n")
    assert connections[2].recv(65536)

    listener.close()

    assert before == alive("sandbox")
    for connection in connections:
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port))


def test_closing_waits_for_an_answer_that_is_being_made():
    """After close the stand-in is at work on nothing any more, not even on what began before."""
    begun, made = threading.Event(), []

    def make(request):
        begun.set()
        time.sleep(0.2)  # the longer, the surer this fails if nobody waits; it passes however long it takes
        made.append(request.path)
        return told(request)

    listener = Listener(make)
    with socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: s\r\n\r\n")
        assert begun.wait(60)
        listener.close()
        assert ["/long"] == made


def test_a_port_that_is_taken_is_told():
    """Two listeners can't have one port."""
    with Listener(told) as listener, pytest.raises(OSError, match="in use"):
        Listener(told, port=listener.port)
