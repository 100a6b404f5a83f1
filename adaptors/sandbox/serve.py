"""Real listeners on 127.0.0.1 around a stand-in: HTTP/1.1 with keep-alive, TLS where wanted, and faults acted on.

One thread per connection. Only what the stand-in answers is sent: no `Date` and no `Server`, as Primero's application
server sends none (primero-api §15).
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from http.client import responses
from typing import Self

import httptools

from adaptors.sandbox.wire import CLIENT_CERTIFICATE, Answer, Request, Response, text_response

LONGEST_HOLD = 300.0  # seconds that an idle connection, or one that a fault keeps without an answer, stays open
_AT_ONCE = 256 * 1024  # bytes read from a socket at a time


class Listener:
    """A stand-in that listens on 127.0.0.1 until it is closed; port 0 takes any that is free.

    With `tls` it speaks HTTPS. Where that context demands client certificates, the SHA-1 of the one presented comes to
    the stand-in as the header `CLIENT_CERTIFICATE`. Raises OSError when the port is taken.

    Example: `with Listener(primero.answer) as listener: httpx.get(listener.url + "/health/api")`
    """

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._answer = answer
        self._tls = tls
        self._closing = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="sandbox", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening, drop every connection, and wait until nothing runs any more."""
        if self._closing.is_set():
            return
        self._closing.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that accepts
        self._thread.join()
        self._socket.close()
        for connection, thread in list(self._open.items()):
            _hang_up(connection)
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing.is_set():
                connection.close()
                return
            try:
                self._welcome(connection)
            except OSError:
                connection.close()  # the caller went away at once

    def _welcome(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST_HOLD)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=self._serve, name="sandbox", args=(connection,), daemon=True)
        self._open[connection] = thread
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._talk(connection)
        except OSError:
            pass  # the caller went away or presented no certificate, which is no matter of the stand-in
        finally:
            connection.close()
            self._open.pop(connection)

    def _talk(self, connection: socket.socket) -> None:
        reader = _Reader(_presented(connection))
        while data := connection.recv(_AT_ONCE):
            try:
                requests = reader.feed(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                connection.sendall(_encoded(text_response(400, "Bad Request\n"), with_body=True))
                return
            for request in requests:
                if not self._replied(connection, request, self._answer(request)):
                    return
            if reader.last_one:
                return

    def _replied(self, connection: socket.socket, request: Request, response: Response) -> bool:
        """Sends the response, or does what a fault wants instead; False where the connection is to end."""
        self._closing.wait(response.delay)
        if response.broken == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif response.broken == "time_out":
            connection.recv(1)  # comes back when the caller gives up, or after LONGEST_HOLD
        else:
            connection.sendall(_encoded(response, with_body=request.method != "HEAD"))
        return not response.broken


class _Reader:
    """Makes requests of the bytes of one connection."""

    def __init__(self, peer: dict[str, str]) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._peer = peer
        self._complete: list[Request] = []
        self.last_one = False

    def feed(self, data: bytes) -> list[Request]:
        """The requests that are complete with these bytes. Raises the errors of httptools."""
        self._parser.feed_data(data)
        complete, self._complete = self._complete, []
        return complete

    def on_message_begin(self) -> None:
        self._url, self._body = b"", bytearray()
        self._headers = dict(self._peer)

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("ascii")
        self._complete.append(Request(method, path, query, self._headers, bytes(self._body)))
        self.last_one = not self._parser.should_keep_alive()


def _presented(connection: socket.socket) -> dict[str, str]:
    """Shakes hands where there is TLS, and tells the certificate that was presented."""
    if not isinstance(connection, ssl.SSLSocket):
        return {}
    connection.do_handshake()
    certificate = connection.getpeercert(binary_form=True)
    return {CLIENT_CERTIFICATE: hashlib.sha1(certificate).hexdigest().upper()} if certificate else {}


def _encoded(response: Response, *, with_body: bool) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status not in (204, 304):
        lines.append(f"Content-Length: {len(response.body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + response.body if with_body else head


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have ended by itself
        # Past SSLSocket.shutdown, which would take the TLS layer away from the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
