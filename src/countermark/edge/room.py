"""Which sockets have room for more: many of them at the price of one in the event loop.

asyncio makes a handle for each event and runs it in a context, which takes longer than the
sendfile that follows. So the sockets wait in an epoll of their own, and the event loop watches
that one descriptor, which is readable while any of them is ready (epoll(7) may be nested).
"""

import asyncio
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary

# So many are called back before the rest of the event loop has its turn.
_AT_ONCE = 16

_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, "Room"] = WeakKeyDictionary()


class Room:
    """The sockets of one event loop that wait for room.

    Where there is no epoll, the event loop watches each of them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._add_writer, self._remove_writer = loop.add_writer, loop.remove_writer
        self._waiting: dict[int, Callable[[], object]] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._call_back)

    def watch(self, descriptor: int, ready: Callable[[], object]) -> None:
        """Call `ready`, which must not raise, whenever the socket has room or is broken."""
        if self._epoll is None:
            self._add_writer(descriptor, ready)
            return
        self._waiting[descriptor] = ready
        self._epoll.register(descriptor, select.EPOLLOUT)

    def forget(self, descriptor: int) -> None:
        """Call no more; to be told before the descriptor is closed."""
        if self._epoll is None:
            self._remove_writer(descriptor)
            return
        del self._waiting[descriptor]
        self._epoll.unregister(descriptor)

    def _call_back(self) -> None:
        assert self._epoll is not None  # noqa: S101 - for the type checker
        waiting = self._waiting
        for descriptor, _ in self._epoll.poll(0, _AT_ONCE):
            # One that came before may have been its end.
            if (ready := waiting.get(descriptor)) is not None:
                ready()


def room_of(loop: asyncio.AbstractEventLoop) -> Room:
    """The one of this event loop."""
    found = _rooms.get(loop)
    if found is None:
        found = _rooms[loop] = Room(loop)
    return found
