"""Webhooks over real sockets and TLS: what is posted, how it is signed, and what a refusal is called."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from runner import credentials
from runner.alerts.conditions import Condition
from runner.alerts.delivery import NotDelivered
from runner.alerts.notice import Notice
from runner.alerts.webhook import Webhook
from runner.errors import InvalidCredential

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTICE = Notice("alert", "gambella", NOON, "office", 7, [Condition("given_up", "sort", "unreachable", "error")])
SECRET = "not guessed by anybody at all"


class Listener:
    """An HTTPS server of a test; it answers with this status, and keeps what was posted."""

    def __init__(self, authority, status=204, *, headers=(), name="localhost"):
        self.got = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((self.path, dict(self.headers), body))
                self.send_response(status)
                for header in headers:
                    self.send_header(*header)
                self.end_headers()

            def log_message(self, *_):
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def authority():
    """An authority that nobody but these tests believes."""
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path):
    """The file of the authority, as a credential names it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def hook(port, trusted, **more):
    """The way to a program at this port."""
    told = {"url": f"https://localhost:{port}/hooks/bridge?to=1", "secret": SECRET, "ca_file": trusted}
    return Webhook(credentials.resolve({**told, **more}, Path()))


def test_a_post(authority, trusted):
    """What is posted is the notice as JSON, signed so that the far side can tell that it is ours and is whole."""
    with Listener(authority) as listener:
        assert "204" == hook(listener.port, trusted).send(NOTICE)
    ((path, headers, body),) = listener.got
    assert "/hooks/bridge?to=1" == path
    stamp = str(int(NOON.timestamp()))
    signed = hmac.new(SECRET.encode(), f"{NOTICE.id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    assert (NOTICE.id, stamp, f"v1,{base64.b64encode(signed).decode()}") == (
        headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"],
    )  # fmt: skip
    document = json.loads(body)
    assert ("alert", "gambella", 7, "given_up") == (
        document["kind"], document["project"], document["number"], document["began"][0]["code"],
    )  # fmt: skip
    assert not hmac.compare_digest(signed, hmac.new(b"other", body, hashlib.sha256).digest())


@pytest.mark.parametrize("status", [200, 202, 204])
def test_taken(authority, trusted, status):
    """Any 2xx means that it was taken."""
    with Listener(authority, status) as listener:
        assert str(status) == hook(listener.port, trusted).send(NOTICE)


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500])
def test_refused(authority, trusted, status):
    """H45: anything else means that it wasn't, also a redirect, which isn't followed."""
    elsewhere = [("location", "https://elsewhere.example.org/")]
    with Listener(authority, status, headers=elsewhere) as listener, pytest.raises(NotDelivered) as caught:
        hook(listener.port, trusted).send(NOTICE)
    assert ("rejected", 1) == (caught.value.code, len(listener.got))
    assert str(status) in str(caught.value)


def test_who_is_believed(authority, trusted):
    """R-TL3 H44: a server of another name, or of an authority that nobody named, hears nothing."""
    for name, known in (("other.example.org", trusted), ("localhost", "")):
        with Listener(authority, name=name) as listener, pytest.raises(NotDelivered) as caught:
            hook(listener.port, trusted, ca_file=known).send(NOTICE)
        assert ("tls_failed", []) == (caught.value.code, listener.got)


def test_private_addresses(authority, trusted, monkeypatch):
    """H45 R-LP2: a host whose name leads into the private network is asked nothing."""
    with Listener(authority, name="hooks.example.org") as listener:
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", listener.port))])
        way = hook(listener.port, trusted, url=f"https://hooks.example.org:{listener.port}/")
        with pytest.raises(NotDelivered) as caught:
            way.send(NOTICE)
    assert ("private_address", []) == (caught.value.code, listener.got)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"url": "http://127.0.0.1/hook"}, "no https address"),
        ({"url": "hooks.example.org"}, "no https address"),
        ({"url": ""}, "lacks url"),
        ({"secret": "short"}, "too short"),
        ({"secret": None}, "lacks secret"),
    ],
)
def test_credential_that_will_not_do(wrong, told):
    """H44: without TLS, or with a secret that can be guessed, nothing is posted."""
    with pytest.raises(InvalidCredential, match=told):
        Webhook(credentials.resolve({"url": "https://hooks.example.org/", "secret": SECRET, **wrong}, Path()))
