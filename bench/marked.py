"""Recipients' copies of a master beside the plain file and nginx: what splicing costs.

The master's bytes are noise: an edge looks at its index alone. A segment of half a megabyte is
0.75 s of a film at 5 Mbit/s.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np

from bench.peers import nginx
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.service import Countermark, countermark
from bench.uploads import put_file
from countermark.autograph.code import Code
from countermark.autograph.index import SIDECAR, SpliceIndex, encode
from countermark.catalog.database import Database
from countermark.catalog.readers import autograph
from countermark.catalog.records import NewFile, Sidecar
from countermark.catalog.tables import pipelines
from countermark.catalog.writers import files
from countermark.ids import new_id
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.local import LocalStore

_SIZE = 256 << 20
_SEGMENT = 512 << 10
_VARIANTS = 2
_STREAMS = (1, 32)
_OF_PLAIN, _OF_NGINX, _OF_FIRST = 0.95, 0.90, 0.90
_CACHE = (
    "All clients begin at once and read nearly the same bytes at the same time, so that the "
    "processor's cache spares most reads of the memory; of a plain file it has to hold one copy, "
    "of a master each variant. The row beside as many plain files as variants has this aside."
)

_APART = "As of people who watch the same film, but not together."


def rows(run: Run) -> Iterator[Row]:
    """Megabytes per second over kept connections, all bytes in the page cache; small answers."""
    with temporary_folder() as folder:
        content = folder / "content.bin"
        write_content(content, _SIZE // run.scale)
        with nginx(folder / "nginx", folder) as peer, countermark(folder / "ours") as ours:
            plain_file = put_file(run, ours, content)
            master = put_master(ours, folder / "ours" / "data", content.stat().st_size)
            copies = [ours.link(master, autograph_tag=f"person {at}") for at in range(32)]
            whole = (ours.edge_port, [f"GET {copy}" for copy in copies])
            # As many links on both sides, so that both are remembered and counted alike.
            beside = (ours.edge_port, [f"GET {ours.link(plain_file)}" for _ in copies])
            for streams in _STREAMS:
                note = _CACHE if streams > 1 else ""
                yield _row(run, streams, whole, beside, "beside the plain file", _OF_PLAIN, note)
                page = (peer.port, [f"GET /{content.name}"])
                yield _row(run, streams, whole, page, "beside nginx", _OF_NGINX)
            files = [plain_file, *(put_file(run, ours, content) for _ in range(1, _VARIANTS))]
            taken = zip(cycle(files), copies, strict=False)
            several = (ours.edge_port, [f"GET {ours.link(file)}" for file, _ in taken])
            what = f"beside {_VARIANTS} plain files"
            yield _row(run, _STREAMS[-1], whole, several, what, _OF_PLAIN)
            size = content.stat().st_size
            what = "each from another place on, beside the plain file"
            apart = _apart(whole, size), _apart(beside, size)
            yield _row(run, _STREAMS[-1], *apart, what, _OF_PLAIN, _APART)
            yield _first_bytes(run, whole, beside)


def _row(
    run: Run,
    streams: int,
    ours: tuple[int, list[str]],
    peer: tuple[int, list[str]],
    beside: str,
    reach: float,
    note: str = "",
) -> Row:
    def rate(side: tuple[int, list[str]]) -> float:
        port, requests = side
        measured = run.load.run(port, requests, connections=streams, seconds=run.seconds)
        return measured.megabytes_per_second

    pair = alternate(lambda: rate(ours), lambda: rate(peer), run.turns)
    what = f"marked download, {streams} stream{'s' if streams > 1 else ''}, {beside}"
    return faster(what, pair, "MB/s", reach, note)


def _apart(side: tuple[int, list[str]], size: int) -> tuple[int, list[str]]:
    """The same requests, each for what follows another place of the file."""
    port, requests = side
    step = size // len(requests)
    return port, [f"{request}#{at * step}" for at, request in enumerate(requests)]


def _first_bytes(run: Run, ours: tuple[int, list[str]], plain: tuple[int, list[str]]) -> Row:
    def rate(side: tuple[int, list[str]]) -> float:
        port, requests = side
        headers = ["Range: bytes=0-1023"]
        measured = run.load.run(port, requests, seconds=run.seconds, headers=headers)
        return measured.per_second

    pair = alternate(lambda: rate(ours), lambda: rate(plain), run.turns)
    note = "First kilobytes, one after another: the time to a first byte, and its inverse."
    return faster("marked download, first bytes", pair, "answers/s", _OF_FIRST, note)


def put_master(ours: Countermark, data_dir: Path, size: int) -> str:
    """Put a master of noise into a running service; its id."""
    file_id = new_id()
    database = Database(f"sqlite:///{data_dir / 'catalog.sqlite'}")
    with database.read() as connection:
        key = autograph.keys(connection)[-1]
    index = _index(file_id, key.id, key.secret, size)
    sidecar = Sidecar(SIDECAR, None, sidecar_key(file_key(file_id), SIDECAR))
    asyncio.run(_put(LocalStore(data_dir / "blobs"), file_id, size, encode(index)))
    with database.write() as connection:
        pipeline = connection.execute(
            pipelines.select().where(pipelines.c.id == ours.pipeline_id)
        ).one()
        new = NewFile(
            id=file_id,
            user_id=pipeline.user_id,
            application_id=pipeline.application_id,
            pipeline_id=pipeline.id,
            object_key="master.mp4",
            blob_key=file_key(file_id),
            size=size,
            size_on_disk=_VARIANTS * size,
            etag=file_id,
            mime_type="video/mp4",
            autograph=True,
            sidecars=(sidecar,),
        )
        files.register(connection, new, time.time_ns() // 1_000_000)
    database.close()
    return file_id


def _index(file_id: str, key_id: int, key: bytes, size: int) -> SpliceIndex:
    starts = list(range(64 << 10, size, _SEGMENT))
    count = len(starts)
    code = Code(key, file_id, _VARIANTS)
    return SpliceIndex(
        master=file_id,
        key_id=key_id,
        variants=_VARIANTS,
        size=size,
        strength="light",
        starts=starts,
        biases=code.biases(np.arange(count)).tobytes(),
        first_frames=range(0, 18 * count + 1, 18),
        time_base=(1, 24),
        times=range(0, 18 * count + 1, 18),
        carries=b"\xff" * count,
    )


async def _put(store: LocalStore, file_id: str, size: int, index: bytes) -> None:
    async def noise() -> AsyncIterator[bytes]:
        block = np.random.default_rng(1).bytes(1 << 20)
        for _ in range(_VARIANTS * size // len(block)):
            yield block

    async def once() -> AsyncIterator[bytes]:
        yield index

    await store.put(file_key(file_id), noise())
    await store.put(sidecar_key(file_key(file_id), SIDECAR), once())
