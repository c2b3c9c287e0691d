"""A master's making, and its way into the store.

Its making runs FFmpeg on hostile bytes, so it gets a process of its own with limits; this side
never loads the media libraries.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from countermark.autograph.index import FRAMES_SIDECAR, SIDECAR
from countermark.catalog.records import Sidecar
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.description import Description
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.port import CHUNK_BYTES, BlobStore
from countermark.work.master_request import Master, MasterRequest
from countermark.work.sidecars import keep_sidecars


def mastered(
    request: MasterRequest,
    limits: ChildLimits,
    on_progress: Callable[[float], None] = lambda _part: None,
) -> Master:
    """Make a master in a process of its own.

    Args:
        request: what to make.
        limits: the bounds to do it in.
        on_progress: see `run_in_child`; what it raises ends the work. Asked again with the same
            folder, it goes on where it was.

    Raises:
        PublicError: why there can be none.
    """
    return run_in_child(
        "countermark.work.mastering:make_master", request, Master, limits, on_progress
    )


async def keep_master(
    store: BlobStore, file_id: str, master: Master, description: Description
) -> tuple[Sidecar, ...]:
    """Store a master's blob and what belongs to it; doing it again replaces them by the same.

    The index comes before the blob, so that no blob is ever there without it.

    Args:
        store: where to.
        file_id: the id that it was made for.
        master: as made.
        description: of its blob, which describes as its first variant.
    """
    kept = list(await keep_sidecars(store, file_id, description, ()))
    for name, path in ((SIDECAR, master.index), (FRAMES_SIDECAR, master.fingerprint)):
        key = sidecar_key(file_key(file_id), name)
        await store.put(key, _bytes_of(Path(path)))
        kept.append(Sidecar(name, None, key))
    await store.put(file_key(file_id), _bytes_of(Path(master.blob)))
    return tuple(kept)


async def _bytes_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
