"""What links ask for beyond their signature, at two edges that share a ledger."""

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from countermark.edge.admission import Gate, Policies
from countermark.edge.transfers import Transfers
from countermark.links.coverage import Coverage
from countermark.links.one_time import GONE_SECONDS, Use
from countermark.links.parallel import LEASE_SECONDS
from countermark.storage.local import LocalStore
from support.edge import Answer, Edge, running_edge
from support.ledger import MemoryLedger
from support.links import LINK

SIZE = 32 << 20
DATA = bytes(range(256)) * (SIZE >> 8)
PROXY = (ipaddress.ip_network("127.0.0.0/8"),)
ANN, BOB = "192.0.2.1", "192.0.2.2"


@dataclass
class Edges:
    """Two edges over one store and one ledger."""

    first: Edge
    second: Edge
    ledger: MemoryLedger
    transfers: Transfers
    policies: Policies

    async def link(self, size: int = SIZE, **policies: object) -> str:
        return await self.first.keep(DATA[:size], **policies)


@pytest.fixture
async def edges(tmp_path: Path) -> AsyncIterator[Edges]:
    ledger, transfers, store = MemoryLedger(), Transfers(), LocalStore(tmp_path)
    policies = [Policies(ledger, 3600) for _ in range(2)]
    async with contextlib.AsyncExitStack() as stack:
        pair = [
            await stack.enter_async_context(
                running_edge(
                    store,
                    trusted_proxies=PROXY,
                    gate=Gate(policies=one),
                    transfers=transfers,
                )
            )
            for one in policies
        ]
        yield Edges(*pair, ledger, transfers, policies[0])


@contextlib.contextmanager
def opened(edge: Edge, path: str, client: str = ANN) -> Iterator[socket.socket]:
    """A download of which the client has read nothing yet; most of it waits at the edge."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.connect(("127.0.0.1", edge.port))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n"
        connection.sendall(head.encode())
        connection.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield connection


async def begun(edges: Edges, connection: socket.socket, running: int = 1) -> None:
    """Wait until the download's first bytes have come."""
    assert b" 200 " in await asyncio.get_running_loop().sock_recv(connection, 1000)
    await until(lambda: _runs(edges, running))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 20
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def get(edge: Edge, path: str, client: str = ANN, **headers: str) -> Answer:
    return await edge.get(path, X_Forwarded_For=client, **headers)


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body.decode().partition('"error_code":"')[2][:9]


BUSY = (429, "0x0250006")
BOUND = (403, "0x0250007")
SPENT = (410, "0x0250008")


async def test_a_person_runs_as_many_downloads_as_the_link_allows(edges: Edges) -> None:
    paths = [await edges.link(parallel=1, serial=str(number)) for number in range(3)]
    with opened(edges.first, paths[0]) as one, opened(edges.second, paths[1]) as two:
        await begun(edges, one, 2)
        await begun(edges, two, 2)
        refused = await get(edges.first, paths[2])
        assert error_of(refused) == BUSY
        assert 0 < int(refused.headers["Retry-After"]) <= LEASE_SECONDS
        assert (await get(edges.second, paths[2], BOB)).status == 200
    await until(lambda: _is_let_pass(edges.first, paths[2]))


async def _is_let_pass(edge: Edge, path: str) -> bool:
    return (await get(edge, path)).status == 200


async def test_a_tag_is_one_person_at_every_address(edges: Edges) -> None:
    first = await edges.link(parallel=0, serial="1", tag="ann")
    second = await edges.link(parallel=0, serial="2", tag="ann")
    with opened(edges.first, first, ANN) as one:
        await begun(edges, one)
        assert error_of(await get(edges.second, second, BOB)) == BUSY


