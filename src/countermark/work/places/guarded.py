"""A way out for clients that look hosts up, and follow redirects, by themselves.

Such a client gets a proxy on loopback that it has to ask for each connection (RFC 9110, 9.3.6).
The host is looked up here, in the very step that connects, so neither a name that changes its
address nor a redirect leads into the network that the worker stands in.
"""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from countermark.errors import PlacePrivateError
from countermark.work.places.addresses import public_addresses

_CONNECT = re.compile(rb"CONNECT \[?([^\s\]]+?)\]?:(\d{1,5}) HTTP/1\.[01]\r\n")
_PIECE_BYTES = 256 << 10
_LOST = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeError)


@asynccontextmanager
async def guarded_proxy(*, internal: bool) -> AsyncIterator[str]:
    """Run a proxy for the time of a block.

    Args:
        internal: Whether it leads to other than public addresses, too.

    Returns:
        Its URL.
    """

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(*_LOST):
            try:
                await _tunnel(reader, writer, internal=internal)
            finally:
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _tunnel(reader: StreamReader, writer: StreamWriter, *, internal: bool) -> None:
    asked = _CONNECT.match(await reader.readuntil(b"\r\n\r\n"))
    if asked is None:
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
        return
    host, port = asked[1].decode(), int(asked[2])
    try:
        address, *_ = await public_addresses(host, port, internal=internal)
        there, back = await asyncio.open_connection(address, port)
    except PlacePrivateError:
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        return
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return
    writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
    try:
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
    finally:
        back.close()


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
