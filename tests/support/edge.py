"""Real edges on loopback: one in the test's own process, or one that can be killed."""

import contextlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession, FormData, TCPConnector, web
from yarl import URL

from countermark.edge.parts import EdgeParts
from countermark.edge.serve import build_runner
from countermark.links.keys import KeyRing
from countermark.links.link import mint
from countermark.links.policy import UploadPolicy, form
from countermark.settings import Network
from countermark.storage.layout import PartNote, part_note_key
from countermark.storage.local import LocalStore
from countermark.storage.port import Store
from support.links import LINK, RING, link, policy
from support.ports import free_port
from support.sources import source, whole

TESTS = Path(__file__).parents[1]
MARK_KEY = bytes(range(32))  # of the masters that an edge process has, under the id 1


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Edge:
    url: str
    port: int
    store: Store
    client: ClientSession

    async def keep(self, data: bytes, **changes: object) -> str:
        """Store a blob and give the path of a link to it."""
        key = str(changes.get("blob_key", LINK.blob_key))
        await self.store.put(key, source(data))
        return mint(link(**{"size": len(data), **changes}), RING)

    async def ask(self, method: str, path: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self.url + path, encoded=True)
        async with self.client.request(method, url, headers=named, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, **headers)

    async def post(
        self, content: object, given: UploadPolicy | None = None, query: str = "", **fields: str
    ) -> Answer:
        """Post content as a client does; `fields` replace or follow those of the form."""
        given = given or policy()
        data = FormData()
        for name, value in {**form(given, RING), **fields}.items():
            data.add_field(name, value)
        data.add_field("file", content, filename="clip.mp4")
        url = f"{self.url}/uploads/{given.upload_id}{query}"
        async with self.client.post(url, data=data) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def note(self, upload_id: str, chunk: int = 0) -> PartNote:
        text = await whole(self.store.read(part_note_key(upload_id, chunk)))
        return msgspec.json.decode(text, type=PartNote)

    async def blobs(self) -> list[str]:
        return sorted([blob.key async for blob in self.store.list("")])


@contextlib.asynccontextmanager
async def running_edge(
    store: Store,
    *,
    ring: KeyRing = RING,
    trusted_proxies: tuple[Network, ...] = (),
    max_upload_bytes: int = 1 << 30,
    **others: Any,
) -> AsyncIterator[Edge]:
    parts = EdgeParts(
        store=store,
        ring=lambda: ring,
        trusted_proxies=trusted_proxies,
        max_upload_bytes=max_upload_bytes,
        api_url="http://api.example/hub",
        **others,
    )
    runner = build_runner(parts)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        connector = TCPConnector(limit=0)
        async with ClientSession(connector=connector, auto_decompress=False) as client:
            yield Edge(f"http://127.0.0.1:{port}", port, store, client)
    finally:
        await runner.cleanup()


_PROCESS = """
import asyncio, sys
from pathlib import Path
from support.edge import MARK_KEY
from support.links import RING
from countermark.edge.admission import Gate, Policies
from countermark.links.ledger import open_ledger
from countermark.edge.parts import EdgeParts
from countermark.edge.serve import serve
from countermark.storage.local import LocalStore

policies = Policies(open_ledger(sys.argv[3]), 3600) if sys.argv[3:] else None
parts = EdgeParts(store=LocalStore(Path(sys.argv[1])), ring=lambda: RING, trusted_proxies=(),
                  gate=Gate(policies=policies), max_upload_bytes=1 << 40, api_url="http://api.example",
                  marks=lambda: {1: MARK_KEY})
asyncio.run(serve(parts, "127.0.0.1", int(sys.argv[2])))
"""


@contextlib.contextmanager
def edge_process(
    root: Path, port: int | None = None, ledger_url: str | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `serve` over a local store; gives the process and its URL."""
    LocalStore(root)
    port = port or free_port()
    given = [str(root), str(port), *([ledger_url] if ledger_url else [])]
    process = subprocess.Popen([sys.executable, "-c", _PROCESS, *given], cwd=TESTS)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, url)
        yield process, url
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url + "/health", timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
