"""HTTP to addresses that somebody else chose.

Whoever gives a URL must not so reach into the network that the worker stands in: names are
checked by what they resolve to, in the very lookup that the connection is made with, and every
redirect anew.
"""

import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

MAX_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {"User-Agent": "countermark", "Accept-Encoding": "identity", "Accept": "*/*"}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class InternalAddressError(OSError):
    """A URL leads to an address that is not a public one."""


class RedirectError(ValueError):
    """A URL leads nowhere, or to where it must not; the text says which."""


def is_public(address: str) -> bool:
    """Tell whether an address is reached over the Internet, and only there."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return is_public(str(found.ipv4_mapped))
        # These carry an IPv4 address, which may be a private one.
        if found.sixtofour or found.teredo or found in _NAT64:
            return False
    return found.is_global and not found.is_multicast


def is_internal(error: BaseException | None) -> bool:
    """Tell whether an error came of an address that is not a public one."""
    while error is not None and not isinstance(error, InternalAddressError):
        error = error.__cause__ or error.__context__
    return error is not None


class _PublicResolver(ThreadedResolver):
    """Finds only addresses of the Internet."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [one for one in await super().resolve(host, port, family) if is_public(one["host"])]
        if not found:
            raise InternalAddressError
        return found


def new_session(timeout: aiohttp.ClientTimeout, *, internal: bool) -> aiohttp.ClientSession:
    """A session for URLs that somebody else chose.

    Args:
        timeout: of each request.
        internal: whether they may lead to private and loopback addresses, too.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=None if internal else _PublicResolver()),
        timeout=timeout,
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


@asynccontextmanager
async def getting(
    session: aiohttp.ClientSession,
    url: URL,
    *,
    internal: bool,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a GET, behind all redirects.

    Raises:
        InternalAddressError: it leads to an address that is not a public one.
        RedirectError: it is redirected too often, or to where others could change it.
        aiohttp.ClientError, OSError, TimeoutError: as aiohttp raises them.
    """
    for _ in range(MAX_REDIRECTS + 1):
        check_host(url, internal=internal)
        async with session.get(url, allow_redirects=False, headers=headers) as answer:
            if answer.status not in _REDIRECTS:
                yield answer
                return
            following = url.join(URL(answer.headers.get("Location", "")))
        if following.scheme != "https" and url.scheme == "https":
            raise RedirectError("it is redirected to where others could change it: no https")
        url = following
    raise RedirectError(f"it is redirected more than {MAX_REDIRECTS} times")


def check_host(url: URL, *, internal: bool) -> None:
    """Check a host that is a number, which is never looked up.

    Raises:
        InternalAddressError: it is not a public one.
        RedirectError: the URL is none of HTTP's.
    """
    if url.scheme not in {"http", "https"} or not url.host:
        raise RedirectError("it is no http or https URL")
    try:
        public = is_public(url.host)
    except ValueError:
        return  # a name
    if not (public or internal):
        raise InternalAddressError
