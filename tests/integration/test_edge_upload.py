"""Posts of content over loopback: what is kept, and that what is refused leaves nothing."""

import asyncio
import hashlib
import json
import os
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from countermark.errors import BlobNotFoundError
from countermark.links.policy import form
from countermark.storage.local import LocalStore
from support.edge import Answer, Edge, running_edge
from support.links import RING, policy
from support.sources import whole

UPLOAD = policy().upload_id
CONTENT = os.urandom(3_000_001)


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with running_edge(LocalStore(tmp_path), max_upload_bytes=8_000_000) as running:
        yield running


def code_of(answer: Answer) -> tuple[int, str]:
    return answer.status, str(json.loads(answer.body)["error"]["error_code"])


def part(name: str, value: bytes, boundary: str = "b") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value + b"\r\n"


def fields() -> bytes:
    return b"".join(part(name, value.encode()) for name, value in form(policy(), RING).items())


async def post_raw(
    edge: Edge, body: bytes, kind: str = "multipart/form-data; boundary=b"
) -> Answer:
    async with edge.client.post(
        f"{edge.url}/uploads/{UPLOAD}", data=body, headers={"Content-Type": kind}
    ) as answer:
        return Answer(answer.status, answer.headers, await answer.read())


async def test_a_post_is_kept_with_its_checksums(edge: Edge) -> None:
    answer = await edge.post(CONTENT)
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    note = await edge.note(UPLOAD)
    assert (note.chunk, note.chunks, note.size) == (0, None, len(CONTENT))
    assert note.md5 == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert note.header_crc == f"{zlib.crc32(CONTENT[:65536]):08x}"
    assert await whole(edge.store.read(note.blob_key)) == CONTENT


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1])
async def test_every_size_is_kept_whole(edge: Edge, size: int) -> None:
    assert (await edge.post(CONTENT[:size])).status == 201
    note = await edge.note(UPLOAD)
    assert note.header_crc == f"{zlib.crc32(CONTENT[: min(size, 65536)]):08x}"
    assert await whole(edge.store.read(note.blob_key)) == CONTENT[:size]


async def test_content_that_looks_like_a_boundary_is_content(edge: Edge) -> None:
    content = b"\r\n--b" * 3 + b"\r\n-" + b"\r\n--" * 1000 + b"\r"
    answer = await post_raw(
        edge,
        fields().replace(b"--b", b"--bxy") + part("file", content, "bxy") + b"--bxy--\r\n",
        "multipart/form-data; boundary=bxy",
    )
    assert answer.status == 201
    assert await whole(edge.store.read((await edge.note(UPLOAD)).blob_key)) == content


@pytest.mark.parametrize("status", ["200", "201", "204"])
async def test_the_answers_status_is_the_one_asked_for(edge: Edge, status: str) -> None:
    answer = await edge.post(b"x", success_action_status=status)
    assert answer.status == int(status)


async def test_chunks_come_in_any_order_and_one_may_be_repeated(edge: Edge) -> None:
    for chunk, content in [("2", b"two"), ("0", b"old"), ("1", b"one"), ("0", b"zero")]:
        assert (await edge.post(content, chunk=chunk, chunks="3")).status == 201
    notes = [await edge.note(UPLOAD, chunk) for chunk in range(3)]
    kept = [await whole(edge.store.read(note.blob_key)) for note in notes]
    assert kept == [b"zero", b"one", b"two"]
    assert {note.chunks for note in notes} == {3}


async def test_the_chunk_may_stand_in_the_query(edge: Edge) -> None:
    assert (await edge.post(b"x", query="?chunk=4&chunks=9")).status == 201
    assert (await edge.note(UPLOAD, 4)).chunks == 9


async def test_two_posts_of_one_chunk_at_once_never_mix(edge: Edge) -> None:
    contents = [bytes([number]) * 2_000_000 for number in range(4)]
    answers = await asyncio.gather(*(edge.post(content) for content in contents))
    assert {answer.status for answer in answers} == {201}
    note = await edge.note(UPLOAD)
    kept = await whole(edge.store.read(note.blob_key))
    assert kept in contents
    assert note.md5 == hashlib.md5(kept, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "given",
    [
        {"chunk": "-1"},
        {"chunk": "x"},
        {"chunk": "1000000"},
        {"chunk": "3", "chunks": "3"},
        {"chunks": "0"},
        {"chunk": "٣"},
        {"success_action_status": "302"},
    ],
)
async def test_a_wrong_field_is_refused(edge: Edge, given: dict[str, str]) -> None:
    assert code_of(await edge.post(b"x", **given)) == (400, "0x0240001")
    assert await edge.blobs() == []


@pytest.mark.parametrize(
    "given", [{"policy": "AAAA"}, {"signature": "AAAA"}, {"key": "other.mp4"}, {"policy": ""}]
)
async def test_an_altered_form_is_refused(edge: Edge, given: dict[str, str]) -> None:
    assert code_of(await edge.post(CONTENT, **given)) == (403, "0x0240003")
    assert await edge.blobs() == []


async def test_a_form_past_its_time_is_refused(edge: Edge) -> None:
    assert code_of(await edge.post(b"x", policy(ends_at=1000))) == (403, "0x0240003")


