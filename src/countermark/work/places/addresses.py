"""Looking up hosts that others chose, where no HTTP client does it."""

import asyncio
import socket

from countermark.errors import PlacePrivateError
from countermark.work.public_http import is_public


async def public_addresses(host: str, port: int, *, internal: bool) -> list[str]:
    """The addresses of a host.

    Args:
        host: A name or an address.
        port: To be connected to.
        internal: Whether others than public ones are given, too.

    Raises:
        PlacePrivateError: None of them is public.
        OSError: There is no such host.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [address for address in addresses if internal or is_public(address)]
    if not allowed:
        raise PlacePrivateError
    return allowed
