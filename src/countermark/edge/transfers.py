"""The transfers that run on this edge: who gets what, how far it is, and how to end it.

Whoever wants to follow them (accounting, the gate's upkeep, metrics) is a listener; it is called
on the event loop at every piece, so it must be quick and must not fail. Byte offsets are those of
the file, and count what the kernel has taken, not what was planned.
"""

import socket
import struct
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from countermark.ids import new_id
from countermark.links.client import Client
from countermark.links.link import Link

# Closing then resets the connection and drops what the kernel has not sent yet.
_RESET = struct.pack("ii", 1, 0)


class Transfer:
    """One answer with bytes of a file.

    Attributes:
        id: 24 hex digits, of this transfer alone.
        link: what it serves.
        client: whom.
        connection: its transport.
        spans: what was sent so far, as [start, stop]; pieces that touch are one.
    """

    __slots__ = ("_listeners", "client", "connection", "id", "link", "spans")

    def __init__(self, link: Link, client: Client, connection: Transport) -> None:
        self.id = new_id()
        self.link = link
        self.client = client
        self.spans: list[list[int]] = []
        self.connection = connection
        self._listeners: tuple[Listener, ...] = ()

    def sent(self, start: int, stop: int) -> None:
        """Note that the kernel has taken the bytes from `start` up to, not including, `stop`."""
        if start == stop:
            return
        if self.spans and self.spans[-1][1] == start:
            self.spans[-1][1] = stop
        else:
            self.spans.append([start, stop])
        for listener in self._listeners:
            listener.sent(self, start, stop)

    @property
    def socket(self) -> socket.socket | None:
        """Of the connection, while it is open."""
        found: socket.socket | None = self.connection.get_extra_info("socket")
        return None if self.connection.is_closing() else found

    def end(self) -> None:
        """Break the connection; what sends on it then fails, and does the rest.

        The transport is left alone: asyncio's sendfile waits on the socket behind its back, and
        would wait forever if the transport closed it.
        """
        if (connection := self.socket) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.shutdown(socket.SHUT_RDWR)


class Listener(Protocol):
    """Who follows transfers."""

    def begun(self, transfer: Transfer) -> None:
        """It was let pass, and its headers are about to go out."""
        ...

    def sent(self, transfer: Transfer, start: int, stop: int) -> None:
        """The kernel has taken these bytes of the file."""
        ...

    def ended(self, transfer: Transfer) -> None:
        """It is over, whole or not."""
        ...


class Transfers:
    """The registry of this edge's running transfers.

    Args:
        listeners: told in this order.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners
        self._running: set[Transfer] = set()

    @contextmanager
    def running(self, transfer: Transfer) -> Iterator[None]:
        """Keep the transfer in the registry for the time of the block."""
        self._running.add(transfer)
        transfer._listeners = self._listeners  # noqa: SLF001 - a transfer is heard while it runs
        try:
            for listener in self._listeners:
                listener.begun(transfer)
            yield
        finally:
            self._running.discard(transfer)
            for listener in self._listeners:
                listener.ended(transfer)

    def end_where(self, predicate: Callable[[Transfer], bool]) -> int:
        """Break off the transfers that the predicate picks.

        Must be called on the event loop; from another thread, by `loop.call_soon_threadsafe`.

        Returns:
            How many.
        """
        ending = [transfer for transfer in self._running if predicate(transfer)]
        for transfer in ending:
            transfer.end()
        return len(ending)

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)