async def test_a_form_of_another_upload_is_refused(edge: Edge) -> None:
    data = fields() + part("file", b"x") + b"--b--\r\n"
    url = f"{edge.url}/uploads/{'e' * 24}"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    async with edge.client.post(url, data=data, headers=kind) as answer:
        assert answer.status == 403
    assert await edge.blobs() == []


async def test_a_form_of_an_address_is_for_that_address(edge: Edge) -> None:
    assert (await edge.post(b"x", policy(address="127.0.0.1"))).status == 201
    assert code_of(await edge.post(b"x", policy(address="192.0.2.1"))) == (403, "0x0240003")


async def test_more_than_the_policy_allows_is_refused_and_not_kept(edge: Edge) -> None:
    assert (await edge.post(b"x" * 1000, policy(max_bytes=1000))).status == 201
    before = await edge.blobs()
    answer = await edge.post(b"x" * 1001, policy(max_bytes=1000))
    assert code_of(answer) == (413, "0x0000005")
    assert await edge.blobs() == before


async def test_more_than_the_edge_allows_is_refused_before_it_is_read(edge: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    head = f"POST /uploads/{UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()


async def test_an_endless_body_is_refused_while_the_client_still_sends(edge: Edge) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield fields() + part("file", b"")[:-2]
        for _ in range(20):
            yield b"x" * 1_000_000

    url = f"{edge.url}/uploads/{UPLOAD}"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    async with edge.client.post(url, data=endless(), headers=kind) as answer:
        assert answer.status == 413
    assert await edge.blobs() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"nonsense", 400),
        (b"--b--\r\n", 400),
        (part("key", b"x") + b"--b--\r\n", 400),
        (part("key", b"x") + part("key", b"y") + part("file", b"") + b"--b--\r\n", 400),
        (part("key", b"\xff") + part("file", b"") + b"--b--\r\n", 400),
        (part("file", b"x") + b"--b--\r\n", 403),
        (part("key", b"x" * 20_000) + part("file", b"") + b"--b--\r\n", 413),
        (b"".join(part(f"f{number}", b"x") for number in range(40)) + b"--b--\r\n", 413),
        (b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 413),
        (b"--b\r\n\r\nno disposition\r\n--b--\r\n", 400),
    ],
)
async def test_a_wrong_form_is_refused(edge: Edge, body: bytes, status: int) -> None:
    assert (await post_raw(edge, body)).status == status
    assert await edge.blobs() == []


async def test_a_form_whose_file_is_not_last_is_refused_and_not_kept(edge: Edge) -> None:
    body = fields() + part("file", b"x" * 100_000) + part("late", b"x") + b"--b--\r\n"
    assert code_of(await post_raw(edge, body)) == (400, "0x0240001")
    assert await edge.blobs() == []


async def test_a_form_without_its_closing_boundary_is_refused_and_not_kept(edge: Edge) -> None:
    body = fields() + part("file", b"x" * 100_000)
    assert code_of(await post_raw(edge, body)) == (400, "0x0240001")
    assert await edge.blobs() == []


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/mixed; boundary=b", ""]
)
async def test_another_content_type_is_refused(edge: Edge, kind: str) -> None:
    assert code_of(await post_raw(edge, b"{}", kind)) == (415, "0x0000006")


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 300])
async def test_an_impossible_boundary_is_refused(edge: Edge, boundary: str) -> None:
    answer = await post_raw(edge, b"x", f"multipart/form-data{boundary}")
    assert code_of(answer) == (400, "0x0240001")


async def test_a_compressed_body_is_refused(edge: Edge) -> None:
    url = f"{edge.url}/uploads/{UPLOAD}"
    kind = {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "gzip"}
    async with edge.client.post(url, data=b"x", headers=kind) as answer:
        assert answer.status == 415


async def test_a_body_cut_short_leaves_nothing(edge: Edge, tmp_path: Path) -> None:
    body = fields() + part("file", b"x" * 3_000_000)[:-2]
    _reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    head = f"POST /uploads/{UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1000}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode() + body)
    await writer.drain()
    partial = tmp_path / ".partial"
    await _until(lambda: any(partial.iterdir()))
    writer.close()
    await _until(lambda: not any(partial.iterdir()))
    assert await edge.blobs() == []


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nobody signals a folder's change
            await asyncio.sleep(0.01)


async def test_a_full_disk_is_told_and_nothing_kept(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert code_of(await edge.post(CONTENT)) == (507, "0x0240004")
    monkeypatch.undo()
    assert await edge.blobs() == []


async def test_a_chunk_counts_only_once_its_note_is_there(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = edge.store.put

    async def without_notes(key: str, content: AsyncIterator[bytes]) -> object:
        if key.endswith(".json"):
            raise BlobNotFoundError
        return await put(key, content)

    monkeypatch.setattr(edge.store, "put", without_notes)
    assert (await edge.post(b"x")).status == 500
    with pytest.raises(BlobNotFoundError):
        await edge.note(UPLOAD)


async def test_a_browser_of_another_site_may_post(edge: Edge) -> None:
    answer = await edge.ask("OPTIONS", f"/uploads/{UPLOAD}", Origin="https://x.example")
    assert answer.status == 204
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
