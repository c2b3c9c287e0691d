"""The journal of a user's files: what listings need to stay right without being counted anew.

Every row of `file_changes` is one file that came or went and makes `users.files_version` its
number. Whoever remembers a listing as of an older version can bring it up to date from the rows
since (catalog/landmarks.py). A gap in the numbers says that too much changed to tell.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from countermark.catalog.tables import file_changes, users

KEPT = 4096  # rows kept for a user; older readers count anew
_COPIED = ("id", "name", "size", "created_at", "expires_at", "type", "pipeline_id", "job_id")


def lock_files(conn: sa.Connection, user_id: str) -> None:
    """Make all other writers of the user's files wait until this transaction ends."""
    conn.execute(sa.select(users.c.id).where(users.c.id == user_id).with_for_update())


def came(conn: sa.Connection, user_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Journal new files, given as rows of the files table."""
    _record(conn, user_id, 1, rows)


def went(conn: sa.Connection, user_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Journal removed files, given as the rows they were."""
    _record(conn, user_id, -1, rows)


def _record(
    conn: sa.Connection, user_id: str, sign: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    if not rows:
        return
    version = conn.execute(
        sa.update(users)
        .where(users.c.id == user_id)
        .values(files_version=users.c.files_version + len(rows))
        .returning(users.c.files_version)
    ).scalar_one()
    first = version - len(rows) + 1
    changes = [
        {"user_id": user_id, "version": first + number, "sign": sign}
        | {column: row[column] for column in _COPIED}
        for number, row in enumerate(rows)
    ]
    conn.execute(sa.insert(file_changes), changes)
    conn.execute(
        sa.delete(file_changes).where(
            file_changes.c.user_id == user_id, file_changes.c.version <= version - KEPT
        )
    )
