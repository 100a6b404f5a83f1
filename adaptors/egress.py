"""Where a connection may lead: to a public address, or to one that the credential allows by name (H45).

A host is named in the credential, but the network's name service says where that is. What it says is looked at, and
the connection made to the very address that was looked at, so that the name can't mean another a moment later.
"""

import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx

from adaptors.connection import Connection
from adaptors.errors import JobError, Unreachable
from adaptors.failures import connection_error

Address = IPv4Address | IPv6Address

# Public by their number, and yet they answer machines of a cloud with what only those should know.
_FOR_MACHINES = (ip_address("168.63.129.16"),)
_TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last four bytes (RFC 6052)
_PATIENCE, _MOMENT = 10.0, 0.5  # seconds
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class OutwardTransport(httpx.BaseTransport):
    """Carries requests over the network, to addresses that are allowed; each answer is read whole.

    `addresses` are those of the credential, such as `10.20.0.7, 10.30.0.0/16`: private ones that its hosts may have.
    Raises JobError when they can't be read, and Unreachable with the code `private_address`, before a connection is
    made, where a host has another. How many requests are under way at once is for the caller to bound.

    >>> OutwardTransport(ssl.create_default_context(), addresses="10.20.0.0/16").close()
    """

    def __init__(self, context: ssl.SSLContext, *, addresses: str = "") -> None:
        self._context = context
        self._network = _Guarded(_networks(addresses))
        self._lines: list[_Line] = []
        self._idle: defaultdict[tuple[str, str, int | None], deque[_Line]] = defaultdict(deque)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The whole answer. Raises httpx.RequestError.

        A request has a line of its own: one pool for all would look at each of its connections, twice for each request.
        """
        idle = self._idle[request.url.scheme, request.url.host, request.url.port]
        try:
            line = idle.pop()  # the one used last, whose connection is most likely still open
        except IndexError:
            line = self._line(request.url)
        try:
            response = line.handle_request(request)
            response.read()
            return response
        finally:
            idle.append(line)

    def close(self) -> None:
        """Close the connections."""
        for line in self._lines:
            line.close()

    def _line(self, url: httpx.URL) -> "_Line":
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        host = url.raw_host.decode("ascii")
        line = _Line(Connection(host, port, self._context if secure else None, self._network))
        self._lines.append(line)
        return line


class _Line(httpx.HTTPTransport):
    """What httpx itself sends by, over one connection in the place of its pool."""

    def __init__(self, connection: Connection) -> None:
        self._pool = connection  # type: ignore[assignment]


def opened(host: str, port: int, context: ssl.SSLContext | None, *, addresses: str = "") -> dict[str, Any] | None:
    """Open a connection, by TLS where there is a context, and close it; the certificate that the server showed.

    Nothing is sent. Under TLS 1.3 a server refuses a client's certificate only after the handshake: so it is given a
    moment to. Raises Unreachable as `failures.connection_error` tells it.

    >>> opened("localhost", 443, ssl.create_default_context())["notAfter"]  # doctest: +SKIP
    'Mar  1 00:00:00 2027 GMT'
    """
    try:
        stream = _Guarded(_networks(addresses)).connect_tcp(host, port, timeout=_PATIENCE)
        try:
            stream = stream.start_tls(context, server_hostname=host, timeout=_PATIENCE) if context else stream
            shown: dict[str, Any] | None = stream.get_extra_info("ssl_object").getpeercert() if context else None
            if context:
                with suppress(httpcore.ReadTimeout):
                    stream.read(1, timeout=_MOMENT)
            return shown
        finally:
            stream.close()
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ReadError) as error:
        raise connection_error(httpx.ConnectError(str(error)), f"{host}, port {port}", writes=False) from None


def may_be_reached(address: Address, host: str, networks: Iterable[Any] = ()) -> bool:
    """Whether a host of this name may have this address: a public one, one of the networks, or loopback for itself.

    >>> [may_be_reached(ip_address(each), "north.example.org") for each in ("8.8.8.8", "10.0.0.5", "169.254.169.254")]
    [True, False, False]
    """
    address = _plain(address)
    if any(address in network for network in networks):
        return True
    if address.is_loopback:
        return host in _LOOPBACK_NAMES
    return address.is_global and not address.is_multicast and address not in _FOR_MACHINES


class _Guarded(httpcore.SyncBackend):
    """Connects to addresses that are allowed, one after the other until one answers."""

    def __init__(self, networks: list[Any]) -> None:
        self._networks = networks

    def connect_tcp(self, host: str, port: int, *rest: Any, **options: Any) -> httpcore.NetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._allowed(host, port):
            try:
                return super().connect_tcp(address, port, *rest, **options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _allowed(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(type(error).__name__) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not may_be_reached(ip_address(address), host, self._networks):
                raise Unreachable(
                    f"{host} has the address {address}, which is none of the public network",
                    code="private_address",
                    fix=f"If that is meant, write into the credential: addresses: {address}",
                )
        return addresses


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _networks(addresses: str) -> list[Any]:
    try:
        return [ip_network(each) for each in str(addresses or "").replace(",", " ").split()]
    except ValueError:
        raise JobError(
            "addresses of the credential can't be read",
            code="addresses",
            fix="Write addresses or networks, such as 10.20.0.7, 10.30.0.0/16.",
        ) from None
