"""Inbox and console on a socket: uvicorn with httptools, TLS, and bounded time and room for headers (R-WH5)."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runner.errors import InvalidProject, WrongUse
from runner.inbox.settings import Settings
from runner.logs.faults import place_of
from runner.logs.log import SILENT, Log
from runner.logs.silence import silence

HEADER_SECONDS = 10.0
HEADER_BYTES = 32_768
_CONNECTIONS = 1000
_LAST_ANSWERS = 30  # seconds that answers under way may take when the service stops
_FAREWELL = 1.0  # seconds for a peer that is idle to end TLS in order when the service stops


class Deaf:
    """In place of a listener, where this process has no inbox: `run()` lasts until `stop()`."""

    url = None

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def run(self) -> None:
        """Wait."""
        self._stopped.wait()

    def stop(self) -> None:
        """End `run()`."""
        self._stopped.set()


class Listener(uvicorn.Server):
    """Answers with `app` at the address of the settings, from `run()` until `stop()`.

    The socket is open when it is made; `url` tells its port. Raises InvalidProject where plain HTTP or the certificate
    is refused, and WrongUse where the address is taken.
    """

    def __init__(self, app: ASGIApp, settings: Settings, log: Log = SILENT) -> None:
        refuse_plain_http(settings)
        tls = _tls(settings)
        self._listening = _bound(settings)
        self._log = log
        super().__init__(_config(app, tls))
        host, port = self._listening.getsockname()[:2]
        self.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until `stop()` is called; then those who are connected get their answers.

        Whatever uvicorn, asyncio or TLS would log meanwhile holds addresses and headers: it is dropped (R-LG4).
        """
        with silence():
            super().run([self._listening])

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does; what asyncio would log of an error that nothing caught becomes an event."""
        asyncio.get_running_loop().set_exception_handler(self._caught)
        await super().serve(sockets)

    async def main_loop(self) -> None:
        """As uvicorn does, but half as often: a service that has nothing to do should cost next to nothing."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 2) % 864_000
            await asyncio.sleep(0.2)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer in a thread of its own while the block runs."""
        thread = threading.Thread(target=self.run, name="listener")
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join()

    def _caught(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._log.write("unforeseen", part="listener", **(place_of(error) if error else {}))

    def stop(self) -> None:
        """End `run()`; may be called from a signal handler or another thread."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The service minds the signals itself, since more than this has to stop."""
        yield


def _config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_ANSWERS,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )


class _Protocol(HttpToolsProtocol):
    """Hangs up on who takes too long over the headers, and refuses headers that are too many."""

    _patience: asyncio.TimerHandle | None = None
    _read = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if not self.transport.is_closing():  # closed once more, asyncio would forget how to abort it
            super().shutdown()
        if idle:  # the peer may read nothing, and so never answer the end of TLS, for which asyncio waits half a minute
            self.loop.call_later(_FAREWELL, self.transport.abort)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._read = 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._arrived()
        super().on_headers_complete()

    def _count(self, *parts: bytes) -> None:
        self._read += sum(map(len, parts))
        if self._read > HEADER_BYTES:
            raise ValueError  # which the parser takes for a request that is wrong

    def _wait(self) -> None:
        self._arrived()
        self._patience = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _arrived(self) -> None:
        if self._patience:
            self._patience.cancel()


def refuse_plain_http(settings: Settings) -> None:
    """Raise InvalidProject where messages would travel in clear beyond this machine and its proxy.

    >>> refuse_plain_http(Settings(address="127.0.0.1"))
    """
    try:
        loopback = settings.address == "localhost" or ip_address(settings.address).is_loopback
    except ValueError:
        fix = "Write one of this machine's, or 0.0.0.0."
        raise InvalidProject(f"{settings.table}: address is no address", fix=fix) from None
    if not (loopback or settings.certificate or settings.behind_proxy):
        raise InvalidProject(
            f"{settings.table}: plain HTTP is for this machine only (127.0.0.1)",
            fix="Give certificate and private_key, or name the proxy that ends TLS: behind_proxy.",
        )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate, settings.private_key, password=lambda: b"")
    except (ssl.SSLError, OSError):
        fix = "Both are PEM files, the key has no password, and it is that of the certificate."
        raise InvalidProject(f"{settings.table}: certificate and private_key can't be used together", fix=fix) from None
    return context


def _bound(settings: Settings) -> socket.socket:
    if not 0 <= settings.port <= 65_535:
        raise InvalidProject(f"{settings.table}: port is none", fix="Write a number up to 65535.")
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    try:
        listening = socket.create_server((settings.address, settings.port), family=family, backlog=1024)
        # Head and body of an answer are written one by one, and without this the body would wait until the peer has
        # confirmed the head, 40 ms as a rule. asyncio sets it only where a socket names TCP, as those of Python don't.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise WrongUse(
            f"port {settings.port} of {settings.address} can't be listened at: {error.strerror}",
            fix=f"Another program may have it; choose another: port, in the project file's table {settings.table}.",
        ) from None
