"""Blobs that nothing names any more, and blobs that something does."""

from collections.abc import Collection

import sqlalchemy as sa

from countermark.catalog.job_tables import job_blobs
from countermark.catalog.tables import files, sidecars
from countermark.catalog.tables import trash as trash_table


def trash(conn: sa.Connection, limit: int) -> list[str]:
    """Keys of at most `limit` blobs to delete, oldest first."""
    query = sa.select(trash_table.c.blob_key).order_by(trash_table.c.created_at).limit(limit)
    return list(conn.scalars(query))


def known_blob_keys(conn: sa.Connection, keys: Collection[str]) -> set[str]:
    """Those of the keys that a file, a sidecar, a running job or the trash names."""
    wanted = list(keys)
    return {
        *conn.scalars(sa.select(sidecars.c.blob_key).where(sidecars.c.blob_key.in_(wanted))),
        *conn.scalars(sa.select(files.c.blob_key).where(files.c.blob_key.in_(wanted))),
        *conn.scalars(sa.select(job_blobs.c.blob_key).where(job_blobs.c.blob_key.in_(wanted))),
        *conn.scalars(sa.select(trash_table.c.blob_key).where(trash_table.c.blob_key.in_(wanted))),
    }
