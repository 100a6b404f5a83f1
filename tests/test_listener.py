"""The inbox on a real socket: TLS, slow and endless senders, and silence."""

import asyncio
import json
import logging
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx
import pytest
import trustme
from inboxes import Inbox

from runner import listener
from runner.errors import InvalidProject, WrongUse
from runner.inbox.settings import Settings
from runner.listener import Listener, refuse_plain_http
from runner.logs.log import SILENT, Log

MESSAGE = b'{"type":"whole"}'


async def hello(_scope, _receive, send):
    """The least application there is."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@contextmanager
def listening(app, settings=None, log=SILENT):
    """A listener that answers while the block runs."""
    made = Listener(app, settings or Settings(port=0), log)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()


def connected(url):
    """A socket that is connected to an address."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def talk(url, *parts, pause=0.0):
    """Send bytes as they are, with pauses between; all that comes back until the other side hangs up."""
    with connected(url) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer


def head(inbox, *more):
    """The headers of a post, to the empty line."""
    lines = ["POST /inbox HTTP/1.1", "Host: x", "Content-Type: application/json", f"X-Api-Key: {inbox.key}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def test_posts_over_one_connection(tmp_path):
    """Messages are taken over a connection that stays open; no answer tells which server it is."""
    with Inbox(tmp_path) as inbox, listening(inbox.app) as made, httpx.Client(base_url=made.url) as client:
        given = {"x-api-key": inbox.key, "content-type": "application/json"}
        answers = [client.post("/inbox", content=MESSAGE, headers=given) for _ in range(3)]
        assert [202] * 3 == [answer.status_code for answer in answers]
        assert "server" not in answers[0].headers


def test_answers_at_once(tmp_path):
    """No answer waits until the peer has confirmed its head, which many do 40 ms later only."""
    with Inbox(tmp_path) as inbox, listening(inbox.app) as made, httpx.Client(base_url=made.url) as client:
        client.get("/healthz")
        (connection,) = made.server_state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_ten_gigabytes(tmp_path):
    """R-WH5: ten gigabytes that are only declared are refused at once, and the connection ends."""
    with Inbox(tmp_path) as inbox, listening(inbox.app) as made:
        answer = talk(made.url, head(inbox, "Content-Length: 10000000000"))
        assert b"HTTP/1.1 413" == answer[:12]
        assert b'{"code":"too_large"}' in answer


def drip(connection):
    """Send a byte now and then, for much longer than anybody would wait."""
    for _ in range(500):
        connection.sendall(b" ")
        time.sleep(0.05)


def test_slow_body(tmp_path):
    """R-WH5: a body that drips is given up after its time, however often a byte arrives."""
    with (
        Inbox(tmp_path, limits={"seconds": 0.2}) as inbox,
        listening(inbox.app) as made,
        connected(made.url) as connection,
    ):
        connection.sendall(head(inbox, "Content-Length: 1000"))
        with pytest.raises(OSError, match=r"pipe|reset"):
            drip(connection)
        assert b"HTTP/1.1 408" == connection.recv(12)


@pytest.mark.parametrize(
    "begun", [b"", b"POST /inbox HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"]
)
def test_slow_headers(monkeypatch, begun):
    """R-WH5: who begins a request and doesn't end its headers is hung up on, at the first as at a later one."""
    monkeypatch.setattr(listener, "HEADER_SECONDS", 0.2)
    with listening(hello) as made:
        assert talk(made.url, begun).count(b"HTTP/1.1 200") == begun.count(b"\r\n\r\n")


def test_endless_headers():
    """R-WH5: headers without end are refused when they are more than a request can need."""
    with listening(hello) as made:
        many = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(32))
        assert b"HTTP/1.1 200" == talk(made.url, b"GET / HTTP/1.0\r\n" + many[:30_000] + b"\r\n\r\n")[:12]
        assert b"HTTP/1.1 400" == talk(made.url, b"GET / HTTP/1.0\r\n" + many + b"X: " + b"x" * 2000 + b"\r\n\r\n")[:12]


@pytest.mark.parametrize(
    "request_line", [b"\x00\x01\x02", b"GET  / HTTP/9.9", b"GET /\xff HTTP/1.1", b"CONNECT a:1 HTTP/1.1"]
)
def test_what_is_no_http(request_line):
    """R-WH8: what is no HTTP gets an answer that echoes nothing of it."""
    with listening(hello) as made:
        answer = talk(made.url, request_line + b"\r\nHost: Canary\r\nConnection: close\r\n\r\n")
        assert b"Canary" not in answer
        assert b"Traceback" not in answer


