"""Many sockets wait for room in the event loop at the price of one."""

import asyncio
import contextlib
import select
import socket
from collections.abc import Iterator

import pytest

from countermark.edge.room import Room, room_of


@pytest.fixture(params=["epoll", "without"])
def _epoll(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.delattr(select, "epoll")
    elif not hasattr(select, "epoll"):
        pytest.skip("needs epoll (Linux)")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def filled(ours: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            ours.send(bytes(65_536))


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("_epoll")
async def test_a_socket_is_told_of_room_when_its_peer_has_read(pair: Pair) -> None:
    ours, theirs = pair
    filled(ours)
    room, told = Room(asyncio.get_running_loop()), asyncio.Event()
    room.watch(ours.fileno(), told.set)
    await turns()
    assert not told.is_set()
    while not told.is_set():
        theirs.recv(1 << 20)
        await turns()
    room.forget(ours.fileno())


@pytest.mark.usefixtures("_epoll")
async def test_a_socket_whose_peer_is_gone_is_told(pair: Pair) -> None:
    ours, theirs = pair
    filled(ours)
    room, told = Room(asyncio.get_running_loop()), asyncio.Event()
    room.watch(ours.fileno(), told.set)
    theirs.close()
    async with asyncio.timeout(10):
        await told.wait()
    room.forget(ours.fileno())


@pytest.mark.usefixtures("_epoll")
async def test_a_socket_that_is_forgotten_is_told_nothing(pair: Pair) -> None:
    ours, _ = pair
    room, told = Room(asyncio.get_running_loop()), asyncio.Event()
    room.watch(ours.fileno(), told.set)
    room.forget(ours.fileno())
    await turns()
    assert not told.is_set()


@pytest.mark.usefixtures("_epoll")
async def test_what_is_told_may_forget_others_that_are_ready(pair: Pair) -> None:
    room = Room(asyncio.get_running_loop())
    told: list[int] = []

    def tell(mine: int, other: int) -> None:
        told.append(mine)
        room.forget(other)

    one, two = (each.fileno() for each in pair)
    room.watch(one, lambda: tell(one, two))
    room.watch(two, lambda: tell(two, one))
    await turns()
    assert set(told) in ({one}, {two})
    room.forget(told[0])


async def test_an_event_loop_has_one() -> None:
    loop = asyncio.get_running_loop()
    assert room_of(loop) is room_of(loop)
