"""Clients that are slow, stuck, or talk nonsense: each is cut off, and others don't notice."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from countermark.edge import form, sending
from countermark.edge.limits import Limits
from countermark.edge.serve import build_runner
from countermark.links import policy as policies
from countermark.storage.local import LocalStore
from support.edge import Edge, running_edge
from support.links import RING, policy

UPLOAD = policy().upload_id
# More than the socket buffers of both ends can take.
LARGE = 64 << 20


@pytest.fixture
async def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edge]:
    limited = partial(build_runner, limits=Limits(idle_seconds=0.5))
    monkeypatch.setattr("support.edge.build_runner", limited)
    monkeypatch.setattr(form, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(sending, "STALL_SECONDS", 0.5)
    async with running_edge(LocalStore(tmp_path)) as running:
        yield running


async def said(edge: Edge, *sent: bytes) -> bytes:
    """Send, then read to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    for data in sent:
        writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_head_that_never_ends_is_cut_off(edge: Edge) -> None:
    assert await said(edge, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") == b""


async def test_a_connection_that_says_nothing_is_cut_off(edge: Edge) -> None:
    assert await said(edge) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_a_head_that_is_no_request_is_refused(edge: Edge, head: bytes) -> None:
    answer = await said(edge, head)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["error"]["error_code"] == "0x0000008"
    assert b"\r\nServer: countermark" in head
    assert b"\r\nConnection: close" in head or head.startswith(b"HTTP/1.0")


async def test_a_link_that_is_over_long_is_refused_as_every_other_error(edge: Edge) -> None:
    path = await edge.keep(b"film")
    longer = path.replace("/clip", "/" + "x" * 9000)
    answer = await edge.get(longer)
    assert (answer.status, answer.headers["Content-Type"]) == (
        400,
        "application/json; charset=utf-8",
    )
    assert b"too long" in answer.body
    assert (await edge.get(path)).body == b"film"


@pytest.mark.parametrize(
    "target", ["/d/%00/%00", "/d//", "/d/%2e%2e/x", "/%ff", "/d/a/b/c", "/uploads/", "//d/x/y", "*"]
)
async def test_a_target_that_is_no_route_is_refused(edge: Edge, target: str) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status = (await said(edge, head.encode())).split(b" ", 2)[1]
    assert status in {b"400", b"403", b"404", b"405"}


async def test_a_link_whose_bytes_are_not_utf_8_is_refused(edge: Edge) -> None:
    for target in (b"/d/token/\xff.mp4", b"/d/\xc3/clip.mp4"):
        answer = await said(edge, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.split(b" ", 2)[1] in {b"400", b"403"}


async def test_a_client_that_stops_reading_is_cut_off(edge: Edge) -> None:
    path = await edge.keep(bytes(LARGE))
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await edge_lets_go(edge)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(LARGE)
    writer.close()


async def edge_lets_go(edge: Edge) -> None:
    """Wait until the edge has closed the blob's file."""
    assert isinstance(edge.store, LocalStore)
    name = str(edge.store.path("files/aa"))
    async with asyncio.timeout(20):
        while any(name in held for held in open_files()):  # noqa: ASYNC110 - no one signals a close
            await asyncio.sleep(0.02)


def open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc to see open files")
    held = []
    for file in folder.iterdir():
        # The folder's own descriptor is among them, and closed by now.
        with contextlib.suppress(FileNotFoundError):
            held.append(str(file.readlink()))
    return held


async def test_an_upload_that_stops_coming_is_refused_and_not_kept(edge: Edge) -> None:
    fields = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in policies.form(policy(), RING).items()
    )
    head = f"POST /uploads/{UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n"
    answer = await said(
        edge,
        f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode(),
        fields + b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf',
    )
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["error_code"] == "0x0240001"
    assert await edge.blobs() == []


async def test_what_serves_is_named_without_its_version(edge: Edge) -> None:
    assert (await edge.get("/health")).headers["Server"] == "countermark"
    assert (await edge.get("/nothing")).headers["Server"] == "countermark"


async def test_others_are_served_while_many_are_stuck(edge: Edge) -> None:
    path = await edge.keep(bytes(LARGE))
    stuck = [await asyncio.open_connection("127.0.0.1", edge.port, limit=1024) for _ in range(50)]
    for _, writer in stuck:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answers = await asyncio.gather(*(edge.get(path, Range="bytes=0-99") for _ in range(20)))
    assert {answer.status for answer in answers} == {206}
    for _, writer in stuck:
        writer.close()
