"""One connection after the other (adaptors/connection.py), against hosts that say what no good one would."""

import contextlib
import gzip
import socket
import threading
import time

import pytest

from adaptors import client as client_module
from adaptors import connection
from adaptors.errors import JobError, Rejected, TimedOut, Unreachable
from adaptors.http import Client
from adaptors.runtime import Runtime

YES = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'
SMALL = b'{"a": 1}'


class Host:
    """A server on this machine: each connection gives its answers one by one, each to a whole request, then ends."""

    def __init__(self, *connections):
        self.requests, self.closed = [], threading.Event()
        self._connections = connections
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._listening.close()
        self._thread.join(10)

    def client(self, **settings):
        """Our client for it, to be closed."""
        runtime = Runtime(seed=1)
        runtime.sleep = lambda seconds: None
        credential = {"url": f"http://127.0.0.1:{self.port}"}
        return contextlib.closing(Client("primero", credential, runtime, **settings))

    def ask(self, method="DELETE", **what):
        """One request over a client of its own; what was answered."""
        with self.client() as client:
            return client.send(method, "/x", **what)

    def _serve(self):
        for answers in self._connections:
            with contextlib.suppress(OSError):
                self._serve_one(answers)
            self.closed.set()

    def _serve_one(self, answers):
        with self._listening.accept()[0] as accepted:
            for answer in answers:
                self.requests.append(_request(accepted))
                accepted.sendall(answer)


def _request(accepted):
    """One whole request; its head."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (more := accepted.recv(1)):
            raise ConnectionError("the caller hung up")
        head += more
    length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = sum(length)
    while missing:
        missing -= len(accepted.recv(missing))
    return head


def test_what_is_said():
    """A request names its host, and its body's length; what `http.client` would add by itself isn't there."""
    with Host([YES]) as host:
        host.ask("POST", body={"b": "é"}, headers={"x-key": "k"})

    first, *lines = host.requests[0].decode().splitlines()[:-1]
    assert "POST /x HTTP/1.1" == first
    assert [
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate"),
        ("content-length", "11"),
        ("content-type", "application/json"),
        ("host", f"127.0.0.1:{host.port}"),
        ("user-agent", "primero-progres-bridge"),
        ("x-key", "k"),
    ] == sorted((name.lower(), value) for name, value in (line.split(": ") for line in lines))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5;x=y\r\n\": 1}\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + SMALL,
        b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\n" + SMALL,
        b"HTTP/1.1 200\r\nContent-Length: 8\r\nConnection: close\r\n\r\n" + SMALL,
        b"HTTP/1.1 100 Continue\r\n\r\n" + YES,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(SMALL),
        b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Says: \xd9\x85\xd8\xb1\r\n\r\n" + SMALL,
    ],
    ids=["chunked", "to the end", "HTTP/1.0", "without reason", "continue", "packed", "no ASCII"],
)  # fmt: skip
def test_answers_of_every_sort(answer):
    """An answer is read whole, however its end is told."""
    with Host([answer]) as host:
        assert {"a": 1} == host.ask().body


@pytest.mark.parametrize(("method", "answer"), [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"),
    ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
])  # fmt: skip
def test_answers_without_a_body(method, answer):
    """Where no body belongs, none is waited for, and the connection is used again."""
    with Host([answer, YES]) as host, host.client() as client:
        assert client.send(method, "/x").body is None
        assert {"a": 1} == client.send("DELETE", "/x").body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + SMALL,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n" + SMALL,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + SMALL,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + YES,
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids="nothing,status,header,half a header,short,chunk missing,no chunk,no HTTP,no status,hints,many,long".split(","),
)
def test_no_whole_answer(answer):
    """H4: what is cut short, or no HTTP, is no answer: whether a write took effect is not known."""
    with Host([answer]) as host, pytest.raises(Unreachable) as caught:
        host.ask("POST", body={})

    assert ("connection_lost", True, None) == (caught.value.code, caught.value.unknown, caught.value.status)


def test_a_read_is_asked_again():
    """A read whose answer was cut short is asked again, over another connection."""
    with Host([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + SMALL], [YES]) as host:
        assert {"a": 1} == host.ask("GET").body


def test_a_connection_that_the_host_closed():
    """A connection that the host closed while it was kept is not written to: else a write would be in doubt."""
    with Host([YES], [YES]) as host, host.client() as client:
        client.send("POST", "/x", body={})
        assert host.closed.wait(10)

        assert {"a": 1} == client.send("POST", "/x", body={}).body

    assert 2 == len(host.requests)


def test_more_than_was_asked_for():
    """What a host says beyond its answer is never taken for the next one."""
    other = YES.replace(b'"a"', b'"b"')
    with Host([YES + other], [YES]) as host, host.client() as client:
        client.send("DELETE", "/x")
        assert host.closed.wait(10)

        assert {"a": 1} == client.send("DELETE", "/x").body


def test_a_connection_kept_too_long(monkeypatch):
    """A connection that stood idle for half a minute is not used again: what lies between may have forgotten it."""
    with Host([YES, YES, YES], [YES.replace(b"1}", b"2}")]) as host, host.client() as client:
        answers = [client.send("DELETE", "/x").body["a"] for _ in range(2)]
        later = time.monotonic() + 31
        monkeypatch.setattr(connection.time, "monotonic", lambda: later)
        answers.append(client.send("DELETE", "/x").body["a"])

    assert [1, 1, 2] == answers


def test_an_answer_before_the_end_of_the_request():
    """A host that refuses a body before it has heard all, and hangs up, is believed: nothing is in doubt."""
    refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse():
            with listening.accept()[0] as accepted:
                accepted.recv(1_000)
                accepted.sendall(refused)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        client = Client("primero", {"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}, Runtime(seed=1))
        with contextlib.closing(client), pytest.raises(Rejected) as caught:
            client.send("POST", "/x", body={"photo": "x" * 30_000_000})
        thread.join(10)

    assert 413 == caught.value.status


def test_no_answer_in_time(monkeypatch):
    """A host that says nothing is waited for as long as was agreed; its connection, over which the answer may still
    come, is not used again."""
    monkeypatch.setitem(client_module._PATIENCE["timeout"], "read", 2.0)
    with Host([YES, b"", YES], [YES.replace(b"1}", b"2}")]) as host, host.client() as client:
        client.send("POST", "/x", body={})
        with pytest.raises(TimedOut) as caught:
            client.send("POST", "/x", body={})

        assert caught.value.unknown
        assert {"a": 2} == client.send("POST", "/x", body={}).body


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\n"])
def test_a_header_that_would_be_two(value):
    """H42: no value of a header becomes one of its own, or a request: nothing is sent, which is certain, and the error
    doesn't show it."""
    with Host([YES]) as host, pytest.raises(JobError) as caught:
        host.ask("POST", body={}, headers={"x-key": value})

    assert ("bad_header", []) == (caught.value.code, host.requests)
    assert value not in f"{caught.value} {caught.value.fix}"


def test_a_mocked_network(httpx_mock):
    """What implementers mock by pytest-httpx never leaves this machine."""
    httpx_mock.add_response(url="https://primero.example.org/api/v2/cases", json={"data": []})
    client = Client("primero", {"url": "https://primero.example.org"}, Runtime(seed=1))
    with contextlib.closing(client):
        assert {"data": []} == client.send("GET", "/api/v2/cases").body
