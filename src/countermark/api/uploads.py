"""Uploads: begin one, finish it, see how it went. The bytes go to the edge."""

from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.downloads import address_of
from countermark.api.object_keys import (
    KEY_PATTERN,
    MAX_KEY_BYTES,
    folders_of,
    object_key_problem,
)
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Nulls, ResourceId
from countermark.api.resources import Upload, UploadAnswer, shape
from countermark.catalog.readers import files, pipelines, uploads
from countermark.catalog.records import PipelineRecord, UploadRecord
from countermark.catalog.writers import uploads as write_uploads
from countermark.errors import (
    InvalidUploadInputError,
    PipelineNotFoundError,
    UploadNotFoundError,
)
from countermark.links.policy import UploadPolicy, form
from countermark.storage.layout import part_note_key, upload_prefix

DEFAULT_RETENTION = 7 * 86_400  # seconds
MOST_CHUNKS = 10_000
_LATEST = 2**43 // 1000  # seconds; far beyond any calendar that clients handle
_SHOWN_CHUNKS = 20


class NewUploadQuery(Nulls, frozen=True, kw_only=True):
    """Where the file will lie and how long."""

    object_key: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_KEY_BYTES,
            pattern=KEY_PATTERN,
            description="Path of the file below the pipeline's root folder: at most 1,024 bytes "
            "of UTF-8, segments of 1 to 255 bytes joined by /, none of them . or .., no "
            "backslash, no control character.",
        ),
    ]
    pipeline_id: Annotated[ResourceId, Meta(description="The pipeline to put the file into.")]
    expires_at: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=_LATEST,
                description="When the file is deleted, seconds since the epoch; 0 for never. "
                "Default: the pipeline's default_object_timeout, or seven days, unless a "
                "job uses it before.",
            ),
        ]
        | None
    ) = None
    ip: (
        Annotated[
            str,
            Meta(min_length=1, max_length=45, description="Only this client may post the file."),
        ]
        | None
    ) = None


class Chunks(Struct, frozen=True):
    """How many chunks the file was sent in."""

    nb_chunks: Annotated[int, Meta(ge=1, le=MOST_CHUNKS)]


class FinishUploadBody(Struct, frozen=True):
    """The body that finishes an upload."""

    upload: Chunks


async def create_upload(call: Call[NewUploadQuery]) -> UploadAnswer:
    """Begin an upload.

    Post the content as multipart/form-data to `form_post_url`, with all of `form_post_params`
    before it, in one or more chunks; then finish with PUT.
    """
    query = call.query
    if problem := object_key_problem(query.object_key):
        raise InvalidUploadInputError(f"object_key: {problem}")
    address = address_of(query.ip, InvalidUploadInputError)
    catalog = call.services.catalog
    pipeline = await catalog.read(lambda connection: _find_place(connection, call))
    record = await catalog.write(lambda connection: _create(connection, call, pipeline))
    return _answer(call, record, _form(call, record, address))


async def show_upload(call: Call[Nulls]) -> UploadAnswer:
    """Show how far an upload is."""
    return _answer(call, await _find(call))


async def finish_upload(call: Call[Nulls]) -> UploadAnswer:
    """Finish an upload, once all of its chunks are there.

    May be repeated. The file appears when the status is COMPLETED.
    """
    chunks = (await call.json_body(FinishUploadBody)).upload.nb_chunks
    found = await _find(call)
    _check_state(found, chunks)
    if found.status == "UPLOADING":
        await _check_chunks(call, chunks)
        found = await _begin_completing(call, chunks)
        _check_state(found, chunks)  # it may have been given up in between
    if found.status == "COMPLETED":
        return _answer(call, found)
    # Also for one that is completing: whoever finished it first may have died right here.
    await call.services.catalog.apart(lambda: call.services.parts.enqueue_ingest(found.id))
    return _answer(call, found)


def _find_place(connection: Connection, call: Call[NewUploadQuery]) -> PipelineRecord:
    """The pipeline; refuses early what could not be registered at last."""
    query, user_id = call.query, call.caller.user_id
    pipeline = pipelines.pipeline(connection, user_id, query.pipeline_id)
    if pipeline is None:
        raise PipelineNotFoundError
    for key in [*folders_of(query.object_key), query.object_key]:
        there = files.file_by_key(connection, user_id, query.pipeline_id, key, call.now)
        # A file may replace a file, and lie in a folder; never the other way round.
        if there and (there.type == "folder") == (key == query.object_key):
            raise InvalidUploadInputError(f"object_key: {key[:80]!r} is a {there.type}")
    return pipeline


