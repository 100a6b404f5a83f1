"""One connection to a host, kept open for the next request, and spoken by Python's own `http.client`.

It stands in the place of httpx's pool, whose HTTP (h11) is Python for every byte: that took a seventh of all the CPU of
an exchange (`make bench ONLY=flow`). What httpx is asked for and gives stays the same, down to its errors.
"""

import ssl
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse

import httpcore

_KEPT_OPEN = 30.0  # seconds


class Connection:
    """Carries one request after the other to this host, by TLS where there is a context, each answer read whole.

    `network` opens the sockets. A connection that the host closed meanwhile, or on which anything went wrong, is not
    used again. Not for several threads at once.

    Example: `Connection("primero.example.org", 443, context, httpcore.SyncBackend()).handle_request(request)`
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, network: httpcore.NetworkBackend) -> None:
        self._host = host
        self._port = port
        self._context = context
        if context is not None:
            context.set_alpn_protocols(["http/1.1"])
        self._network = network
        self._stream: httpcore.NetworkStream | None = None
        self._http = HTTPConnection(host, port)
        self._http.auto_open = 0  # it never looks up the host by itself
        self._used = 0.0

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The whole answer.

        Raises httpcore's ConnectError and ConnectTimeout when there was no connection, so that nothing was sent; after
        that ReadTimeout, ReadError, RemoteProtocolError (no HTTP, or an answer cut short), and LocalProtocolError (a
        header that can't be sent).
        """
        patience = request.extensions["timeout"]
        try:
            if not self._still_open():
                self._open(patience["connect"])
            answer, body = self._exchanged(request, patience["read"])
        except BaseException:
            self.close()
            raise
        self._used = time.monotonic()
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        return httpcore.Response(answer.status, headers=headers, content=body)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._http.close()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _still_open(self) -> bool:
        """Whether there is a connection that can be used: one on which something stands to be read was ended by the
        host, or holds what nobody asked for."""
        return (
            self._stream is not None
            and self._http.sock is not None
            and time.monotonic() - self._used < _KEPT_OPEN
            and not self._stream.get_extra_info("is_readable")
        )

    def _open(self, patience: float) -> None:
        self.close()
        self._stream = self._network.connect_tcp(self._host, self._port, timeout=patience)
        if self._context is not None:
            self._stream = self._stream.start_tls(self._context, server_hostname=self._host, timeout=patience)
        self._http.sock = self._stream.get_extra_info("socket")

    def _exchanged(self, request: httpcore.Request, patience: float) -> tuple[HTTPResponse, bytes]:
        try:
            self._http.sock.settimeout(patience)
            self._send(request)
            answer = self._http.getresponse()
            until_the_end = answer.length is None and not answer.chunked
            body = answer.read()
            # For http.client a header may end with the connection: such an answer tells no length, and holds nothing.
            if answer.status < 200 or (until_the_end and not body):
                raise HTTPException("this isn't the whole answer")
            return answer, body
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except HTTPException as error:
            raise httpcore.RemoteProtocolError(type(error).__name__) from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from None

    def _send(self, request: httpcore.Request) -> None:
        method, target = request.method.decode("ascii"), request.url.target.decode("ascii")
        try:
            self._http.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                self._http.putheader(name, value)
        except ValueError as error:
            raise httpcore.LocalProtocolError(type(error).__name__) from None
        body = b"".join(request.stream)  # type: ignore[arg-type]
        # A host may answer before it has heard everything, and hang up (413): its answer is read all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._http.endheaders(body)
