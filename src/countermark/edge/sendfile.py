"""sendfile(2) to a client without asyncio's ceremony around every piece.

`loop.sendfile` registers and unregisters with the selector for each piece that the kernel takes,
and tells what it sent only at the end. Here the socket is registered once for a whole list of
spans (edge/room.py), which spares the interpreter most of that, and what was sent is told as it
goes. A marked copy is thousands of spans of one file, so the list is taken some at a time.
The socket is watched under a second descriptor, because the first is its transport's; so the
connection ends only when both are closed, and a look every half second ends this one soon after
the transport's.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from countermark.edge.room import room_of
from countermark.errors import StorageError

# Other clients get their turn at least this often, however fast one of them reads.
PIECE_BYTES = 4 << 20
FIRST_BYTES = 64 << 10
# Between two sends the processor's caches fill with what is sent, and a span costs tens of
# microseconds where the next one right after it costs one.
SPANS_AT_ONCE = 64
# What was sent is told at every look: with as long in the meter, a killed edge has kept its count
# to itself for a second at most.
LOOK_SECONDS = 0.5

Spans = Iterable[tuple[int, int]]
"""Pieces of a file in the order to send them: first byte, and first byte after it; never empty."""


async def send_file(
    transport: asyncio.Transport,
    file: BinaryIO,
    spans: Spans,
    at: int,
    *,
    sent: Callable[[int, int], object],
    stall_seconds: float,
) -> None:
    """Send spans of a file, and return when the kernel has taken all of them.

    What the transport still holds (headers, as a rule written through at once) goes first.

    Args:
        transport: the client's connection.
        file: read at explicit offsets only; its own position is neither used nor moved.
        spans: what to send; all but the first are taken some at a time before they are sent.
        at: offset of the first byte in what the client gets, from which `sent` counts on.
        sent: told the offsets of what the kernel has taken, every half second and at the end.
        stall_seconds: a client that takes nothing for so long is given up.

    Raises:
        OSError: the client is gone, or stalls (`TimeoutError`).
        StorageError: the file ends before a span does.
    """
    remaining = _some_at_a_time(iter(spans))
    if transport.get_write_buffer_size() and (first := next(remaining, None)):
        count = await _after_the_rest(transport, file, first, stall_seconds)
        sent(at, at + count)
        at += count
        if first[0] + count < first[1]:
            remaining = chain([(first[0] + count, first[1])], remaining)
    if transport.is_closing():
        raise ConnectionResetError
    connection = os.dup(transport.get_extra_info("socket").fileno())
    try:
        pump = _Pump(transport, connection, file.fileno(), remaining, at, sent)
        await pump.run(stall_seconds)
    finally:
        os.close(connection)


def _some_at_a_time(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, computed `SPANS_AT_ONCE` in a row, but the first alone: a client waits for it."""
    others = iter(lambda: tuple(islice(spans, SPANS_AT_ONCE)), ())
    return chain(islice(spans, 1), chain.from_iterable(others))


async def _after_the_rest(
    transport: asyncio.Transport, file: BinaryIO, span: tuple[int, int], stall_seconds: float
) -> int:
    """Send the first bytes by asyncio's own sendfile, which waits for what the transport holds."""
    loop = asyncio.get_running_loop()
    length = min(FIRST_BYTES, span[1] - span[0])
    async with asyncio.timeout(stall_seconds):
        return await loop.sendfile(transport, file, span[0], length, fallback=False)


class _Pump:
    """Moves the spans, driven by the event loop whenever the socket has room."""

    __slots__ = (
        "_at",
        "_connection",
        "_done",
        "_file",
        "_from",
        "_loop",
        "_moved",
        "_sent",
        "_spans",
        "_still",
        "_timer",
        "_told",
        "_transport",
        "_until",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        connection: int,
        file: int,
        spans: Iterator[tuple[int, int]],
        at: int,
        sent: Callable[[int, int], object],
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._file = file
        self._spans = spans
        self._from = self._until = 0
        self._at = self._told = at
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
        self._step()  # little fits into the socket's buffer at once
        if self._done.done():
            self._done.result()
            return
        room = room_of(self._loop)
        room.watch(self._connection, self._step)
        self._look_later(stall_seconds)
        try:
            await self._done
        finally:
            self._timer.cancel()
            room.forget(self._connection)

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
        """Send while the socket has room, up to a piece."""
        if self._done.done():
            return
        room = PIECE_BYTES
        try:
            while room > 0 and (self._from < self._until or self._has_span()):
                count = min(room, self._until - self._from)
                moved = os.sendfile(self._connection, self._file, self._from, count)
                self._note(moved)
                room = room - moved if moved == count else 0
        except (BlockingIOError, InterruptedError):
            return
        except (OSError, StorageError) as error:
            self._done.set_exception(error)

    def _has_span(self) -> bool:
        """Take the next span; that was all if there is none."""
        span = next(self._spans, None)
        if span is None:
            self._done.set_result(None)
            return False
        self._from, self._until = span
        return True

    def _note(self, moved: int) -> None:
        if not moved:
            raise StorageError("a blob's file is shorter than it was")
        self._moved = True
        self._from += moved
        self._at += moved

    def _tell(self) -> None:
        if self._at > self._told:
            self._sent(self._told, self._at)
            self._told = self._at
