"""An edge refuses what has been revoked, breaks off what runs, and believes only its proxies."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.tables import revocations as table
from countermark.catalog.writers.revocations import forget_revocations, revoke
from countermark.edge import followed
from countermark.edge.admission import Gate
from countermark.edge.followed import FollowedRevocations
from countermark.links.link import Link, mint
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.text import read_text
from countermark.links.revocations import Revocation, Revocations, Revoked
from countermark.storage.local import LocalStore
from support.edge import Answer, Edge, running_edge
from support.links import LINK, RING, link
from support.memory_store import MemoryStore

NOW = 1_700_000_000_000
SIZE = 64 << 20
ENDS_SECONDS = 5.0

FILE = Revocation(Revoked.FILE, LINK.file)
APPLICATION = Revocation(Revoked.APPLICATION, LINK.application)
ONE = Revocation(Revoked.LINK, LINK.serial)


class Known:
    """Revocations that a test changes while the edge runs."""

    def __init__(self) -> None:
        self.now = Revocations()

    def reason(self, link: Link) -> Revoked | None:
        return self.now.reason(link)

    def gate(self) -> Gate:
        return Gate(revoked=self.reason)


def _code(answer: Answer) -> tuple[int, str]:
    error = msgspec.json.decode(answer.body)["error"]
    return answer.status, error["error_code"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("revoked", "status"), [(FILE, 404), (APPLICATION, 410), (ONE, 410)], ids=lambda value: value
)
async def test_a_revoked_link_is_refused(method: str, revoked: Revocation, status: int) -> None:
    known = Known()
    async with running_edge(MemoryStore(), gate=known.gate()) as edge:
        path = await edge.keep(b"x" * 1000)
        other = mint(link(file="e" * 24, application="e" * 24, serial="another-serial"), RING)
        assert (await edge.ask(method, path)).status == 200
        known.now = Revocations([revoked])
        assert (await edge.ask(method, path)).status == status
        assert (await edge.ask(method, path, Range="bytes=1-2")).status == status
        assert (await edge.ask(method, other)).status == 200


async def test_the_codes_of_a_deleted_file_and_of_a_revoked_link_differ() -> None:
    known = Known()
    async with running_edge(MemoryStore(), gate=known.gate()) as edge:
        path = await edge.keep(b"x" * 1000)
        known.now = Revocations([FILE])
        assert _code(await edge.get(path)) == (404, "0x0250004")
        known.now = Revocations([ONE])
        assert _code(await edge.get(path)) == (410, "0x025000b")


@asynccontextmanager
async def _slow_download(edge: Edge, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """A download under way whose client takes the rest only as it is read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=65_536)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0]
        yield reader
    finally:
        writer.close()


