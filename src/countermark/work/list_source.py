"""Where an address list comes from: a file of this machine, or a URL.

A URL is the operator's, but what answers there is not: its redirects must not lead into the
network that the worker stands in, nor its answer fill the disk or take for ever. Names are
checked by what they resolve to, in the very lookup that the connection is made with.
"""

import asyncio
import ipaddress
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from countermark.errors import AddressListError
from countermark.links.netset.read import MAX_BYTES

MAX_REDIRECTS = 5
# All of it; connecting; waiting for the next bytes.
TIMES = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=30)
PIECE_BYTES = 1 << 18

_OK = 200
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {"User-Agent": "countermark", "Accept-Encoding": "identity", "Accept": "*/*"}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class _InternalAddressError(OSError):
    """A URL leads to an address that is not a public one."""


def is_url(source: str) -> bool:
    """Tell a URL from a path."""
    return urlsplit(source).scheme in {"http", "https"}


def shown(source: str) -> str:
    """The source as logs and people may see it: without what may be a secret in a URL."""
    if not is_url(source):
        return source
    parts = urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


@contextmanager
def fetched(source: str, *, internal: bool, spool: Path) -> Iterator[Path]:
    """A copy of the list, for the time of the block.

    Args:
        source: an http or https URL, or a file's path.
        internal: let a URL lead to private and loopback addresses, too.
        spool: a folder for the copy; made if it is missing.

    Raises:
        AddressListError: it cannot be had whole, within its limits.
    """
    spool.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spool) as folder:
        path = Path(folder) / "list"
        if is_url(source):
            asyncio.run(_download(source, path, internal=internal))
        else:
            _copy(Path(source), path)
        yield path


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


class _PublicResolver(ThreadedResolver):
    """Finds only addresses of the Internet."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [one for one in await super().resolve(host, port, family) if is_public(one["host"])]
        if not found:
            raise _InternalAddressError
        return found


def _copy(source: Path, target: Path) -> None:
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AddressListError("it is no file")
        if status.st_size > MAX_BYTES:
            raise AddressListError(f"it is larger than {MAX_BYTES >> 20} MiB")
        # A copy, so that whoever writes the file meanwhile cannot pull it from under its reader.
        with source.open("rb") as file:
            target.write_bytes(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise AddressListError(f"it cannot be read: {error.strerror}") from error


async def _download(source: str, target: Path, *, internal: bool) -> None:
    connector = aiohttp.TCPConnector(resolver=None if internal else _PublicResolver())
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=TIMES,
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session:
            await _follow(session, URL(source), target, internal=internal)
    except TimeoutError as error:
        raise AddressListError("its server takes too long") from error
    except aiohttp.ClientPayloadError as error:
        raise AddressListError("it was cut off") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if _is_internal(error):
            raise AddressListError(
                "it lies at an address that is not public; if that is right, add it --internal"
            ) from error
        raise AddressListError("its server cannot be reached") from error


async def _follow(
    session: aiohttp.ClientSession, url: URL, target: Path, *, internal: bool
) -> None:
    for _ in range(MAX_REDIRECTS + 1):
        _check_host(url, internal=internal)
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status not in _REDIRECTS:
                await _save(answer, target)
                return
            following = url.join(URL(answer.headers.get("Location", "")))
        if following.scheme != "https" and url.scheme == "https":
            raise AddressListError("it is redirected to where others could change it: no https")
        url = following
    raise AddressListError(f"it is redirected more than {MAX_REDIRECTS} times")


def _check_host(url: URL, *, internal: bool) -> None:
    """A host that is a number is never looked up, so it is checked here."""
    if url.scheme not in {"http", "https"} or not url.host:
        raise AddressListError("it is no http or https URL")
    try:
        public = is_public(url.host)
    except ValueError:
        return  # a name
    if not (public or internal):
        raise _InternalAddressError


async def _save(answer: aiohttp.ClientResponse, target: Path) -> None:
    if answer.status != _OK:
        raise AddressListError(f"its server answers {answer.status}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise AddressListError("its server sends it compressed")
    size = 0
    with target.open("wb") as file:
        async for piece in answer.content.iter_chunked(PIECE_BYTES):
            size += len(piece)
            if size > MAX_BYTES:
                raise AddressListError(f"it is larger than {MAX_BYTES >> 20} MiB")
            file.write(piece)


def _is_internal(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, _InternalAddressError):
        error = error.__cause__ or error.__context__
    return error is not None
