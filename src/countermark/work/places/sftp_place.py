"""A file behind SFTP, through asyncssh."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import asyncssh

from countermark.errors import PlaceInvalidError, PlaceRefusedError
from countermark.storage.place import Place
from countermark.work.places.addresses import public_addresses
from countermark.work.places.source import PIECE_BYTES, Opened

T = TypeVar("T")

_PORT = 22
_HOW = (
    "host_key: give the server's fingerprint, host_key=SHA256:…, as `ssh-keyscan HOST | "
    "ssh-keygen -lf -` shows it"
)


class SftpPlace:
    """An `Elsewhere` behind SFTP.

    A password is sent only to the server whose key was named, and no key, agent or configuration
    of this machine is used.

    Args:
        place: Its address.
        internal: Whether it may lie at an address that is not public.
        stall_seconds: How long the server may say nothing.

    Raises:
        PlaceInvalidError: The user, the password or the server's key is missing.
    """

    def __init__(self, place: Place, *, internal: bool, stall_seconds: float) -> None:
        if not (place.user and place.secret):
            raise PlaceInvalidError("use sftp://USER:PASSWORD@HOST/PATH")
        if not place.options.get("host_key", "").startswith("SHA256:"):
            raise PlaceInvalidError(_HOW)
        self._place = place
        self._internal = internal
        self._stall_seconds = stall_seconds

    @asynccontextmanager
    async def read(self, offset: int, identity: str | None) -> AsyncIterator[Opened]:
        """See the port."""
        async with self._session() as client:
            with _translated():
                about = await self._in_time(client.stat(self._place.path))
                size = about.size or 0
                found = f"{size}-{about.mtime}"
                begin = offset if found == identity and offset <= size else 0
                async with client.open(self._place.path, "rb") as file:
                    yield Opened(begin, size, found, self._pieces(file, begin))

    async def _pieces(self, file: asyncssh.SFTPClientFile, begin: int) -> AsyncIterator[bytes]:
        while piece := await self._in_time(file.read(PIECE_BYTES, begin)):
            data = piece if isinstance(piece, bytes) else piece.encode()
            begin += len(data)
            yield data

    async def write(self, path: Path, sent: Callable[[int], None]) -> None:
        """See the port; written under another name first, then renamed."""
        target = self._place.path
        partial = f"{target}.{secrets.token_hex(4)}.part"
        async with self._session() as client:
            with _translated():
                try:
                    await client.put(str(path), partial, progress_handler=_Counter(sent))
                    await client.posix_rename(partial, target)
                except (asyncssh.Error, OSError, asyncio.CancelledError):
                    await asyncio.shield(_removed(client, partial))
                    raise

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncssh.SFTPClient]:
        place = self._place
        port = place.port or _PORT
        addresses = await public_addresses(place.host, port, internal=self._internal)
        connection = await self._in_time(_connected(addresses[0], port))
        expected = place.options["host_key"]
        with _translated():
            async with (
                asyncssh.connect(
                    sock=connection,
                    host=place.host,
                    port=port,
                    client_factory=lambda: _Client(expected),
                    known_hosts=b"",
                    username=place.user,
                    password=place.secret,
                    client_keys=None,
                    agent_path=None,
                    config=None,
                    gss_host=None,
                    connect_timeout=self._stall_seconds,
                    login_timeout=self._stall_seconds,
                    keepalive_interval=self._stall_seconds / 2,
                    keepalive_count_max=2,
                ) as session,
                session.start_sftp_client() as client,
            ):
                yield client

    async def _in_time(self, awaitable: Awaitable[T]) -> T:
        return await asyncio.wait_for(awaitable, self._stall_seconds)


class _Counter:
    """Turns asyncssh's sums into differences."""

    def __init__(self, sent: Callable[[int], None]) -> None:
        self._sent = sent
        self._sum = 0

    def __call__(self, _source: bytes, _target: bytes, so_far: int, _size: int) -> None:
        self._sent(so_far - self._sum)
        self._sum = so_far


class _Client(asyncssh.SSHClient):
    """Trusts the one key that was named."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint.rstrip("=")

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        del host, addr, port
        return key.get_fingerprint("sha256") == self._fingerprint


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _removed(client: asyncssh.SFTPClient, path: str) -> None:
    try:
        await client.remove(path)
    except (asyncssh.Error, OSError):
        return  # it was never there, or nobody answers any more


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        raise PlaceRefusedError("the server's key is not the one that was named") from error
    except asyncssh.PermissionDenied as error:
        raise PlaceRefusedError("the server refuses the user or the password") from error
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
        raise PlaceRefusedError("there is no such file or folder") from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect) as error:
        raise PlaceRefusedError("the user may not do that there") from error
    except asyncssh.Error as error:
        raise OSError("the server failed") from error