async def _ended_after(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Read slowly; tell whether the download broke off within the time, short of its end."""
    deadline = time.monotonic() + seconds
    received = 0
    try:
        while time.monotonic() < deadline:
            piece = await asyncio.wait_for(reader.read(16_384), seconds)
            if not piece:
                return received < SIZE
            received += len(piece)
            await asyncio.sleep(0.01)
    except ConnectionError:
        return received < SIZE
    return False


@pytest.mark.parametrize("revoked", [FILE, APPLICATION, ONE], ids=lambda value: value.kind)
@pytest.mark.parametrize("kind", ["file", "stream"])
async def test_a_running_download_ends_within_seconds_and_others_go_on(
    tmp_path: Path, kind: str, revoked: Revocation
) -> None:
    known = Known()
    store = LocalStore(tmp_path) if kind == "file" else MemoryStore()
    async with running_edge(store, gate=known.gate()) as edge:
        path = await edge.keep(b"x" * SIZE)
        elsewhere = {"file": "e" * 24, "application": "e" * 24, "serial": "another-serial"}
        other = mint(link(size=SIZE, **elsewhere), RING)
        async with _slow_download(edge, path) as ends, _slow_download(edge, other) as goes_on:
            known.now = Revocations([revoked])
            assert await _ended_after(ends, ENDS_SECONDS)
            assert not await _ended_after(goes_on, 0.5)


async def test_listed_addresses_are_refused_guarded_links_alone() -> None:
    ranges = read_text([b"127.0.0.0/8"])
    kind = ListKind.ANONYMIZER

    def listed(address: str) -> ListKind | None:
        return AddressLists([AddressList("a", kind, ranges)]).reason(address)

    async with running_edge(MemoryStore(), gate=Gate(listed=listed)) as edge:
        open_to_all = await edge.keep(b"x" * 1000)
        guarded = await edge.keep(b"x" * 1000, guarded=True)
        assert (await edge.get(open_to_all)).status == 200
        assert _code(await edge.get(guarded)) == (403, "0x0250009")
        kind = ListKind.BLACKLIST
        assert _code(await edge.get(guarded)) == (403, "0x025000a")


LOOPBACK = ip_network("127.0.0.0/8")
INNER = ip_network("10.0.0.0/8")
INNER_WIDE = ip_network("fd00::/8")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        # Without a trusted proxy, whatever a client writes is a claim.
        ((), "192.0.2.7", "127.0.0.1"),
        ((INNER,), "192.0.2.7", "127.0.0.1"),
        # The proxy appends whom it saw; what the client claimed stands left of it.
        ((LOOPBACK,), "198.51.100.9, 192.0.2.7", "192.0.2.7"),
        ((LOOPBACK,), "192.0.2.7, 198.51.100.9", "198.51.100.9"),
        # A chain of proxies, all of them trusted.
        ((LOOPBACK, INNER), "203.0.113.5, 192.0.2.7, 10.0.0.2, 10.0.0.3", "192.0.2.7"),
        # A chain with a stranger in it ends at the stranger.
        ((LOOPBACK, INNER), "192.0.2.7, 198.51.100.9, 10.0.0.3", "198.51.100.9"),
        ((LOOPBACK, INNER_WIDE), "2001:db8::7, fd00::2", "2001:db8::7"),
        ((LOOPBACK,), "2001:DB8:0:0::7", "2001:db8::7"),
        ((LOOPBACK,), "[2001:db8::7]:4711", "2001:db8::7"),
        ((LOOPBACK,), "::ffff:192.0.2.7", "192.0.2.7"),
        ((LOOPBACK,), "unknown", "127.0.0.1"),
    ],
)
async def test_forwarded_addresses_count_as_far_as_proxies_are_trusted(
    trusted: tuple[object, ...], forwarded: str, address: str
) -> None:
    def only_for(one: str) -> Callable[[Link], Revoked | None]:
        return lambda link: None if link.address == one else Revoked.LINK

    gate = Gate(revoked=only_for(address))
    async with running_edge(MemoryStore(), trusted_proxies=trusted, gate=gate) as edge:  # type: ignore[arg-type]  # networks of both kinds
        right = await edge.keep(b"x" * 1000, address=address)
        assert (await edge.get(right, X_Forwarded_For=forwarded)).status == 200
        for spoofed in ("X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"):
            headers = {"X_Forwarded_For": forwarded, spoofed: "203.0.113.77"}
            assert (await edge.get(right, **headers)).status == 200


async def test_a_client_s_claim_cannot_open_a_link_bound_to_another_address() -> None:
    async with running_edge(MemoryStore()) as edge:
        path = await edge.keep(b"x" * 1000, address="192.0.2.7")
        for header in ("X_Forwarded_For", "X_Real_IP", "Forwarded"):
            answer = await edge.get(path, **{header: "192.0.2.7"})
            assert _code(answer) == (403, "0x0250003")


def test_an_edge_follows_what_is_revoked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = FollowedRevocations(database)
    assert follow().reason(LINK) is None
    with database.write() as connection:
        revoke(connection, "link", LINK.serial, NOW, NOW)
    known = follow()
    assert known.reason(LINK) is Revoked.LINK
    assert follow() is known
    with database.write() as connection:
        revoke(connection, "application", "e" * 24, None, NOW)
    assert follow().reason(link(application="e" * 24)) is Revoked.APPLICATION
    with database.write() as connection:
        forget_revocations(connection, NOW)
    # Until everything is read anew, what is forgotten is still refused.
    assert follow().reason(LINK) is Revoked.LINK
    monkeypatch.setattr(followed, "WHOLE_SECONDS", 0.0)
    anew = FollowedRevocations(database)
    anew()
    assert anew().reason(LINK) is None


def test_a_revocation_that_commits_late_is_not_missed(database: Database) -> None:
    follow = FollowedRevocations(database)
    with database.write() as connection:
        revoke(connection, "link", "first-serial", NOW, NOW)
        revoke(connection, "link", "later-serial", NOW, NOW)
        late = connection.execute(
            sa.delete(table).where(table.c.id == "first-serial").returning(*table.c)
        ).one()
    follow()
    with database.write() as connection:
        connection.execute(sa.insert(table).values(late._mapping))
    assert follow().reason(link(serial="first-serial")) is Revoked.LINK
