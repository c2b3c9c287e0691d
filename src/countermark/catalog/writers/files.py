"""Files enter, change and leave the catalog.

Each of these waits for other writers of the same user's files, so that what it finds (an earlier
file of the same key, a missing folder) stays so until it commits.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.job_states import UNFINISHED
from countermark.catalog.job_tables import jobs
from countermark.catalog.readers.files import FILES, has_children
from countermark.catalog.records import FileRecord, NewFile
from countermark.catalog.tables import files, pipelines, sidecars, thumbnails, trash
from countermark.catalog.writers.changes import came, lock_files
from countermark.catalog.writers.revocations import FILE_KEPT_MS, revoke
from countermark.catalog.writers.rows import Row, insert_file, new_folder, new_row, remove_files
from countermark.errors import InvalidFileInputError, InvalidUploadInputError
from countermark.ids import new_id

Owner = tuple[str, str, str]

_REMEMBERED = ("id", "name", "size", "created_at", "expires_at", "type", "pipeline_id", "job_id")
_IN_USE = (
    sa.select(jobs.c.id)
    .where(jobs.c.input_file_id == files.c.id, jobs.c.status.in_(sorted(UNFINISHED)))
    .exists()
)
_ENDED = sa.select(files.c.user_id, files.c.blob_key, *(files.c[column] for column in _REMEMBERED))


def register(conn: sa.Connection, new: NewFile, now: int) -> FileRecord:
    """Make a file visible, and the folders of its object key.

    An earlier file of the same key is replaced: the version counts on, the old blob goes to the
    trash. A file id that is there already is left as it is, so a step that was cut off may run
    again; do it in one transaction with `uploads.complete` and skip what is completed, else a
    step run again after the file was deleted brings it back.

    Raises:
        InvalidUploadInputError: the key is a folder, or a segment before its last is a file.
    """
    lock_files(conn, new.user_id)
    known = _by_id(conn, new.id)
    if known:
        return known
    owner = (new.user_id, new.application_id, new.pipeline_id)
    earlier = _make_room(conn, owner, new.object_key, now)
    row = _row(new, owner, now)
    row |= {"parent_id": _folders(conn, owner, new.object_key, now), "version": earlier + 1}
    _insert(conn, row)
    if new.thumbnail:
        set_thumbnail(conn, new.id, new.thumbnail.mime_type, new.thumbnail.data)
    if new.sidecars:
        rows = [{"file_id": new.id, **structs.asdict(one)} for one in new.sidecars]
        conn.execute(sa.insert(sidecars), rows)
    return _registered(conn, new.id)


def create_archive(
    conn: sa.Connection,
    *,
    user_id: str,
    application_id: str,
    pipeline_id: str,
    object_key: str,
    elements: Sequence[str],
    now: int,
    **columns: str | int | None,
) -> FileRecord:
    """Make an archive of files, replacing an earlier file or archive of the same key.

    Args:
        conn: A connection of `Database.write`.
        user_id: The owner.
        application_id: The application that asks for it.
        pipeline_id: Whose root folder the key starts from.
        object_key: Where it lies.
        elements: Ids of its files, in order. They leave it when they are removed.
        now: Milliseconds since the epoch.
        **columns: Any other of `FileRecord`'s fields, such as `job_id` and `expires_at`.

    Raises:
        InvalidUploadInputError: the key is a folder, or a segment before its last is a file.
    """
    lock_files(conn, user_id)
    owner = (user_id, application_id, pipeline_id)
    earlier = _make_room(conn, owner, object_key, now)
    row = new_row(new_id(), owner, object_key, now) | {
        "finished_at": now,
        **columns,
        "type": "archive",
        "elements": list(elements),
        "version": earlier + 1,
        "parent_id": _folders(conn, owner, object_key, now),
    }
    _insert(conn, row)
    return _registered(conn, row["id"])


def delete(conn: sa.Connection, user_id: str, file_id: str, now: int) -> bool:
    """Remove a file, an archive (not its elements) or an empty folder.

    A file's links end, running downloads too; those of a file that expires or is replaced only
    find nothing more.

    Returns:
        False if the user has no such file, or it has expired.

    Raises:
        InvalidFileInputError: the folder is not empty, or is a pipeline's root.
    """
    lock_files(conn, user_id)
    record = _by_id(conn, file_id)
    if record is None or record.user_id != user_id or _ended(record.expires_at, now):
        return False
    if record.type == "folder":
        if record.parent_id is None:
            raise InvalidFileInputError("a pipeline's root folder cannot be deleted")
        if has_children(conn, file_id):
            raise InvalidFileInputError("the folder is not empty")
    _remove(conn, user_id, files.c.id == file_id, now)
    if record.type == "file":
        revoke(conn, "file", file_id, now + FILE_KEPT_MS, now)
    return True


def expire(conn: sa.Connection, now: int, limit: int) -> int:
    """Remove at most `limit` files whose time is over, soonest expired first.

    The input of a job that has not ended stays until it has.

    Returns:
        How many were removed; fewer than the limit if no more are left.
    """
    over = sa.and_(files.c.expires_at <= now, ~_IN_USE)
    first = sa.select(files.c.user_id).where(over).order_by(files.c.expires_at).limit(limit)
    removed = 0
    # In one order, so that two workers never wait for each other.
    for user_id in sorted(set(conn.scalars(first))):
        lock_files(conn, user_id)
        due = sa.select(files.c.id).where(over, files.c.user_id == user_id)
        due = due.order_by(files.c.expires_at).limit(limit - removed)
        removed += _remove(conn, user_id, files.c.id.in_(due), now)
    return removed


def set_thumbnail(conn: sa.Connection, file_id: str, mime_type: str, data: bytes) -> None:
    """Give the file a thumbnail, in place of any that it has."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    picture = {"mime_type": mime_type, "data": data}
    conn.execute(
        dialect.insert(thumbnails)
        .values(file_id=file_id, **picture)
        .on_conflict_do_update(index_elements=["file_id"], set_=picture)
    )


