"""Signed links served over loopback: from files by sendfile, and from a store without files."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesParser
from ipaddress import ip_network
from pathlib import Path

import pytest

from countermark.errors import StorageError
from countermark.links.keys import KeyRing
from countermark.links.link import mint
from countermark.storage.local import LocalStore
from countermark.storage.port import BlobStat
from support.edge import Answer, Edge, running_edge
from support.links import NEW_KEY, OLD_KEY, RING, link
from support.memory_store import MemoryStore
from support.sources import source

DATA = bytes(range(256)) * 5000


@pytest.fixture(params=["files", "memory"])
async def edge(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Edge]:
    store = LocalStore(tmp_path) if request.param == "files" else MemoryStore()
    async with running_edge(store) as running:
        yield running


def parts_of(answer: Answer) -> list[Message]:
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.body)
    assert message.is_multipart()
    return list(message.get_payload())


def code_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["error"]["error_code"])


async def test_a_link_gives_the_whole_file_and_says_what_it_is(edge: Edge) -> None:
    answer = await edge.get(await edge.keep(DATA, name="Füße.mp4"))
    assert answer.status == 200
    assert answer.body == DATA
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert answer.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]


async def test_head_equals_get_without_the_body(edge: Edge) -> None:
    path = await edge.keep(DATA)
    head, get = await edge.ask("HEAD", path, Range="bytes=0-0"), await edge.get(path)
    assert (head.status, head.body) == (200, b"")
    volatile = {"Date"}
    assert {*head.headers.items()} - {("Date", head.headers["Date"])} == {
        (name, value) for name, value in get.headers.items() if name not in volatile
    }


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1279990-", 1_279_990, 1_280_000),
        ("bytes=-7", 1_279_993, 1_280_000),
        ("bytes=5-99999999", 5, 1_280_000),
        ("bytes=10-19,15-24", 10, 25),
    ],
)
async def test_a_range_is_partial_content(edge: Edge, asked: str, start: int, stop: int) -> None:
    answer = await edge.get(await edge.keep(DATA), Range=asked)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.body == DATA[start:stop]


async def test_several_ranges_come_as_parts(edge: Edge) -> None:
    answer = await edge.get(await edge.keep(DATA), Range="bytes=500-599, 0-9, -5")
    assert answer.status == 206
    parts = parts_of(answer)
    size = len(DATA)
    assert [part["Content-Range"] for part in parts] == [
        f"bytes 500-599/{size}",
        f"bytes 0-9/{size}",
        f"bytes {size - 5}-{size - 1}/{size}",
    ]
    assert {part["Content-Type"] for part in parts} == {"video/mp4"}
    assert answer.headers["Content-Length"] == str(len(answer.body))
    bodies = re.findall(rb"\r\n\r\n(.*?)\r\n--", answer.body, re.DOTALL)
    assert bodies == [DATA[500:600], DATA[:10], DATA[-5:]]


async def test_a_range_outside_the_file_is_416_with_its_size(edge: Edge) -> None:
    answer = await edge.get(await edge.keep(DATA), Range=f"bytes={len(DATA)}-")
    assert (answer.status, code_of(answer)) == (416, "0x0250005")
    assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"


async def test_a_range_of_another_version_gets_the_whole_file(edge: Edge) -> None:
    path = await edge.keep(DATA)
    assert (await edge.get(path, Range="bytes=0-9", If_Range='"other"')).status == 200
    etag = (await edge.get(path)).headers["ETag"]
    assert (await edge.get(path, Range="bytes=0-9", If_Range=etag)).status == 206


async def test_what_the_client_has_is_not_sent_again(edge: Edge) -> None:
    path = await edge.keep(DATA)
    etag = (await edge.get(path)).headers["ETag"]
    answer = await edge.get(path, If_None_Match=etag)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == etag
    answer = await edge.get(path, If_Match='"other"')
    assert (answer.status, answer.headers["Content-Length"]) == (412, "0")


async def test_an_empty_file_is_a_file(edge: Edge) -> None:
    path = await edge.keep(b"")
    answer = await edge.get(path)
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")
    assert (await edge.get(path, Range="bytes=0-")).status == 416


async def test_many_requests_use_one_connection(edge: Edge) -> None:
    path = await edge.keep(DATA)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    for at in range(5):
        lines = f"GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes={at}-{at + 9}\r\n\r\n"
        writer.write(lines.encode())
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(10) == DATA[at : at + 10]
    writer.close()


async def test_clients_at_once_get_their_own_bytes(edge: Edge) -> None:
    paths = [
        await edge.keep(bytes([number]) * 3_000_000, blob_key=f"files/x/{number}")
        for number in range(8)
    ]
    answers = await asyncio.gather(*(edge.get(path) for path in paths * 3))
    for number, answer in enumerate(answers):
        assert answer.body == bytes([number % 8]) * 3_000_000


async def test_inline_is_shown_and_what_could_run_is_locked_in(edge: Edge) -> None:
    path = await edge.keep(b"<script>", inline=True, name="x.html", mime_type="text/html")
    answer = await edge.get(path)
    assert answer.headers["Content-Disposition"] == 'inline; filename="x.html"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "name", ["a b+c.mp4", "50%.mp4", "a/b.mp4", "..", "?x=1#y", "日本.mp4", "a\nb", "~!@$&'()*,;="]
)
async def test_a_link_holds_for_every_name(edge: Edge, name: str) -> None:
    assert (await edge.get(await edge.keep(b"x", name=name))).body == b"x"


async def test_a_query_added_by_a_player_does_no_harm(edge: Edge) -> None:
    assert (await edge.get(await edge.keep(b"x") + "?t=10")).body == b"x"


async def test_wrong_links_are_refused(edge: Edge) -> None:
    path = await edge.keep(DATA)
    token = path.split("/")[2]
    for wrong in (
        path.replace(token, token[:-1]),
        path.replace(token, token[:-3] + "AAA"),
        path.replace("clip", "other"),
        mint(link(), KeyRing([type(OLD_KEY)(9, b"f" * 32)])),
        "/d/x/y",
        "/d/" + "A" * 4000 + "/y",
    ):
        answer = await edge.get(wrong)
        assert (answer.status, code_of(answer)) == (403, "0x0250001")


async def test_an_expired_link_says_so(edge: Edge) -> None:
    answer = await edge.get(await edge.keep(DATA, expires_at=1000))
    assert (answer.status, code_of(answer)) == (410, "0x0250002")


async def test_a_deleted_or_exchanged_file_is_gone(edge: Edge) -> None:
    path = await edge.keep(DATA)
    await edge.store.put(link().blob_key, source(b"something else"))
    assert code_of(await edge.get(path)) == "0x0250004"
    await edge.store.delete(link().blob_key)
    answer = await edge.get(path)
    assert (answer.status, code_of(answer)) == (404, "0x0250004")


async def test_a_link_of_an_address_is_for_that_address(edge: Edge) -> None:
    assert (await edge.get(await edge.keep(DATA, address="127.0.0.1"))).status == 200
    path = await edge.keep(DATA, address="192.0.2.1")
    answer = await edge.get(path, X_Forwarded_For="192.0.2.1")
    assert (answer.status, code_of(answer)) == (403, "0x0250003")


async def test_a_trusted_proxy_tells_the_address() -> None:
    async with running_edge(MemoryStore(), trusted_proxies=(ip_network("127.0.0.0/8"),)) as edge:
        path = await edge.keep(DATA, address="192.0.2.1")
        assert (await edge.get(path, X_Forwarded_For="9.9.9.9, 192.0.2.1")).status == 200
        assert (await edge.get(path, X_Forwarded_For="192.0.2.1, 9.9.9.9")).status == 403


async def test_a_dropped_key_ends_its_links() -> None:
    async with running_edge(MemoryStore(), ring=KeyRing([OLD_KEY])) as edge:
        assert NEW_KEY.id == RING.current.id
        assert code_of(await edge.get(await edge.keep(DATA))) == "0x0250001"


async def test_a_player_of_another_site_may_ask_and_seek(edge: Edge) -> None:
    answer = await edge.ask("OPTIONS", await edge.keep(DATA), Origin="https://x.example")
    assert answer.status == 204
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "Range" in answer.headers["Access-Control-Allow-Headers"]


async def test_errors_come_in_the_type_that_is_asked_for(edge: Edge) -> None:
    answer = await edge.get("/d/x/y", Accept="application/xml")
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert b"<error_code>0x0250001</error_code>" in answer.body
    answer = await edge.get("/d/x/y", Accept="text/html,*/*;q=0.8")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<h1>Invalid link</h1>" in answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_unknown_paths_and_methods_are_told(edge: Edge) -> None:
    answer = await edge.get("/nothing")
    assert (answer.status, code_of(answer)) == (404, "0x0000002")
    answer = await edge.ask("DELETE", await edge.keep(DATA))
    assert (answer.status, code_of(answer)) == (405, "0x0000004")
    assert "GET" in answer.headers["Allow"]


async def test_the_edge_is_healthy_and_says_what_it_is(edge: Edge) -> None:
    assert json.loads((await edge.get("/health")).body) == {"status": "ok"}
    assert b"http://api.example/hub" in (await edge.get("/")).body


class _Failing(MemoryStore):
    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        yield self.blobs[key][0][start:length][:1000]
        raise StorageError("the disk of /secret/path is on fire")


async def test_a_download_that_breaks_off_is_not_taken_for_whole() -> None:
    async with running_edge(_Failing()) as edge:
        path = await edge.keep(DATA)
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b"Content-Length: 1280000" in await reader.readuntil(b"\r\n\r\n")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(len(DATA))
        writer.close()


class _Broken(MemoryStore):
    async def stat(self, key: str) -> BlobStat:
        raise StorageError(f"the disk of /secret/path is on fire at {key}")


async def test_a_failing_store_is_an_internal_error_without_its_cause() -> None:
    async with running_edge(_Broken()) as edge:
        answer = await edge.get(mint(link(), RING))
        assert (answer.status, code_of(answer)) == (500, "0x0000001")
        assert b"secret" not in answer.body