async def test_connections_of_one_download_count_once(edges: Edges) -> None:
    path = await edges.link(parallel=0)
    with opened(edges.first, path) as one:
        await begun(edges, one)
        parts = await asyncio.gather(
            *(
                get(edge, path, Range=f"bytes={at}-{at + 99}")
                for at in range(0, 800, 100)
                for edge in (edges.first, edges.second)
            )
        )
        assert {part.status for part in parts} == {206}
        # Their ends have not freed what still runs.
        other = await edges.link(parallel=0, serial="other")
        assert error_of(await get(edges.second, other)) == BUSY


async def test_a_head_and_what_is_not_modified_take_no_slot(edges: Edges) -> None:
    first = await edges.link(parallel=0, serial="1")
    second = await edges.link(parallel=0, serial="2", etag="e")
    with opened(edges.first, first) as one:
        await begun(edges, one)
        head = await edges.second.ask("HEAD", second, X_Forwarded_For=ANN)
        assert head.status == 200
        assert (await get(edges.second, second, If_None_Match='"e"')).status == 304
        assert (await get(edges.second, second, Range=f"bytes={SIZE}-")).status == 416


async def test_a_slot_is_renewed_while_its_client_lives(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges.policies.slots, "_renew_seconds", 0.05)
    first, second = [await edges.link(parallel=0, serial=serial) for serial in "12"]
    with opened(edges.first, first) as one:
        await begun(edges, one)
        edges.ledger.ahead += LEASE_SECONDS - 1
        before = dict(edges.ledger.values)
        await until(lambda: _is_renewed(edges, before))
        edges.ledger.ahead += LEASE_SECONDS - 1
        assert error_of(await get(edges.second, second)) == BUSY


async def _is_renewed(edges: Edges, before: dict[str, bytes]) -> bool:
    return edges.ledger.values != before


