"""Files that a job makes: from the job's folder into the store, and from there into the catalog.

A stored blob is known to the job's row from before its first byte is written, so that it goes
when the job ends without it. Every execution stores under ids of its own: two that do the same at
the same time never touch each other's blobs.
"""

import asyncio
import posixpath
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from countermark.catalog.records import NewFile, PipelineRecord, Sidecar
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import job_runs
from countermark.ids import new_id
from countermark.media.description import Description
from countermark.storage.checksums import Digest
from countermark.storage.layout import POSTER_NAME, file_key, sidecar_key, subtitles_name
from countermark.storage.port import CHUNK_BYTES
from countermark.work.described import columns, describe
from countermark.work.job_execution import Execution, JobLostError
from countermark.work.parts import now_ms
from countermark.work.sidecars import keep_sidecars

DEFAULT_RETENTION_MS = 7 * 86_400_000


class MadeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is stored and not in the catalog yet.

    Attributes:
        file_id: The id that it will have.
        object_key: Where it will lie.
        passing: Whether it goes after a while even if the pipeline keeps what it makes.
        size: Bytes, of one copy if it is a master.
        size_on_disk: Bytes.
    """

    file_id: str
    object_key: str
    blob_key: str
    size: int
    size_on_disk: int
    md5: str | None
    header_crc: str | None
    etag: str
    description: Description
    sidecars: tuple[Sidecar, ...] = ()
    autograph: bool | None = None
    passing: bool = False


def keep_file(
    execution: Execution, path: Path, object_key: str, *, passing: bool = False
) -> MadeFile:
    """Store a file of the job's folder, and learn what is to be known of it."""
    parts, file_id = execution.parts, new_id()
    key = file_key(file_id)
    outcome, texts = describe(parts.sandbox, path, posixpath.basename(object_key))
    beside = [POSTER_NAME, *(subtitles_name(number) for number in range(len(texts)))]
    intend(execution, [key, *(sidecar_key(key, name) for name in beside)])
    digest = Digest()
    asyncio.run(parts.store.put(key, _pieces(execution, path, digest)))
    return MadeFile(
        file_id=file_id,
        object_key=object_key,
        blob_key=key,
        size=digest.size,
        size_on_disk=digest.size,
        md5=digest.md5,
        header_crc=digest.header_crc,
        etag=digest.md5,
        description=outcome.description,
        sidecars=asyncio.run(keep_sidecars(parts.store, file_id, outcome.description, texts)),
        passing=passing,
    )


def intend(execution: Execution, blob_keys: Sequence[str]) -> None:
    """Say which blobs are about to be stored."""
    with execution.parts.database.write() as connection:
        if not job_runs.intend_blobs(connection, execution.run, list(blob_keys), now_ms()):
            raise JobLostError


def register(
    connection: Connection, execution: Execution, made: MadeFile, pipeline: PipelineRecord
) -> None:
    """Make a file visible; in the transaction that ends the job."""
    job, now = execution.job, now_ms()
    new = NewFile(
        id=made.file_id,
        user_id=job.user_id,
        application_id=job.application_id,
        pipeline_id=job.pipeline_id,
        job_id=job.id,
        object_key=made.object_key,
        md5_checksum=made.md5,
        header_crc=made.header_crc,
        size=made.size,
        size_on_disk=made.size_on_disk,
        autograph=made.autograph,
        user_data=job.user_data,
        blob_key=made.blob_key,
        etag=made.etag,
        expires_at=expiry(pipeline, now, passing=made.passing),
        sidecars=made.sidecars,
        **columns(made.description),
    )
    write_files.register(connection, new, now)


def expiry(pipeline: PipelineRecord, now: int, *, passing: bool) -> int | None:
    """When something that a job makes ends; None for never."""
    if pipeline.default_object_timeout is not None and pipeline.store_mode == "temporary":
        return now + pipeline.default_object_timeout * 1000
    return now + DEFAULT_RETENTION_MS if passing else None


async def _pieces(execution: Execution, path: Path, digest: Digest) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            digest.update(piece)
            execution.tick()  # a cancelled job is not stored to its end
            yield piece
