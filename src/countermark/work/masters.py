"""A master's way into the store and the catalog.

Its making runs FFmpeg on hostile bytes, so it gets a process of its own with limits; this side
never loads the media libraries.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from msgspec import structs, to_builtins

from countermark.autograph.index import FRAMES_SIDECAR, SIDECAR
from countermark.catalog.records import NewFile, Sidecar, Thumbnail
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.description import Description
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.port import CHUNK_BYTES, BlobStore
from countermark.work.master_request import Master, MasterRequest
from countermark.work.sidecars import keep_sidecars

_ETAG_BYTES = 16


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


def as_master(
    new: NewFile, master: Master, description: Description, sidecars: tuple[Sidecar, ...]
) -> NewFile:
    """Complete a file's entry in the catalog for a master that was kept.

    Args:
        new: whose it is, where it lies in the catalog, and whatever else the caller sets.
        master: as made.
        description: of its blob.
        sidecars: from `keep_master`.
    """
    thumbnail = description.thumbnail
    return structs.replace(
        new,
        blob_key=file_key(new.id),
        size=master.size,
        size_on_disk=master.size * variants_of(master),
        autograph=True,
        # Every recipient's copy has its own sum; this only tells one master from another.
        etag=secrets.token_hex(_ETAG_BYTES),
        md5_checksum=None,
        header_crc=None,
        subtype=description.subtype,
        container=description.container,
        mime_type=description.mime_type,
        duration=description.duration,
        video_tracks=to_builtins(description.video_tracks),
        audio_tracks=to_builtins(description.audio_tracks),
        subtitle_tracks=to_builtins(description.subtitle_tracks),
        thumbnail=Thumbnail(thumbnail.mime_type, thumbnail.data) if thumbnail else None,
        sidecars=sidecars,
    )


def variants_of(master: Master) -> int:
    """How many variants a master's blob holds."""
    return Path(master.blob).stat().st_size // master.size


async def _bytes_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
