"""sendfile(2) to a client without asyncio's ceremony around every piece.

`loop.sendfile` registers and unregisters with the selector for each piece that the kernel takes,
and tells what it sent only at the end. Here the socket is registered once for a whole span, which
spares the interpreter most of that, and what was sent is told as it goes. The socket is watched
under a second descriptor, because the first is its transport's; so the connection ends only when
both are closed, and a look every second ends this one soon after the transport's.
"""

import asyncio
import os
from collections.abc import Callable
from typing import BinaryIO

from countermark.errors import StorageError

# Other clients get their turn at least this often, however fast one of them reads.
PIECE_BYTES = 4 << 20
FIRST_BYTES = 64 << 10
# What was sent is told after so many bytes, and at every look: a killed edge has kept its count
# to itself for a second at most.
TOLD_BYTES = 16 << 20
LOOK_SECONDS = 1.0


async def send_file(
    transport: asyncio.Transport,
    file: BinaryIO,
    start: int,
    stop: int,
    *,
    sent: Callable[[int, int], object],
    stall_seconds: float,
) -> None:
    """Send a span of a file, and return when the kernel has taken all of it.

    What the transport still holds (headers, as a rule written through at once) goes first.

    Args:
        transport: the client's connection.
        file: read at explicit offsets only; its own position is neither used nor moved.
        start: first byte.
        stop: first byte after the span.
        sent: told the offsets of what the kernel has taken, at least every second and at the end.
        stall_seconds: a client that takes nothing for so long is given up.

    Raises:
        OSError: the client is gone, or stalls (`TimeoutError`).
        StorageError: the file ends before the span.
    """
    if transport.get_write_buffer_size():
        start += await _after_the_rest(transport, file, start, stop, sent, stall_seconds)
    if transport.is_closing():
        raise ConnectionResetError
    connection = os.dup(transport.get_extra_info("socket").fileno())
    try:
        pump = _Pump(transport, connection, file.fileno(), start, stop, sent)
        await pump.run(stall_seconds)
    finally:
        os.close(connection)


async def _after_the_rest(
    transport: asyncio.Transport,
    file: BinaryIO,
    start: int,
    stop: int,
    sent: Callable[[int, int], object],
    stall_seconds: float,
) -> int:
    """Send the first bytes by asyncio's own sendfile, which waits for what the transport holds."""
    loop = asyncio.get_running_loop()
    length = min(FIRST_BYTES, stop - start)
    async with asyncio.timeout(stall_seconds):
        count = await loop.sendfile(transport, file, start, length, fallback=False)
    sent(start, start + count)
    return count


class _Pump:
    """Moves one span, driven by the event loop whenever the socket has room."""

    __slots__ = (
        "_at",
        "_connection",
        "_done",
        "_file",
        "_loop",
        "_moved",
        "_sent",
        "_still",
        "_stop",
        "_timer",
        "_told",
        "_transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        connection: int,
        file: int,
        start: int,
        stop: int,
        sent: Callable[[int, int], object],
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._file = file
        self._at = self._told = start
        self._stop = stop
        self._sent = sent
        self._moved = True
        self._still = 0.0
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def run(self, stall_seconds: float) -> None:
        try:
            await self._run(stall_seconds)
        finally:
            self._tell()

    async def _run(self, stall_seconds: float) -> None:
        if self._at < self._stop:
            self._step()  # a small span fits into the socket's buffer at once
        else:
            self._done.set_result(None)
        if self._done.done():
            self._done.result()
            return
        self._loop.add_writer(self._connection, self._step)
        self._look_later(stall_seconds)
        try:
            await self._done
        finally:
            self._timer.cancel()
            self._loop.remove_writer(self._connection)

    def _look_later(self, patience: float) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look, patience)

    def _look(self, patience: float) -> None:
        if self._done.done():
            return
        self._still = 0.0 if self._moved else self._still + LOOK_SECONDS
        self._moved = False
        self._tell()
        if self._transport.is_closing():
            self._done.set_exception(ConnectionResetError())
        elif self._still >= patience:
            self._done.set_exception(TimeoutError())
        else:
            self._look_later(patience)

    def _step(self) -> None:
        if self._done.done():
            return
        count = min(PIECE_BYTES, self._stop - self._at)
        try:
            moved = os.sendfile(self._connection, self._file, self._at, count)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._done.set_exception(error)
            return
        if not moved:
            self._done.set_exception(StorageError("a blob's file is shorter than it was"))
            return
        self._moved = True
        self._at += moved
        if self._at == self._stop:
            self._done.set_result(None)
        elif self._at - self._told >= TOLD_BYTES:
            self._tell()

    def _tell(self) -> None:
        if self._at > self._told:
            self._sent(self._told, self._at)
            self._told = self._at