def empty_trash(conn: sa.Connection, blob_keys: Collection[str]) -> None:
    """Forget blobs that have been deleted from the store."""
    conn.execute(sa.delete(trash).where(trash.c.blob_key.in_(list(blob_keys))))


def _row(new: NewFile, owner: Owner, now: int) -> Row:
    row = new_row(new.id, owner, new.object_key, now)
    given = {field: getattr(new, field) for field in new.__struct_fields__ if field in row}
    return (
        row
        | given
        | {
            "type": "file",
            "size_on_disk": new.size if new.size_on_disk is None else new.size_on_disk,
            "finished_at": now,
            "created_at": now if new.created_at is None else new.created_at,
        }
    )


def _make_room(conn: sa.Connection, owner: Owner, object_key: str, now: int) -> int:
    """Remove what stands under the key; return its version, 0 if there was nothing."""
    user_id, _, pipeline_id = owner
    here = sa.and_(files.c.pipeline_id == pipeline_id, files.c.object_key == object_key)
    found = conn.execute(sa.select(files.c.type, files.c.version).where(here)).first()
    if found is None:
        return 0
    if found.type == "folder":
        raise InvalidUploadInputError("object_key names a folder; name a file in it")
    _remove(conn, user_id, here, now)
    return int(found.version)


def _folders(conn: sa.Connection, owner: Owner, object_key: str, now: int) -> str:
    """Make the missing folders of the key; return the id of the innermost."""
    user_id, _, pipeline_id = owner
    keys = list(accumulate(object_key.split("/")[:-1], "{}/{}".format))
    found = _standing(conn, pipeline_id, keys, now, user_id)
    parent_id = conn.scalar(
        sa.select(pipelines.c.root_folder_id).where(pipelines.c.id == pipeline_id)
    )
    for key in keys:
        if key not in found:
            folder = new_folder(new_id(), owner, key, parent_id, now)
            _insert(conn, folder)
            found[key] = folder["id"]
        parent_id = found[key]
    return str(parent_id)


def _standing(
    conn: sa.Connection, pipeline_id: str, keys: Sequence[str], now: int, user_id: str
) -> dict[str, str]:
    """Ids of those of the keys that are folders; expired files in the way are removed."""
    here = sa.and_(files.c.pipeline_id == pipeline_id, files.c.object_key.in_(keys))
    query = sa.select(files.c.object_key, files.c.id, files.c.type, files.c.expires_at).where(here)
    found = {}
    for key, id_, type_, expires_at in conn.execute(query).all():
        if type_ == "folder":
            found[key] = id_
        elif _ended(expires_at, now):
            _remove(conn, user_id, files.c.id == id_, now)
        else:
            raise InvalidUploadInputError(f"object_key goes through {key!r}, which is a file")
    return found


def _insert(conn: sa.Connection, row: Row) -> None:
    insert_file(conn, row)
    came(conn, row["user_id"], [row])


def _remove(conn: sa.Connection, user_id: str, which: sa.ColumnElement[bool], now: int) -> int:
    rows: list[Any] = list(conn.execute(_ENDED.where(which)).mappings())
    remove_files(conn, user_id, rows, now)
    return len(rows)


def _ended(expires_at: int | None, now: int) -> bool:
    return expires_at is not None and expires_at <= now


def _by_id(conn: sa.Connection, file_id: str) -> FileRecord | None:
    row = conn.execute(FILES.where(files.c.id == file_id)).first()
    return FileRecord(*row) if row else None


def _registered(conn: sa.Connection, file_id: str) -> FileRecord:
    return FileRecord(*conn.execute(FILES.where(files.c.id == file_id)).one())
