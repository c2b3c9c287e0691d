"""An upload's way: UPLOADING, COMPLETING, then COMPLETED or FAILED."""

from collections.abc import Mapping

import sqlalchemy as sa

from countermark.catalog.readers.uploads import upload
from countermark.catalog.records import UploadRecord
from countermark.catalog.tables import uploads
from countermark.errors import InvalidUploadInputError
from countermark.ids import new_id


def create_upload(  # noqa: PLR0913 - the columns of a row
    conn: sa.Connection,
    *,
    user_id: str,
    application_id: str,
    pipeline_id: str,
    object_key: str,
    file_expires_at: int | None,
    ends_at: int,
    now: int,
    expiry_given: bool = False,
) -> UploadRecord:
    """Begin an upload; the file that it will become has its id from now on."""
    record = UploadRecord(
        id=new_id(),
        user_id=user_id,
        application_id=application_id,
        pipeline_id=pipeline_id,
        file_id=new_id(),
        object_key=object_key,
        status="UPLOADING",
        nb_chunks=None,
        error_msg=None,
        file_expires_at=file_expires_at,
        ends_at=ends_at,
        created_at=now,
        updated_at=now,
        expiry_given=expiry_given,
    )
    values = {field: getattr(record, field) for field in record.__struct_fields__}
    conn.execute(sa.insert(uploads).values(values))
    return record


def begin_completing(
    conn: sa.Connection, user_id: str, upload_id: str, nb_chunks: int, now: int
) -> UploadRecord | None:
    """Take the upload's bytes as whole: UPLOADING becomes COMPLETING.

    May be repeated with the same number of chunks, also after the upload has ended.

    Returns:
        The upload as it is now; None if the user has none of this id.

    Raises:
        InvalidUploadInputError: it was finished with another number of chunks.
    """
    conn.execute(
        sa.update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.user_id == user_id)
        .where(uploads.c.status == "UPLOADING")
        .values(status="COMPLETING", nb_chunks=nb_chunks, updated_at=now)
    )
    record = upload(conn, user_id, upload_id)
    # An upload that failed before it was finished has no number of chunks to differ from.
    if record and record.nb_chunks not in {None, nb_chunks}:
        raise InvalidUploadInputError(f"the upload was finished with nb_chunks {record.nb_chunks}")
    return record


def complete(conn: sa.Connection, upload_id: str, problem: str | None, now: int) -> None:
    """The file is in the catalog; `problem` says in public words what was wrong with its media."""
    _end(conn, upload_id, ("COMPLETING",), {"status": "COMPLETED", "error_msg": problem}, now)


def fail(conn: sa.Connection, upload_id: str, error_msg: str, now: int) -> None:
    """No file came of it, for a reason in public words; nothing happens once it has ended."""
    unfinished = ("UPLOADING", "COMPLETING")
    _end(conn, upload_id, unfinished, {"status": "FAILED", "error_msg": error_msg}, now)


def abandon(conn: sa.Connection, upload_id: str, error_msg: str, now: int) -> bool:
    """Fail an upload that was never finished.

    Returns:
        False if its client has finished it after all, and its parts are needed.
    """
    failed = {"status": "FAILED", "error_msg": error_msg}
    return _end(conn, upload_id, ("UPLOADING",), failed, now)


def _end(
    conn: sa.Connection,
    upload_id: str,
    statuses: tuple[str, ...],
    values: Mapping[str, str | None],
    now: int,
) -> bool:
    ended = conn.execute(
        sa.update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.status.in_(statuses))
        .values(**values, updated_at=now)
    )
    return ended.rowcount > 0