async def test_a_silent_client_loses_its_slot_and_ends_if_another_has_it(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = 100.0
    monkeypatch.setattr("countermark.edge.parallel.silent_seconds", lambda _: silence)
    monkeypatch.setattr(edges.policies.slots, "_renew_seconds", 0.02)
    first, second = [await edges.link(parallel=0, serial=serial) for serial in "12"]
    with opened(edges.first, first) as one:
        await begun(edges, one)
        await until(lambda: _is_let_pass(edges.second, second))
        with opened(edges.second, second) as two:
            await begun(edges, two, 2)
            silence = 0.0
            await until(lambda: _runs(edges, 1))


async def _runs(edges: Edges, count: int) -> bool:
    return len(edges.transfers) == count


async def test_a_guarded_link_is_the_first_clients(edges: Edges) -> None:
    path = await edges.link(size=1000, guarded=True)
    assert (await edges.first.ask("HEAD", path, X_Forwarded_For=BOB)).status == 200
    assert (await get(edges.first, path, User_Agent="WhatsApp/2.23")).status == 403
    assert (await get(edges.first, path, ANN)).status == 200
    assert error_of(await get(edges.second, path, BOB)) == BOUND
    assert (await get(edges.second, path, ANN, Range="bytes=5-")).status == 206


async def test_a_guarded_link_follows_a_phone_through_its_network(edges: Edges) -> None:
    path = await edges.link(size=1000, guarded=True)
    assert (await get(edges.first, path, "2001:db8::1")).status == 200
    assert (await get(edges.second, path, "2001:db8::2")).status == 200
    assert error_of(await get(edges.second, path, "2001:db8:0:1::1")) == BOUND


async def test_a_one_time_link_gives_every_byte_once(edges: Edges) -> None:
    path = await edges.link(once=True)
    assert (await edges.first.ask("HEAD", path, X_Forwarded_For=BOB)).status == 200
    half = SIZE // 2
    assert (await get(edges.first, path, Range=f"bytes=0-{half - 1}")).body == DATA[:half]
    assert error_of(await get(edges.second, path, BOB)) == SPENT
    assert (await get(edges.second, path, Range=f"bytes={half}-")).body == DATA[half:]
    await until(lambda: _is_noted(edges, SIZE))
    for edge in (edges.first, edges.second):
        assert error_of(await get(edge, path)) == SPENT
        assert error_of(await get(edge, path, BOB, Range="bytes=0-0")) == SPENT


async def _is_noted(edges: Edges, stop: int) -> bool:
    """Whether the ledger knows that the bytes up to `stop` have arrived."""
    use = edges.ledger.values[f"once/{LINK.serial}"]
    spans = Coverage.unpack(msgspec.msgpack.decode(use, type=Use).delivered).spans()
    return stop in {end for _, end in spans}


async def test_a_one_time_link_that_broke_off_can_be_resumed(edges: Edges) -> None:
    path = await edges.link(once=True)
    with opened(edges.first, path) as one:
        await begun(edges, one)
    await until(lambda: _runs(edges, 0))
    # The kernel had taken megabytes, but they did not arrive.
    assert (await get(edges.second, path)).body == DATA
    await until(lambda: _is_noted(edges, SIZE))
    assert error_of(await get(edges.first, path)) == SPENT


async def test_a_one_time_link_outlives_a_look_behind_it(edges: Edges) -> None:
    path = await edges.link(once=True)
    assert (await get(edges.first, path, BOB, Range="bytes=0-999")).status == 206
    await until(lambda: _is_noted(edges, 1000))
    edges.ledger.ahead += GONE_SECONDS + 1
    assert (await get(edges.second, path, ANN)).body == DATA


async def test_a_one_time_link_is_spent_when_the_resume_window_is_over(edges: Edges) -> None:
    path = await edges.link(once=True)
    assert (await get(edges.first, path, Range="bytes=0-999999")).status == 206
    await until(lambda: _is_noted(edges, 1_000_000))
    edges.ledger.ahead += 3601
    assert error_of(await get(edges.first, path)) == SPENT


async def test_a_ledger_that_is_down_refuses_those_who_need_it(edges: Edges) -> None:
    free, limited = await edges.link(size=9), await edges.link(size=9, parallel=1)
    edges.ledger.is_down = True
    assert error_of(await get(edges.first, limited)) == (503, "0x0000007")
    assert (await get(edges.first, free)).status == 200


@pytest.mark.parametrize("policy", [{"parallel": 0}, {"guarded": True}, {"once": True}])
async def test_a_ledger_that_is_down_may_let_pass(
    tmp_path: Path, policy: dict[str, object]
) -> None:
    ledger = MemoryLedger()
    ledger.is_down = True
    gate = Gate(policies=Policies(ledger, 3600), lenient=True)
    async with running_edge(LocalStore(tmp_path), gate=gate) as edge:
        assert (await edge.get(await edge.keep(b"data", **policy))).body == b"data"


async def test_ending_a_transfer_breaks_it_off_at_once(edges: Edges) -> None:
    path = await edges.link()
    with opened(edges.first, path) as one:
        await begun(edges, one)
        assert edges.transfers.end_where(lambda transfer: transfer.link.tag == "none") == 0
        assert edges.transfers.end_where(lambda transfer: transfer.client.address == ANN) == 1
        await until(lambda: _runs(edges, 0))
        received, loop = 0, asyncio.get_running_loop()
        with contextlib.suppress(ConnectionResetError):
            while data := await loop.sock_recv(one, 1 << 20):
                received += len(data)
        assert received < SIZE


async def test_a_listener_hears_every_byte_once(tmp_path: Path) -> None:
    heard: list[object] = []

    class Ear:
        def begun(self, _transfer: object) -> None:
            heard.append("begun")

        def sent(self, _transfer: object, start: int, stop: int) -> None:
            heard.append((start, stop))

        def ended(self, _transfer: object) -> None:
            heard.append("ended")

    async with running_edge(LocalStore(tmp_path), transfers=Transfers(Ear())) as edge:
        path = await edge.keep(DATA)
        assert (await edge.get(path)).body == DATA
        assert heard[0] == "begun"
        assert heard[-1] == "ended"
        spans = heard[1:-1]
        assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
        assert spans[-1][1] == SIZE
