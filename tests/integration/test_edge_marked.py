"""Marked downloads over loopback: every answer is a slice of the recipient's own copy."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from countermark.autograph.index import SIDECAR, SpliceIndex, encode
from countermark.autograph.splice import Copy
from countermark.edge.transfers import Transfer, Transfers
from countermark.links.link import Link, mint
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.local import LocalStore
from countermark.storage.open import open_store
from countermark.storage.port import Store
from support.edge import MARK_KEY, Answer, Edge, running_edge
from support.links import RING, link
from support.masters import MASTER, coded_index, master_blob
from support.memory_store import MemoryStore
from support.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, seaweed
from support.sources import source

KEY = MARK_KEY
INDEX = coded_index(KEY, 2, 120, longest=20_000)
BLOB = master_blob(INDEX)
SIZE = INDEX.size


class Sent:
    """Listens to transfers."""

    def __init__(self) -> None:
        self.spans: list[list[list[int]]] = []

    def begun(self, transfer: Transfer) -> None:
        pass

    def sent(self, transfer: Transfer, start: int, stop: int) -> None:
        pass

    def ended(self, transfer: Transfer) -> None:
        self.spans.append(transfer.spans)


@dataclass
class Marked:
    edge: Edge
    sent: Sent

    def path(self, tag: str = "", **changes: object) -> str:
        return mint(master_link(tag, **changes), RING)

    async def get(self, tag: str, **headers: str) -> Answer:
        return await self.edge.get(self.path(tag), **headers)


def master_link(tag: str = "", **changes: object) -> Link:
    known = {"blob_key": file_key(MASTER), "file": MASTER, "size": SIZE, "variants": 2}
    return link(**{**known, "tag": tag, "etag": f"etag-of-{tag}", **changes})


def copy_for(tag: str) -> bytes:
    spans = Copy(INDEX, KEY, tag).spans(0, SIZE)
    return b"".join(BLOB[start:stop] for start, stop in spans)


async def keep_master(store: Store, index: SpliceIndex = INDEX, blob: bytes = BLOB) -> None:
    await store.put(file_key(MASTER), source(blob))
    await store.put(sidecar_key(file_key(MASTER), SIDECAR), source(encode(index)))


def make_store(kind: str, folder: Path) -> Store:
    return LocalStore(folder) if kind == "files" else MemoryStore()


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        seaweed(tmp_path_factory.mktemp("seaweed")) as endpoint,
        pytest.MonkeyPatch.context() as env,
    ):
        env.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        env.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        yield f"s3://{BUCKET}/marked?endpoint={endpoint}&region=us-east-1"


@pytest.fixture(params=["files", "memory", "s3"])
async def marked(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Marked]:
    if request.param == "s3":
        store = open_store(request.getfixturevalue("bucket"))
    else:
        store = make_store(request.param, tmp_path)
    sent = Sent()
    await keep_master(store)
    async with running_edge(store, marks=lambda: {1: KEY}, transfers=Transfers(sent)) as edge:
        yield Marked(edge, sent)


async def test_each_recipient_gets_the_copy_of_the_listed_size(marked: Marked) -> None:
    for tag in ("Zoë 🎬", "a", "x" * 256):
        answer = await marked.get(tag)
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(SIZE))
        assert answer.body == copy_for(tag)
    assert copy_for("a") != copy_for("x" * 256)


async def test_without_a_person_the_copy_is_the_applications(marked: Marked) -> None:
    answer = await marked.get("")
    assert answer.body == copy_for(f"application/{link().application}")
    assert answer.body != BLOB[:SIZE]


async def test_any_range_is_a_slice_of_the_copy(marked: Marked) -> None:
    random, whole = Random(3), copy_for("a")  # noqa: S311 - a test repeats
    for _ in range(20):
        start = random.randrange(SIZE)
        stop = random.randrange(start, SIZE) + 1
        answer = await marked.get("a", Range=f"bytes={start}-{stop - 1}")
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
        assert answer.body == whole[start:stop]


async def test_several_ranges_are_slices_of_the_copy(marked: Marked) -> None:
    answer = await marked.get("a", Range="bytes=5000-25000, 0-9, -70000")
    bodies = re.findall(rb"\r\n\r\n(.*?)\r\n--[0-9a-f]{32}", answer.body, re.DOTALL)
    whole = copy_for("a")
    assert bodies == [whole[5000:25001], whole[:10], whole[-70_000:]]


async def test_head_tells_the_size_and_tag_of_the_copy(marked: Marked) -> None:
    answer = await marked.edge.ask("HEAD", marked.path("a"))
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["ETag"] == '"etag-of-a"'


async def test_half_a_copy_is_not_continued_with_anothers(marked: Marked) -> None:
    etag = (await marked.get("a")).headers["ETag"]
    other = await marked.get("b", Range="bytes=1000-", If_Range=etag)
    assert (other.status, other.body) == (200, copy_for("b"))
    same = await marked.get("a", Range="bytes=1000-", If_Range=etag)
    assert (same.status, same.body) == (206, copy_for("a")[1000:])


async def test_what_was_sent_is_told_in_offsets_of_the_copy(marked: Marked) -> None:
    await marked.get("a")
    await marked.get("a", Range="bytes=100000-299999")
    assert marked.sent.spans == [[[0, SIZE]], [[100_000, 300_000]]]


async def test_what_the_player_streams_is_the_copy(marked: Marked) -> None:
    path = marked.path("a", inline=True)
    page = await marked.edge.get(path, Accept="text/html")
    assert b"<video" in page.body
    streamed = await marked.edge.get(f"{path}?stream", Accept="text/html")
    assert streamed.body == copy_for("a")
    beside = await marked.edge.get(f"{path}?autograph")
    assert beside.body == copy_for("a")


async def test_a_link_that_hides_that_the_file_is_a_master_gets_nothing(marked: Marked) -> None:
    answer = await marked.edge.get(marked.path("a", variants=1))
    assert (answer.status, code_of(answer)) == (404, "0x0250004")


async def test_many_recipients_at_once_get_their_own(marked: Marked) -> None:
    tags = [f"recipient {number}" for number in range(8)]
    answers = await asyncio.gather(*(marked.get(tag) for tag in tags))
    assert [answer.body for answer in answers] == [copy_for(tag) for tag in tags]


@pytest.mark.parametrize("kind", ["files", "memory"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"no index",
        lambda index: encode(replace(index, master="f" * 24)),
        lambda index: encode(replace(index, size=SIZE + 1)),
        lambda index: encode(replace(index, key_id=2)),
        lambda _: bytes(9 << 20),
    ],
)
async def test_a_damaged_index_is_an_error_and_no_bytes_leave(
    kind: str, damage: Callable[[SpliceIndex], bytes], tmp_path: Path
) -> None:
    store = make_store(kind, tmp_path)
    await keep_master(store)
    await store.put(sidecar_key(file_key(MASTER), SIDECAR), source(damage(INDEX)))
    async with running_edge(store, marks=lambda: {1: KEY}) as edge:
        answer = await edge.get(mint(master_link("a"), RING))
    assert (answer.status, code_of(answer)) == (500, "0x0000001")


@pytest.mark.parametrize("kind", ["files", "memory"])
async def test_a_deleted_master_is_gone(kind: str, tmp_path: Path) -> None:
    async with running_edge(make_store(kind, tmp_path), marks=lambda: {1: KEY}) as edge:
        answer = await edge.get(mint(master_link("a"), RING))
        assert (answer.status, code_of(answer)) == (404, "0x0250004")


async def test_more_masters_than_are_remembered_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("countermark.edge.copies.KEPT_SEGMENTS", 10)
    store = LocalStore(tmp_path)
    await keep_master(store)
    small = replace(coded_index(KEY, 4, 5), master="e" * 24)
    await store.put(file_key(small.master), source(master_blob(small)))
    await store.put(sidecar_key(file_key(small.master), SIDECAR), source(encode(small)))
    changes = {"blob_key": file_key(small.master), "size": small.size, "variants": 4}
    async with running_edge(store, marks=lambda: {1: KEY}) as edge:
        for _ in range(2):
            assert (await edge.get(mint(master_link("a"), RING))).body == copy_for("a")
            answer = await edge.get(mint(master_link("a", **changes), RING))
            assert (answer.status, len(answer.body)) == (200, small.size)


def code_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["error"]["error_code"])
