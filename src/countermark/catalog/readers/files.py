"""Single files, and what belongs to them.

A file that has expired, or is another user's, is not there.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from countermark.catalog.point import PointQuery
from countermark.catalog.records import FileRecord, Sidecar, Thumbnail
from countermark.catalog.tables import files, pipelines
from countermark.catalog.tables import sidecars as sidecar_table
from countermark.catalog.tables import thumbnails as thumbnail_table

# The pipeline is joined rather than the parent: a listing's few pipelines stay at hand.
FILES: sa.Select[Any] = sa.select(
    *files.c, (files.c.parent_id == pipelines.c.root_folder_id).label("parent_is_root")
).join(pipelines, pipelines.c.id == files.c.pipeline_id)

_VISIBLE = sa.and_(
    files.c.user_id == sa.bindparam("user_id"),
    sa.or_(files.c.expires_at.is_(None), files.c.expires_at > sa.bindparam("now")),
)
_BY_ID = PointQuery(FILES.where(files.c.id == sa.bindparam("id"), _VISIBLE))
_BY_KEY = PointQuery(
    FILES.where(
        files.c.pipeline_id == sa.bindparam("pipeline_id"),
        files.c.object_key == sa.bindparam("object_key"),
        _VISIBLE,
    )
)
_BY_IDS = FILES.where(files.c.id.in_(sa.bindparam("ids", expanding=True)), _VISIBLE)
_CHILD = sa.select(files.c.id).where(files.c.parent_id == sa.bindparam("folder_id")).limit(1)
_THUMBNAILS = sa.select(thumbnail_table).where(
    thumbnail_table.c.file_id.in_(sa.bindparam("ids", expanding=True))
)

_SIDECARS = (
    sa.select(sidecar_table)
    .where(sidecar_table.c.file_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(sidecar_table.c.file_id, sidecar_table.c.name)
)


def file(conn: sa.Connection, user_id: str, file_id: str, now: int) -> FileRecord | None:
    """The user's file of this id."""
    row = _BY_ID.first(conn, {"user_id": user_id, "id": file_id, "now": now})
    return FileRecord(*row) if row else None


def file_to_use(conn: sa.Connection, user_id: str, file_id: str) -> FileRecord | None:
    """The user's file of this id for a job that uses it, which keeps it beyond its end."""
    return file(conn, user_id, file_id, 0)


def file_by_key(
    conn: sa.Connection, user_id: str, pipeline_id: str, object_key: str, now: int
) -> FileRecord | None:
    """The user's file under this object key of this pipeline."""
    named = {"user_id": user_id, "pipeline_id": pipeline_id, "object_key": object_key, "now": now}
    row = _BY_KEY.first(conn, named)
    return FileRecord(*row) if row else None


def files_by_id(
    conn: sa.Connection, user_id: str, ids: Collection[str], now: int
) -> dict[str, FileRecord]:
    """Those of the ids that are files of the user's, in any order."""
    if not ids:
        return {}
    rows = conn.execute(_BY_IDS, {"user_id": user_id, "ids": list(ids), "now": now})
    return {row[0]: FileRecord(*row) for row in rows}


def thumbnails(conn: sa.Connection, file_ids: Collection[str]) -> dict[str, Thumbnail]:
    """The thumbnails of those files that have one; the caller has checked whose they are."""
    if not file_ids:
        return {}
    rows = conn.execute(_THUMBNAILS, {"ids": list(file_ids)})
    return {file_id: Thumbnail(mime_type, bytes(data)) for file_id, mime_type, data in rows}


def sidecars(conn: sa.Connection, file_ids: Collection[str]) -> dict[str, list[Sidecar]]:
    """The sidecars of those files that have any, by name; the caller has checked whose they are."""
    found: dict[str, list[Sidecar]] = {}
    if file_ids:
        for file_id, *columns in conn.execute(_SIDECARS, {"ids": list(file_ids)}):
            found.setdefault(file_id, []).append(Sidecar(*columns))
    return found


def has_children(conn: sa.Connection, folder_id: str) -> bool:
    """Whether anything lies in the folder, be it expired and not yet removed."""
    return conn.execute(_CHILD, {"folder_id": folder_id}).first() is not None
