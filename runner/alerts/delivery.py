"""Delivery: what can come of telling somebody, and the connection that it goes over.

A connection leads to the host and port of the credential and nowhere else: to a public address, or to one that the
credential allows by name (`addresses`), with TLS whose certificate is checked (R-LP2, R-TL3). Jobs' connections keep
the same rules (adaptors/egress.py); the two towers share no code.
"""

import socket
import ssl
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from runner.errors import InvalidCredential, RunnerError

SECONDS = 10.0  # for each step of a conversation
_FOR_MACHINES = (ip_address("168.63.129.16"),)  # public by its number, and yet it answers machines of a cloud
_TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last four bytes (RFC 6052)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotDelivered(RunnerError):
    """It can't be known that a recipient was told; `code` says why, and nothing of what the far side wrote."""

    exit_code = 4

    def __init__(self, code: str, message: str, *, fix: str | None = None) -> None:
        super().__init__(message, fix=fix)
        self.code = code  # type: ignore[misc]


def tls_of(credential: Mapping[str, Any]) -> ssl.SSLContext:
    """TLS as a client that checks certificates, against `ca_file` where the credential names one."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credential.get("ca_file"):
        try:
            context.load_verify_locations(credential["ca_file"])
        except (OSError, ssl.SSLError):
            raise InvalidCredential("the ca_file holds no certificates", fix="It must be a PEM file.") from None
    return context


def connected(host: str, port: int, addresses: str = "") -> socket.socket:
    """A connection to an address that the host may have. Raises NotDelivered, and OSError where nobody answers."""
    networks = _networks(addresses)
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for each in found:
        if not may_be_reached(ip_address(each), host, networks):
            fix = f"If that is meant, write into the credential: addresses: {each}"
            raise NotDelivered("private_address", f"{host} has an address that isn't public", fix=fix)
    failure: OSError | None = None
    for each in dict.fromkeys(found):
        try:
            return socket.create_connection((each, port), timeout=SECONDS)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def may_be_reached(address: IPv4Address | IPv6Address, host: str, networks: Any = ()) -> bool:
    """Whether a host of this name may have this address: a public one, one of the networks, or loopback for itself.

    >>> [may_be_reached(ip_address(each), "mail.example.org") for each in ("8.8.8.8", "10.0.0.5", "127.0.0.1")]
    [True, False, False]
    """
    if isinstance(address, IPv6Address):
        within = IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
        address = within or address.ipv4_mapped or address.sixtofour or address
    if any(address in network for network in networks):
        return True
    if address.is_loopback:
        return host in _LOOPBACK
    return address.is_global and not address.is_multicast and address not in _FOR_MACHINES


def why(error: Exception) -> NotDelivered:
    """What an error of the network or of TLS means, in a code.

    >>> why(TimeoutError()).code
    'timed_out'
    """
    if isinstance(error, NotDelivered):
        return error
    if isinstance(error, ssl.SSLError):
        fix = "Is the host's certificate good for its name, and its authority known here? Else name it: ca_file."
        return NotDelivered("tls_failed", "no TLS that can be trusted", fix=fix)
    if isinstance(error, TimeoutError):
        return NotDelivered("timed_out", "no answer in time", fix="It is tried again by itself.")
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return NotDelivered("connection_lost", "the far side hung up", fix="It is tried again by itself.")
    return NotDelivered("unreachable", "it can't be reached", fix="Is the address right, and its port open to us?")


def required(credential: Mapping[str, Any], *names: str) -> None:
    """Raise InvalidCredential where one of these entries is missing."""
    if missing := [name for name in names if not credential.get(name)]:
        fix = f"Add {', '.join(missing)}; credentials.example/ shows how."
        raise InvalidCredential(f"the credential lacks {', '.join(missing)}", fix=fix)


def _networks(addresses: str) -> list[Any]:
    try:
        return [ip_network(each) for each in str(addresses or "").replace(",", " ").split()]
    except ValueError:
        fix = "Write addresses or networks, such as 10.20.0.7, 10.30.0.0/16."
        raise InvalidCredential("addresses of the credential can't be read", fix=fix) from None
