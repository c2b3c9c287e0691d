"""Uploads: a client's own, and those that the worker has to do with."""

from collections.abc import Collection

import sqlalchemy as sa

from countermark.catalog.records import UploadRecord
from countermark.catalog.tables import uploads


def upload(conn: sa.Connection, user_id: str, upload_id: str) -> UploadRecord | None:
    """The user's upload of this id."""
    query = sa.select(uploads).where(uploads.c.id == upload_id, uploads.c.user_id == user_id)
    row = conn.execute(query).first()
    return UploadRecord(*row) if row else None


def upload_to_ingest(conn: sa.Connection, upload_id: str) -> UploadRecord | None:
    """The upload of this id, whoever's: the worker works for all users."""
    row = conn.execute(sa.select(uploads).where(uploads.c.id == upload_id)).first()
    return UploadRecord(*row) if row else None


def uploads_to_end(conn: sa.Connection, now: int) -> list[UploadRecord]:
    """Uploads that were never finished and take no more bytes, longest over first."""
    query = sa.select(uploads).where(uploads.c.status == "UPLOADING", uploads.c.ends_at <= now)
    return [UploadRecord(*row) for row in conn.execute(query.order_by(uploads.c.ends_at))]


def completing(conn: sa.Connection) -> list[UploadRecord]:
    """Uploads whose file is being made, oldest first."""
    query = sa.select(uploads).where(uploads.c.status == "COMPLETING").order_by(uploads.c.id)
    return [UploadRecord(*row) for row in conn.execute(query)]


def live_upload_ids(conn: sa.Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are uploads which still need their parts."""
    live = uploads.c.status.in_(["UPLOADING", "COMPLETING"])
    return set(conn.scalars(sa.select(uploads.c.id).where(uploads.c.id.in_(list(ids)), live)))


def awaited_file_ids(conn: sa.Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that live uploads will give to their files."""
    live = uploads.c.status.in_(["UPLOADING", "COMPLETING"])
    query = sa.select(uploads.c.file_id).where(uploads.c.file_id.in_(list(ids)), live)
    return set(conn.scalars(query))


def completing_by_key(
    conn: sa.Connection, user_id: str, pipeline_id: str, object_key: str
) -> UploadRecord | None:
    """The user's newest upload to this key of this pipeline whose file is being made."""
    query = sa.select(uploads).where(
        uploads.c.user_id == user_id,
        uploads.c.pipeline_id == pipeline_id,
        uploads.c.object_key == object_key,
        uploads.c.status == "COMPLETING",
    )
    row = conn.execute(query.order_by(uploads.c.id.desc()).limit(1)).first()
    return UploadRecord(*row) if row else None
