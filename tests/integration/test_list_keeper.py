"""Address lists from files and URLs: fetched within limits, kept when good, renewed on schedule."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from countermark.catalog.database import Database
from countermark.catalog.readers import address_lists as read_lists
from countermark.catalog.records import AddressListRecord
from countermark.catalog.writers import address_lists as write_lists
from countermark.edge.followed import FollowedLists
from countermark.errors import AddressListError
from countermark.links.netset.lists import ListKind
from countermark.storage.layout import LISTS_PREFIX
from countermark.storage.local import LocalStore
from countermark.work import list_source, prune, public_http
from countermark.work.lists import CLAIM_MS, ListKeeper
from countermark.work.parts import now_ms
from support.hub import Hub

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

GOOD = b"".join(f"192.0.2.{number}\n".encode() for number in range(0, 200, 2))
HOUR = 3600


@pytest.fixture
def keeper(sqlite_database: Database, tmp_path: Path) -> ListKeeper:
    return ListKeeper(sqlite_database, LocalStore(tmp_path / "blobs"), tmp_path / "spool")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "list.netset"
    path.write_bytes(GOOD)
    return path


def _add(keeper: ListKeeper, source: object, name: str = "a", every: int | None = None) -> None:
    keeper.add(name, ListKind.ANONYMIZER, str(source), every, internal=True)


def _found(keeper: ListKeeper, name: str = "a") -> AddressListRecord:
    with keeper.database.read() as connection:
        found = read_lists.address_list(connection, name)
    assert found is not None
    return found


def _make_due(keeper: ListKeeper, at: int) -> None:
    with keeper.database.write() as connection:
        write_lists.note_problem(connection, "a", "", at)


def _blobs(keeper: ListKeeper) -> list[str]:
    async def listed() -> list[str]:
        return [blob.key async for blob in keeper.store.list(LISTS_PREFIX)]

    return asyncio.run(listed())


def test_a_list_from_a_file_is_matched(keeper: ListKeeper, source: Path) -> None:
    _add(keeper, source)
    assert keeper.load().reason("192.0.2.4") is ListKind.ANONYMIZER
    assert keeper.load().reason("192.0.2.5") is None
    assert _found(keeper).ranges == 100
    assert list(keeper.spool.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no address"),
        (b"<html>502</html>", "unreadable"),
        (GOOD[: GOOD.index(b"\n", 250) + 1], "ranges left of 100"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_list_never_replaces_a_good_one(
    keeper: ListKeeper, source: Path, content: bytes | None, why: str
) -> None:
    _add(keeper, source)
    good = _found(keeper)
    if content is None:
        source.unlink()
    else:
        source.write_bytes(content)
    with pytest.raises(AddressListError, match=why):
        keeper.refresh(good)
    kept = _found(keeper)
    assert kept.blob_key == good.blob_key
    assert kept.problem is not None
    assert why in kept.problem
    assert keeper.load().reason("192.0.2.4")


def test_a_list_that_was_meant_to_shrink_may_be_forced(keeper: ListKeeper, source: Path) -> None:
    _add(keeper, source)
    source.write_bytes(b"198.51.100.1\n")
    with pytest.raises(AddressListError):
        keeper.refresh(_found(keeper))
    assert keeper.refresh(_found(keeper), force=True) == 1
    assert _found(keeper).problem is None
    assert keeper.load().reason("192.0.2.4") is None


def test_a_new_list_that_is_broken_is_not_kept(keeper: ListKeeper, source: Path) -> None:
    source.write_bytes(b"nonsense")
    with pytest.raises(AddressListError):
        _add(keeper, source)
    assert _blobs(keeper) == []
    with keeper.database.read() as connection:
        assert read_lists.address_lists(connection) == []


@pytest.mark.parametrize("name", ["", "A", "../a", "a/b", ".a", "a" * 65])
def test_an_impossible_name_is_refused(keeper: ListKeeper, source: Path, name: str) -> None:
    with pytest.raises(AddressListError, match="is no name"):
        _add(keeper, source, name)


def test_a_name_is_given_once(keeper: ListKeeper, source: Path) -> None:
    _add(keeper, source)
    with pytest.raises(AddressListError, match="already"):
        _add(keeper, source)
    assert _blobs(keeper) == [_found(keeper).blob_key]


def test_a_device_is_no_file(keeper: ListKeeper, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for source in ("/dev/zero", str(fifo), str(tmp_path)):
        with pytest.raises(AddressListError, match="no file"):
            _add(keeper, source)


def test_the_worker_renews_what_is_due(keeper: ListKeeper, source: Path) -> None:
    _add(keeper, source, every=HOUR)
    before = _found(keeper)
    source.write_bytes(GOOD + b"198.51.100.1\n")
    keeper.refresh_due()
    assert _found(keeper) == before
    _make_due(keeper, now_ms() - 1)
    keeper.refresh_due()
    after = _found(keeper)
    assert (after.ranges, after.problem) == (101, None)
    assert after.due_at is not None
    assert after.due_at > now_ms() + HOUR * 1000 - CLAIM_MS


def test_a_scheduled_refresh_that_fails_is_tried_again_soon(
    keeper: ListKeeper, source: Path
) -> None:
    _add(keeper, source, every=24 * HOUR)
    _make_due(keeper, now_ms() - 1)
    source.write_bytes(b"")
    keeper.refresh_due()
    found = _found(keeper)
    assert found.due_at is not None
    assert now_ms() < found.due_at <= now_ms() + HOUR * 1000
    assert found.problem == "it lists no address"


def test_an_edge_loads_what_is_new_and_drops_what_is_gone(keeper: ListKeeper, source: Path) -> None:
    follow = FollowedLists(keeper.database, keeper.store)
    assert follow().reason("192.0.2.4") is None
    _add(keeper, source)
    loaded = follow()
    assert loaded.reason("192.0.2.4") is ListKind.ANONYMIZER
    assert follow() is loaded
    source.write_bytes(GOOD.replace(b"192.0.2", b"192.0.3"))
    keeper.refresh(_found(keeper))
    assert follow().reason("192.0.2.4") is None
    assert follow().reason("192.0.3.4") is ListKind.ANONYMIZER
    with keeper.database.write() as connection:
        write_lists.remove_list(connection, "a", now_ms())
    assert follow().reason("192.0.3.4") is None


def test_an_edge_keeps_the_last_good_form_of_a_damaged_list(
    keeper: ListKeeper, source: Path
) -> None:
    assert isinstance(keeper.store, LocalStore)
    follow = FollowedLists(keeper.database, keeper.store)
    _add(keeper, source)
    follow()
    keeper.refresh(_found(keeper))
    path = keeper.store.path(_found(keeper).blob_key)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert follow().reason("192.0.2.4") is ListKind.ANONYMIZER
    path.unlink()
    assert follow().reason("192.0.2.4") is ListKind.ANONYMIZER
    path.write_bytes(whole)
    assert follow().reason("192.0.2.4") is ListKind.ANONYMIZER


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(database, tmp_path)
    yield hub
    hub.sandbox.close()


def test_replaced_and_abandoned_forms_are_removed(hub: Hub, source: Path) -> None:
    keeper = ListKeeper(hub.database, hub.store, hub.parts.spool)
    _add(keeper, source)
    keeper.refresh(_found(keeper))
    orphan = hub.store.path(f"{LISTS_PREFIX}a/orphan")
    orphan.write_bytes(b"left by a killed refresh")
    past = now_ms() / 1000 - prune.ORPHAN_SECONDS - 60
    for path in (orphan, hub.store.path(_found(keeper).blob_key)):
        os.utime(path, (past, past))
    prune.prune_ended(hub.parts)
    prune.prune_orphans(hub.parts)
    assert _blobs(keeper) == [_found(keeper).blob_key]


@asynccontextmanager
async def _serving(answer: Answer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _fetch(
    answer: Answer, spool: Path, path: str = "/list?key=hunter2", *, internal: bool = True
) -> bytes:
    async with _serving(answer) as url:

        def fetch() -> bytes:
            with list_source.fetched(url + path, internal=internal, spool=spool) as copy:
                return copy.read_bytes()

        return await asyncio.to_thread(fetch)


async def _good(_request: web.Request) -> web.Response:
    return web.Response(body=GOOD)


async def test_a_list_is_fetched_from_a_url(tmp_path: Path) -> None:
    assert await _fetch(_good, tmp_path) == GOOD


async def test_redirects_are_followed_but_not_for_ever(tmp_path: Path) -> None:
    async def hop(request: web.Request) -> web.Response:
        left = int(request.match_info["path"])
        if left:
            raise web.HTTPFound(f"/{left - 1}")
        return web.Response(body=GOOD)

    assert await _fetch(hop, tmp_path, "/5") == GOOD
    with pytest.raises(AddressListError, match="more than 5 times"):
        await _fetch(hop, tmp_path, "/6")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://0.0.0.0:{port}/",
    ],
)
async def test_a_url_never_leads_to_an_internal_address(tmp_path: Path, url: str) -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=GOOD)

    async with _serving(answer) as base:
        target = url.format(port=base.rpartition(":")[2])

        def fetch() -> None:
            with list_source.fetched(target, internal=False, spool=tmp_path):
                pass

        with pytest.raises(AddressListError, match=r"not public|cannot be reached"):
            await asyncio.to_thread(fetch)
    assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "fd00::1",
        "fe80::1%eth0",
        "::",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "::ffff:10.0.0.1",
    ],
)
def test_addresses_of_inner_networks_are_told(address: str) -> None:
    assert not public_http.is_public(address)


def test_addresses_of_the_internet_are_told() -> None:
    assert public_http.is_public("9.9.9.9")
    assert public_http.is_public("2620:fe::fe")


async def test_a_list_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(GOOD * 100)

    monkeypatch.setattr(list_source, "MAX_BYTES", 1 << 20)
    with pytest.raises(AddressListError, match="larger than 1 MiB"):
        await _fetch(endless, tmp_path)


async def test_a_list_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(GOOD) + 1)})
        await response.prepare(request)
        await response.write(GOOD)
        assert request.transport is not None
        request.transport.close()
        return response

    with pytest.raises(AddressListError, match="cut off"):
        await _fetch(cut, tmp_path)


async def test_a_server_that_stalls_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stall(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    times = list_source.aiohttp.ClientTimeout(total=0.2)
    monkeypatch.setattr(list_source, "TIMES", times)
    with pytest.raises(AddressListError, match="takes too long"):
        await _fetch(stall, tmp_path)


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (404, {}, "answers 404"),
        (206, {}, "answers 206"),
        (200, {"Content-Encoding": "gzip"}, "compressed"),
        (302, {"Location": "file:///etc/passwd"}, "no http"),
    ],
)
async def test_any_other_answer_is_no_list(
    tmp_path: Path, status: int, headers: dict[str, str], why: str
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=GOOD)

    with pytest.raises(AddressListError, match=why):
        await _fetch(answer, tmp_path)


def test_what_is_shown_of_a_url_has_no_secret() -> None:
    url = "https://me:hunter2@lists.example/a.mmdb?license_key=hunter2"
    assert list_source.shown(url) == "https://lists.example/a.mmdb?…"
    assert list_source.shown("/srv/a.netset") == "/srv/a.netset"
