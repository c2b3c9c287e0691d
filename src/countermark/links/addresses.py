"""Addresses of clients: how the API names them, and whose a connection really is."""

import ipaddress
import re

from countermark.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_INTEGER = re.compile(r"[0-9]{1,10}\Z")
_MAX_HOPS = 32


def parse_address(text: str) -> str:
    """Read an address as the API takes it and give its canonical text.

    Args:
        text: a 32-bit integer in network order (192.168.2.1 is 3232236033), a dotted IPv4
            address, or an IPv6 address. An IPv4-mapped IPv6 address is the IPv4 address.

    Raises:
        ValueError: it is none of these.
    """
    if _INTEGER.match(text):
        return str(ipaddress.IPv4Address(int(text)))
    # A scope ("fe80::1%eth0") means something only on the machine that wrote it.
    if "%" in text:
        raise ValueError("an address with a scope")
    return str(_plain(ipaddress.ip_address(text)))


def client_address(peer: str, x_forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """Tell whose request it is, in canonical text.

    Each proxy appends to X-Forwarded-For the address that it saw. Only what trusted proxies wrote
    counts: from the right, the first address that is not a trusted proxy's is the client's. What
    stands left of it could have been written by anyone. If a trusted proxy passed on something
    that is no address, the request is that proxy's.

    Args:
        peer: the other end of the connection.
        x_forwarded_for: the header, several joined by commas, empty if it is missing.
        trusted: networks of the proxies that may be believed.
    """
    found = _plain(ipaddress.ip_address(peer.partition("%")[0]))
    hops = x_forwarded_for.split(",")[-_MAX_HOPS:]
    while hops and _is_in(found, trusted):
        try:
            found = _plain(ipaddress.ip_address(_without_port(hops.pop().strip())))
        except ValueError:
            break
    return str(found)


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _without_port(hop: str) -> str:
    """Some proxies write "1.2.3.4:5678" or "[::1]:5678"."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