def _create(
    connection: Connection, call: Call[NewUploadQuery], pipeline: PipelineRecord
) -> UploadRecord:
    return write_uploads.create_upload(
        connection,
        user_id=call.caller.user_id,
        application_id=call.caller.application_id,
        pipeline_id=pipeline.id,
        object_key=call.query.object_key,
        file_expires_at=_file_expiry(call, pipeline),
        ends_at=call.now + call.services.parts.settings.upload_lifetime * 1000,
        now=call.now,
        expiry_given=call.query.expires_at is not None,
    )


def _file_expiry(call: Call[NewUploadQuery], pipeline: PipelineRecord) -> int | None:
    asked = call.query.expires_at
    if asked == 0:
        return None
    if asked is None:
        retention = pipeline.default_object_timeout
        return call.now + (DEFAULT_RETENTION if retention is None else retention) * 1000
    if asked * 1000 <= call.now:
        raise InvalidUploadInputError("expires_at: lies in the past")
    return asked * 1000


def _form(
    call: Call[NewUploadQuery], record: UploadRecord, address: str | None
) -> tuple[str, dict[str, str]]:
    parts = call.services.parts
    policy = UploadPolicy(
        upload_id=record.id,
        object_key=record.object_key,
        max_bytes=parts.settings.max_upload_bytes,
        ends_at=record.ends_at // 1000,
        address=address,
    )
    return f"{parts.settings.edge_url}/uploads/{record.id}", form(policy, parts.ring())


async def _find(call: Call[Any]) -> UploadRecord:
    upload_id, user_id = call.resource_id, call.caller.user_id
    found = await call.services.catalog.read_point(
        lambda connection: uploads.upload(connection, user_id, upload_id)
    )
    if found is None:
        raise UploadNotFoundError
    return found


def _check_state(found: UploadRecord, chunks: int) -> None:
    if found.status == "FAILED":
        raise InvalidUploadInputError(f"the upload has failed: {found.error_msg}")
    if found.nb_chunks is not None and found.nb_chunks != chunks:
        raise InvalidUploadInputError(f"nb_chunks: was {found.nb_chunks} before")


async def _check_chunks(call: Call[Any], chunks: int) -> None:
    """Check that the store has a note for each chunk, and for no other."""
    upload_id = call.resource_id
    listing = call.services.parts.store.list(upload_prefix(upload_id))
    there = {blob.key async for blob in listing if blob.key.endswith(".json")}
    wanted = {part_note_key(upload_id, chunk): chunk for chunk in range(chunks)}
    missing = [chunk for key, chunk in wanted.items() if key not in there]
    if missing:
        shown = ", ".join(map(str, missing[:_SHOWN_CHUNKS]))
        more = ", …" if len(missing) > _SHOWN_CHUNKS else ""
        raise InvalidUploadInputError(f"nb_chunks: missing of {chunks}: {shown}{more}")
    if there - wanted.keys():
        raise InvalidUploadInputError(f"nb_chunks: {len(there)} chunks were received")


async def _begin_completing(call: Call[Any], chunks: int) -> UploadRecord:
    upload_id, user_id = call.resource_id, call.caller.user_id
    record = await call.services.catalog.write(
        lambda connection: write_uploads.begin_completing(
            connection, user_id, upload_id, chunks, call.now
        )
    )
    if record is None:
        raise UploadNotFoundError
    return record


def _answer(
    call: Call[Any], record: UploadRecord, posted: tuple[str, dict[str, str]] | None = None
) -> UploadAnswer:
    urls, query = call.services.urls, call.query
    upload = shape(Upload, show_null=query.show_null)(
        id=record.id,
        status=record.status,
        form_post_url=posted[0] if posted else None,
        form_post_params=posted[1] if posted else None,
        # An upload is of one chunk until its finishing says otherwise.
        nb_chunks=record.nb_chunks or 1,
        storage_type="intern",
        object_key=record.object_key,
        pipeline=urls.reference("pipelines", record.pipeline_id),
        file=urls.reference("files", record.file_id),
        error_msg=record.error_msg,
    )
    return UploadAnswer(upload)


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="POST",
        path="/v1/files/uploads/",
        handler=create_upload,
        query=NewUploadQuery,
        answer=UploadAnswer,
        status=201,
        scopes=scopes.WRITE,
        invalid=InvalidUploadInputError,
        errors=(PipelineNotFoundError,),
    ),
    Operation(
        method="GET",
        path="/v1/files/uploads/{id:str}",
        handler=show_upload,
        query=Nulls,
        answer=UploadAnswer,
        scopes=scopes.WRITE | scopes.READ,
        invalid=InvalidUploadInputError,
        missing=UploadNotFoundError,
    ),
    Operation(
        method="PUT",
        path="/v1/files/uploads/{id:str}",
        handler=finish_upload,
        query=Nulls,
        answer=UploadAnswer,
        scopes=scopes.WRITE,
        body=FinishUploadBody,
        invalid=InvalidUploadInputError,
        missing=UploadNotFoundError,
    ),
)
