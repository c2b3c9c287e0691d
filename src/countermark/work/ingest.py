"""The ingest workflow: from a finished upload to a file that everything is known about.

    assemble → describe → register → clear

Each arrow is a checkpoint. A worker killed inside a step does that step again, so every step
leaves the same result when it runs twice. The file becomes visible in `register`, in one
transaction with the upload's status, thumbnail and all.
"""

import asyncio
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import structlog
from dbos import DBOS

from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.records import NewFile, UploadRecord
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import uploads as write_uploads
from countermark.errors import PublicError
from countermark.storage.layout import file_key
from countermark.storage.port import LocatesBlobs, Store
from countermark.work.assemble import Assembled, MissingPartError, assemble, clear
from countermark.work.described import columns, describe
from countermark.work.parts import INGEST_WORKFLOW, WorkParts, now_ms
from countermark.work.sidecars import Understood, keep_sidecars

log = structlog.get_logger()

LOST_PARTS = "Parts of the upload are gone from the store. Upload the file again."
BROKEN = "The upload could not be finished. Upload the file again."


def define_ingest(parts: WorkParts) -> Callable[[str], None]:
    """Register the workflow with DBOS; to be called once, before its launch."""

    @DBOS.step(name="ingest.assemble", retries_allowed=True, max_attempts=5, should_retry=_passing)
    def assemble_step(upload_id: str) -> bytes:
        return msgspec.json.encode(_assemble(parts, upload_id))

    @DBOS.step(name="ingest.describe", retries_allowed=True)
    def describe_step(upload_id: str) -> bytes:
        return msgspec.json.encode(_describe(parts, upload_id))

    @DBOS.step(name="ingest.register", retries_allowed=True, max_attempts=5, should_retry=_passing)
    def register_step(upload_id: str, assembled: bytes, outcome: bytes) -> None:
        _register(
            parts,
            upload_id,
            msgspec.json.decode(assembled, type=Assembled),
            msgspec.json.decode(outcome, type=Understood),
        )

    @DBOS.step(name="ingest.fail", retries_allowed=True, max_attempts=5)
    def fail_step(upload_id: str, error_msg: str) -> None:
        _fail(parts, upload_id, error_msg)

    @DBOS.step(name="ingest.clear", retries_allowed=True)
    def clear_step(upload_id: str) -> None:
        asyncio.run(clear(parts.store, upload_id))

    @DBOS.workflow(name=INGEST_WORKFLOW, max_recovery_attempts=None)
    def ingest(upload_id: str) -> None:
        try:
            assembled = assemble_step(upload_id)
            register_step(upload_id, assembled, describe_step(upload_id))
        except Exception as error:
            log.exception("ingest failed", upload=upload_id)
            fail_step(upload_id, _public_reason(error))
        clear_step(upload_id)

    return ingest


def _assemble(parts: WorkParts, upload_id: str) -> Assembled:
    upload = _upload(parts, upload_id)
    return asyncio.run(assemble(parts.store, upload.id, upload.file_id, upload.nb_chunks or 1))


def _describe(parts: WorkParts, upload_id: str) -> Understood:
    upload = _upload(parts, upload_id)
    with _local_copy(parts.store, file_key(upload.file_id), parts.spool) as path:
        outcome, texts = describe(parts.sandbox, path, posixpath.basename(upload.object_key))
    sidecars = asyncio.run(keep_sidecars(parts.store, upload.file_id, outcome.description, texts))
    return Understood(outcome.description, outcome.problem, sidecars)


def _register(parts: WorkParts, upload_id: str, assembled: Assembled, outcome: Understood) -> None:
    now = now_ms()
    with parts.database.write() as connection:
        upload = read_uploads.upload_to_ingest(connection, upload_id)
        if upload is None or upload.status != "COMPLETING":
            # Done by an earlier run of this step; by now the file may even be deleted again.
            return
        write_files.register(connection, _new_file(upload, assembled, outcome), now)
        write_uploads.complete(connection, upload_id, outcome.problem, now)
    parts.metrics.ingests.labels("problem" if outcome.problem else "understood").inc()
    log.info(
        "ingested",
        upload=upload_id,
        file=upload.file_id,
        size=assembled.size,
        problem=outcome.problem,
    )


def _new_file(upload: UploadRecord, assembled: Assembled, outcome: Understood) -> NewFile:
    return NewFile(
        id=upload.file_id,
        user_id=upload.user_id,
        application_id=upload.application_id,
        pipeline_id=upload.pipeline_id,
        object_key=upload.object_key,
        md5_checksum=assembled.md5,
        header_crc=assembled.header_crc,
        size=assembled.size,
        size_on_disk=assembled.size,
        blob_key=assembled.blob_key,
        etag=assembled.md5,
        expires_at=upload.file_expires_at,
        created_at=upload.created_at,
        sidecars=outcome.sidecars,
        **columns(outcome.description),
    )


def _fail(parts: WorkParts, upload_id: str, error_msg: str) -> None:
    upload = _upload(parts, upload_id)
    parts.metrics.ingests.labels("failed").inc()
    with parts.database.write() as connection:
        write_uploads.fail(connection, upload_id, error_msg, now_ms())
    asyncio.run(parts.store.delete(file_key(upload.file_id)))


def _upload(parts: WorkParts, upload_id: str) -> UploadRecord:
    with parts.database.read() as connection:
        upload = read_uploads.upload_to_ingest(connection, upload_id)
    if upload is None:
        raise MissingPartError(f"upload {upload_id} is not in the catalog")
    return upload


@contextmanager
def _local_copy(store: Store, key: str, spool: Path) -> Iterator[Path]:
    """The blob as a file: itself where it is one, else a copy for the time of the block."""
    if isinstance(store, LocatesBlobs):
        yield store.path(key)
        return
    spool.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spool) as folder:
        path = Path(folder) / "blob"
        asyncio.run(_copy(store, key, path))
        yield path


async def _copy(store: Store, key: str, path: Path) -> None:
    with path.open("wb") as file:
        async for piece in store.read(key):
            file.write(piece)


def _passing(error: BaseException) -> bool:
    """Whether trying again may help: not when the input itself is wrong."""
    return not isinstance(error, PublicError | MissingPartError) or _is_server_side(error)


def _is_server_side(error: BaseException) -> bool:
    return isinstance(error, PublicError) and error.status >= 500  # noqa: PLR2004 - HTTP's 5xx


def _public_reason(error: Exception) -> str:
    if isinstance(error, MissingPartError):
        return LOST_PARTS
    if isinstance(error, PublicError) and error.detail and not _is_server_side(error):
        return error.detail
    return BROKEN
