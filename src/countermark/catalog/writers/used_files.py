"""Files that jobs use stay."""

from typing import Any

import sqlalchemy as sa

from countermark.catalog.tables import files, uploads
from countermark.catalog.writers.changes import came, lock_files, went


def keep_used_file(conn: sa.Connection, user_id: str, file_id: str, now: int) -> None:
    """Let a file stay for ever, unless its client said when it ends.

    Listings that are remembered learn of it as of a file that went and came.
    """
    lock_files(conn, user_id)
    by_default = sa.select(uploads.c.id).where(
        uploads.c.file_id == files.c.id, uploads.c.expiry_given.is_(sa.false())
    )
    here = (files.c.id == file_id, files.c.user_id == user_id, files.c.expires_at > now)
    found = conn.execute(sa.select(files).where(*here, by_default.exists()))
    row: Any = found.mappings().first()
    if row is None:
        return
    kept = sa.update(files).where(files.c.id == file_id)
    conn.execute(kept.values(expires_at=None, updated_at=now))
    went(conn, user_id, [row])
    came(conn, user_id, [{**row, "expires_at": None}])
