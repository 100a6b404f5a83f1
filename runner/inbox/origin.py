"""Where a request comes from, and whether anything from there is let in (R-WH7)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from runner.inbox.settings import Network, Settings

Address = IPv4Address | IPv6Address


def is_allowed(peer: str | None, forwarded_for: str, settings: Settings) -> bool:
    """Whether a request may be looked at. `peer` is the address that is connected to us, `forwarded_for` the header.

    Where a proxy is named, nobody else is listened to, and the last address that isn't the proxy's own is the
    sender's: those before it anybody can have written.

    >>> from ipaddress import ip_network
    >>> settings = Settings(behind_proxy=(ip_network("10.0.0.1"),), allow_from=(ip_network("192.0.2.0/24"),))
    >>> is_allowed("10.0.0.1", "192.0.2.7", settings), is_allowed("192.0.2.7", "192.0.2.7", settings)
    (True, False)
    """
    if not (settings.behind_proxy or settings.allow_from):
        return True
    sender = _address(peer)
    if settings.behind_proxy:
        if not _within(sender, settings.behind_proxy):
            return False
        on_the_way = [_address(text) for text in forwarded_for.split(",")]
        sender = next((each for each in reversed(on_the_way) if not _within(each, settings.behind_proxy)), None)
    return not settings.allow_from or _within(sender, settings.allow_from)


def _address(text: str | None) -> Address | None:
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    # What connects by IPv4 to a socket for both kinds has an address like ::ffff:192.0.2.7.
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