def test_nothing_is_logged(capfd):
    """R-WH11 R-LG4: at the most verbose setting, neither server nor TLS write a line, least of all the address."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        with listening(hello) as made:
            talk(made.url, b"GET /?secret=Canary HTTP/1.0\r\nAuthorization: Canary\r\n\r\n")
            talk(made.url, b"\x00\r\n\r\n")
    finally:
        root.setLevel(before)
    assert ("", "") == tuple(capfd.readouterr())


def test_what_the_loop_catches(capfd):
    """H41 R-LG4 An error that reaches nobody but asyncio is an event by class and place, and no text of it is shown."""

    def fail():
        raise KeyError("Canary")

    async def careless(scope, receive, send):
        asyncio.get_running_loop().call_soon(fail)
        await hello(scope, receive, send)

    lines = []
    log = Log(lambda _, line: lines.append(line), now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    with listening(careless, log=log) as made:
        talk(made.url, b"GET / HTTP/1.0\r\n\r\n")
    assert " error   unforeseen part=listener type=KeyError file=test_listener.py line=" in lines[0]
    assert "Canary" not in "".join([*lines, *capfd.readouterr()])


@pytest.fixture
def authority():
    """A certificate authority of our own."""
    return trustme.CA()


def certified(authority, folder):
    """Settings with a certificate for 127.0.0.1."""
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(folder / "inbox.key")
    for number, blob in enumerate(made.cert_chain_pems):
        blob.write_to_path(folder / "inbox.pem", append=number > 0)
    return Settings(port=0, certificate=str(folder / "inbox.pem"), private_key=str(folder / "inbox.key"))


def test_https(authority, tmp_path):
    """With a certificate the inbox speaks HTTPS, of TLS 1.2 at least, and no plain HTTP."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with listening(hello, certified(authority, tmp_path)) as made:
        assert made.url.startswith("https://127.0.0.1:")
        assert 200 == httpx.get(made.url, verify=context).status_code
        assert b"200" not in talk(made.url.replace("https", "http"), b"GET / HTTP/1.0\r\n\r\n")
        assert ssl.TLSVersion.TLSv1_2 == made.config.ssl.minimum_version


def test_key_of_another_certificate(authority, tmp_path):
    """A private key that isn't the certificate's stops the service with a sentence."""
    settings = certified(authority, tmp_path)
    authority.issue_cert("127.0.0.1").private_key_pem.write_to_path(settings.private_key)
    with pytest.raises(InvalidProject, match="can't be used together"):
        Listener(hello, settings)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::"])
def test_plain_http_to_others(address):
    """Plain HTTP on another address than loopback is refused, unless a proxy is named."""
    with pytest.raises(InvalidProject, match="plain HTTP"):
        Listener(hello, Settings(address=address, port=0))


def test_plain_http_behind_a_proxy():
    """Behind a proxy that is named, plain HTTP is allowed on any address."""
    assert refuse_plain_http(Settings(address="0.0.0.0", behind_proxy=(ip_network("10.0.0.1"),))) is None


@pytest.mark.parametrize("address", ["somewhere", ""])
def test_no_address(address):
    """An address that is none is refused with a sentence."""
    with pytest.raises(InvalidProject, match="no address"):
        Listener(hello, Settings(address=address, port=0))


def test_port_that_is_taken():
    """A port that another program has, or that is none, is refused with a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WrongUse, match=f"port {port} "):
            Listener(hello, Settings(port=port))
    with pytest.raises(InvalidProject, match="port"):
        Listener(hello, Settings(port=70_000))


def test_answers_under_way_are_given(tmp_path):
    """When it stops, whoever has posted is answered first."""
    with Inbox(tmp_path) as inbox, listening(inbox.app) as made:
        answers = []
        parts = (head(inbox, "Content-Length: 16", "Connection: close"), MESSAGE)
        sender = threading.Thread(target=lambda: answers.append(talk(made.url, *parts, pause=0.3)))
        sender.start()
        time.sleep(0.1)
        made.stop()
        sender.join()
    assert json.loads(answers[0].split(b"\r\n\r\n")[1])["matched"] == 1


@pytest.mark.parametrize("keep_alive", [5, 0.05], ids=["open", "closing"])
def test_idle_peers_hold_up_nothing(authority, tmp_path, keep_alive):
    """H16 When it stops, a peer that keeps its connection open and reads nothing isn't waited for."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with httpx.Client(verify=context) as client:
        made = Listener(hello, certified(authority, tmp_path))
        made.config.timeout_keep_alive = keep_alive
        thread = threading.Thread(target=made.run)
        thread.start()
        client.get(made.url)
        time.sleep(0.3)
        made.stop()
        thread.join(20)
        assert not thread.is_alive()
