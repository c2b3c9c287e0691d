"""Every option of a link at two edge processes that share a ledger, one killed in mid-download.

`max_parallel_downloads` and one-time links are in test_edge_policies_killed.py.
"""

import asyncio
import http.client
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from countermark.autograph.index import SIDECAR, encode
from countermark.autograph.splice import Copy
from countermark.links.link import mint
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.local import LocalStore
from support.edge import MARK_KEY, edge_process
from support.links import LINK, RING, link
from support.masters import MASTER, coded_index, master_blob
from support.sources import source

BLOCK = bytes(range(256)) * 4096
SIZE = 64 * len(BLOCK)
OWNER, STRANGER = "127.0.0.1", "127.0.0.2"
TAG = "anna@example.com"
INDEX = coded_index(MARK_KEY, 2, 12, longest=4 << 20)
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,*/*",
    "Sec-Fetch-Dest": "document",
}
OTHER_BROWSER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36"}
MOST_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def ask(url: str, path: str, client: str = OWNER, **headers: str) -> Answer:
    port = int(url.rpartition(":")[2])
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=MOST_SECONDS, source_address=(client, 0)
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=named)
    answer = connection.getresponse()
    found = Answer(answer.status, answer.read())
    connection.close()
    return found


class Download:
    """One that stops reading after its first bytes, as a slow client does."""

    def __init__(self, url: str, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.settimeout(MOST_SECONDS)
        self._socket.bind((OWNER, 0))
        self._socket.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self._answer = http.client.HTTPResponse(self._socket)
        self._answer.begin()
        self.status = self._answer.status
        self.first = self._answer.read(1000)

    def rest(self) -> bytes:
        return self._answer.read()

    def close(self) -> None:
        self._answer.close()
        self._socket.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blobs")

    async def keep() -> None:
        store = LocalStore(folder)
        await store.put(LINK.blob_key, source(*[BLOCK] * 64))
        await store.put(file_key(MASTER), source(master_blob(INDEX)))
        await store.put(sidecar_key(file_key(MASTER), SIDECAR), source(encode(INDEX)))

    asyncio.run(keep())
    return folder


@dataclass
class Pair:
    """Two edges; `kill` ends the first in the middle of what it sends."""

    first: str
    second: str
    _process: Any
    _open: ExitStack

    def begin(self, path: str) -> Download:
        """A download at the first edge; given up when the test ends."""
        download = Download(self.first, path)
        self._open.callback(download.close)
        assert download.status == 200
        return download

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def two_edges(root: Path, ledger_url: str) -> Iterator[Pair]:
    with (
        edge_process(root, ledger_url=ledger_url) as (doomed, first),
        edge_process(root, ledger_url=ledger_url) as (_, second),
        ExitStack() as opened,
    ):
        yield Pair(first, second, doomed, opened)


def path_of(**options: Any) -> str:
    return mint(link(**({"size": SIZE} | options)), RING)


def test_what_a_link_says_holds_at_the_edge_that_is_left(root: Path, ledger_url: str) -> None:
    with two_edges(root, ledger_url) as edges:
        bound = path_of(address=OWNER, serial="bound")
        guarded = path_of(guarded=True, serial="guarded")
        page = path_of(inline=True, serial="page")
        copy = path_of(
            blob_key=file_key(MASTER), file=MASTER, size=INDEX.size, variants=2, tag=TAG, etag="c"
        )
        begun = {path: edges.begin(path) for path in (bound, guarded, page, copy)}
        for edge in (edges.first, edges.second):
            assert ask(edge, bound, STRANGER).status == 403
            assert ask(edge, guarded, STRANGER).status == 403
        edges.kill()
        # Who had begun goes on at the edge that is left, where nobody else can.
        for path in (bound, guarded, page):
            rest = ask(edges.second, path, Range="bytes=1000-")
            assert rest.status == 206
            assert begun[path].first + rest.body == BLOCK * 64
        assert ask(edges.second, bound, STRANGER).status == 403
        assert ask(edges.second, guarded, STRANGER).status == 403
        assert ask(edges.second, guarded, **BROWSER).status == 200
        assert b"<video" in ask(edges.second, page, **BROWSER).body
        rest = ask(edges.second, copy, Range="bytes=1000-")
        assert begun[copy].first + rest.body == copy_of(TAG)


def copy_of(tag: str) -> bytes:
    blob = master_blob(INDEX)
    spans = Copy(INDEX, MARK_KEY, tag).spans(0, INDEX.size)
    return b"".join(blob[start:stop] for start, stop in spans)


def test_a_browser_stays_bound_when_the_edge_that_bound_it_is_killed(
    root: Path, ledger_url: str
) -> None:
    with two_edges(root, ledger_url) as edges:
        guarded = path_of(guarded=True)
        assert ask(edges.first, guarded, **BROWSER).status == 200
        edges.kill()
        assert ask(edges.second, guarded, **OTHER_BROWSER).status == 403
        assert ask(edges.second, guarded, **BROWSER).status == 200


def test_time_ends_a_link_at_both_edges_and_no_running_download(
    root: Path, ledger_url: str
) -> None:
    with two_edges(root, ledger_url) as edges:
        path = path_of(expires_at=int(time.time()) + 3)
        edges.begin(path)
        running = Download(edges.second, path)
        edges.kill()
        deadline = time.monotonic() + MOST_SECONDS
        while ask(edges.second, path, Range="bytes=0-0").status != 410:
            assert time.monotonic() < deadline
        assert running.first + running.rest() == BLOCK * 64
        running.close()
