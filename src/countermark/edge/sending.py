"""Moves the pieces of an answer to the client: by sendfile from a local file, else streamed.

Every response has its own descriptor, and sendfile gets explicit offsets, because the position of
a shared one would mix up the bytes of two clients.

What a client gets is laid out in the blob by a `Layout`: as it stands for a plain file, as many
spans for a recipient's copy of a master. All else counts in offsets of what the client gets.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import BinaryIO, Protocol, TypeAlias

from aiohttp import web

from countermark.edge.fetching import fetched
from countermark.edge.plan import Piece
from countermark.edge.ranges import Span
from countermark.edge.sendfile import Spans, send_file
from countermark.edge.transfers import Transfer
from countermark.errors import BlobNotFoundError, LinkTargetGoneError, StorageError
from countermark.links.link import Link
from countermark.storage.port import LocatesBlobs, ReadsSpans, Store

# A client that takes nothing for so long is gone, or means harm.
STALL_SECONDS = 600.0

Layout: TypeAlias = Callable[[int, int], Spans]
"""Where the bytes from a first offset up to a second are in the blob."""


def as_it_stands(start: int, stop: int) -> Spans:
    """The layout of a blob that is sent as it is."""
    return ((start, stop),)


class Body(Protocol):
    """An opened blob."""

    async def send(self, transfer: Transfer, response: web.StreamResponse, span: Span) -> None:
        """Send a span after the headers, and tell the transfer what the kernel has taken."""
        ...


@asynccontextmanager
async def opened(store: Store, link: Link, layout: Layout) -> AsyncIterator[Body]:
    """Open the link's blob.

    Args:
        store: where it is.
        link: what it was made for.
        layout: of what the client gets.

    Raises:
        LinkTargetGoneError: it is not there, or is not the one that the link was made for.
        StorageError: the store failed.
    """
    try:
        if isinstance(store, LocatesBlobs):
            with _open(store, link.blob_key) as file:
                _check_size(os.fstat(file.fileno()).st_size, link)
                yield _FileBody(file, layout)
        else:
            _check_size((await store.stat(link.blob_key)).size, link)
            yield _StreamedBody(store, link.blob_key, layout)
    except BlobNotFoundError as error:
        raise LinkTargetGoneError from error


async def send(
    transfer: Transfer, response: web.StreamResponse, body: Body, pieces: Iterable[Piece]
) -> None:
    """Send all pieces in order.

    Raises:
        OSError: the client is gone, or stalls.
        StorageError: the blob can't be read to its end; the client must notice, so the caller
            has to break the connection.
    """
    for piece in pieces:
        if isinstance(piece, Span):
            await body.send(transfer, response, piece)
        else:
            await response.write(piece)


@contextmanager
def corked(request: web.Request) -> Iterator[None]:
    """Let the kernel fill its packets across headers and body, as nginx's tcp_nopush does."""
    _set_cork(request, on=True)
    try:
        yield
    finally:
        _set_cork(request, on=False)


def _set_cork(request: web.Request, *, on: bool) -> None:
    connection = request.get_extra_info("socket")
    # Only Linux has it, and only TCP; without it all works, a little slower.
    if connection is not None and hasattr(socket, "TCP_CORK"):
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, int(on))


class _FileBody:
    def __init__(self, file: BinaryIO, layout: Layout) -> None:
        self._file = file
        self._layout = layout

    async def send(self, transfer: Transfer, response: web.StreamResponse, span: Span) -> None:  # noqa: ARG002 - the other body needs it
        await send_file(
            transfer.connection,
            self._file,
            self._layout(span.start, span.stop),
            span.start,
            sent=transfer.sent,
            stall_seconds=STALL_SECONDS,
        )


class _StreamedBody:
    def __init__(self, store: Store, key: str, layout: Layout) -> None:
        self._store = store
        self._key = key
        self._layout = layout

    async def send(self, transfer: Transfer, response: web.StreamResponse, span: Span) -> None:
        # Nothing is let stay in the process, so that what was written is what the kernel took.
        transfer.connection.set_write_buffer_limits(0)
        at = span.start
        async with aclosing(self._chunks(self._layout(span.start, span.stop))) as chunks:
            async for chunk in chunks:
                async with asyncio.timeout(STALL_SECONDS):
                    await response.write(chunk)
                transfer.sent(at, at + len(chunk))
                at += len(chunk)

    async def _chunks(self, spans: Spans) -> AsyncGenerator[bytes, None]:
        if self._layout is not as_it_stands and isinstance(self._store, ReadsSpans):
            async with aclosing(fetched(self._store, self._key, spans)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        for start, stop in spans:
            async for chunk in self._store.read(self._key, start, stop - start):
                yield chunk


def _open(store: LocatesBlobs, key: str) -> BinaryIO:
    try:
        return store.path(key).open("rb", buffering=0)
    except FileNotFoundError as error:
        raise BlobNotFoundError("no such blob") from error
    except OSError as error:
        raise StorageError(f"local disk: {error.strerror}") from error


def _check_size(size: int, link: Link) -> None:
    if size != link.size * link.variants:
        raise LinkTargetGoneError
