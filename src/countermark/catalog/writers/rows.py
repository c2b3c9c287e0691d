"""Rows of the files table, as they are written and removed."""

import posixpath
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.tables import files, sidecars, trash
from countermark.catalog.writers.changes import went

Row = dict[str, Any]
_EMPTY: Row = {column.name: None for column in files.c}


def new_row(file_id: str, owner: tuple[str, str, str], object_key: str, now: int) -> Row:
    """A row with what every kind of file has.

    Args:
        file_id: Its id.
        owner: Ids of its user, application and pipeline.
        object_key: Gives its name, and its title: the name without the extension.
        now: Milliseconds since the epoch.
    """
    user_id, application_id, pipeline_id = owner
    name = posixpath.basename(object_key)
    return _EMPTY | {
        "id": file_id,
        "user_id": user_id,
        "application_id": application_id,
        "pipeline_id": pipeline_id,
        "object_key": object_key,
        "name": name,
        "title": posixpath.splitext(name)[0],
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def new_folder(
    folder_id: str, owner: tuple[str, str, str], object_key: str, parent_id: str | None, now: int
) -> Row:
    """The row of a folder, whose name is its title whatever dots are in it."""
    row = new_row(folder_id, owner, object_key, now)
    return row | {"type": "folder", "title": row["name"], "parent_id": parent_id}


def insert_file(conn: sa.Connection, row: Mapping[str, Any]) -> None:
    """Write a whole row."""
    conn.execute(sa.insert(files), [row])


def remove_files(
    conn: sa.Connection, user_id: str, rows: Sequence[Mapping[str, Any]], now: int
) -> None:
    """Remove files of one user: blobs to the trash, out of archives, into the journal.

    Takes time in proportion to the user's archives, which are read to find the files in them.
    """
    ids = [row["id"] for row in rows]
    blobs = [row["blob_key"] for row in rows if row["blob_key"]]
    blobs += conn.scalars(sa.select(sidecars.c.blob_key).where(sidecars.c.file_id.in_(ids)))
    conn.execute(sa.delete(files).where(files.c.id.in_(ids)))
    throw_away(conn, blobs, now)
    _leave_archives(conn, user_id, set(ids), now)
    went(conn, user_id, rows)


def throw_away(conn: sa.Connection, blob_keys: Collection[str], now: int) -> None:
    """Put blobs into the trash; those that are there stay there."""
    if blob_keys:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        values = [{"blob_key": key, "created_at": now} for key in blob_keys]
        conn.execute(dialect.insert(trash).on_conflict_do_nothing(), values)


def _leave_archives(conn: sa.Connection, user_id: str, ids: set[str], now: int) -> None:
    archives = conn.execute(
        sa.select(files.c.id, files.c.elements).where(
            files.c.user_id == user_id, files.c.type == sa.literal_column("'archive'")
        )
    ).all()
    for archive_id, elements in archives:
        if not ids.isdisjoint(elements or ()):
            left = [element for element in elements if element not in ids]
            conn.execute(
                sa.update(files)
                .where(files.c.id == archive_id)
                .values(elements=left, updated_at=now)
            )
