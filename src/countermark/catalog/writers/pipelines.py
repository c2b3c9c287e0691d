"""Pipelines, each with the folder that its object keys start from."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from countermark.catalog.job_tables import jobs
from countermark.catalog.readers.files import has_children
from countermark.catalog.readers.jobs import has_unfinished
from countermark.catalog.records import PipelineRecord
from countermark.catalog.tables import files, pipelines, uploads
from countermark.catalog.writers.changes import came, lock_files, went
from countermark.catalog.writers.rows import insert_file, new_folder, remove_files
from countermark.errors import PipelineInUseError
from countermark.ids import new_id

_ROOT = sa.select(files).where(files.c.id == sa.bindparam("root"))


def create_pipeline(
    conn: sa.Connection,
    *,
    user_id: str,
    application_id: str,
    name: str,
    now: int,
    **columns: str | int | dict[str, str] | None,
) -> PipelineRecord:
    """Add a pipeline and its root folder.

    Args:
        conn: A connection of `Database.write`.
        user_id: The owner.
        application_id: The application that asks for it.
        name: Shown to the user, need not be unique.
        now: Milliseconds since the epoch.
        **columns: Any of `PipelineRecord`'s fields that have a default.
    """
    pipeline_id, root_id = new_id(), new_id()
    values = {
        "store_mode": "temporary",
        **columns,
        "id": pipeline_id,
        "user_id": user_id,
        "application_id": application_id,
        "root_folder_id": root_id,
        "name": name,
        "created_at": now,
        "updated_at": now,
    }
    conn.execute(sa.insert(pipelines).values(values))
    lock_files(conn, user_id)
    root = new_folder(root_id, (user_id, application_id, pipeline_id), "", None, now)
    # Its object key is empty, but a listing needs a name to show.
    root |= {"name": name, "title": name}
    insert_file(conn, root)
    came(conn, user_id, [root])
    row = conn.execute(sa.select(pipelines).where(pipelines.c.id == pipeline_id)).one()
    return PipelineRecord(*row)


def change_pipeline(
    conn: sa.Connection, user_id: str, pipeline_id: str, changes: Mapping[str, Any], now: int
) -> PipelineRecord | None:
    """Change a pipeline; its root folder bears its name.

    Returns:
        The pipeline as it is now; None if the user has none of this id.
    """
    lock_files(conn, user_id)
    own = sa.update(pipelines).where(pipelines.c.id == pipeline_id, pipelines.c.user_id == user_id)
    row = conn.execute(own.values(**changes, updated_at=now).returning(*pipelines.c)).first()
    if row is None:
        return None
    record = PipelineRecord(*row)
    if "name" in changes:
        _rename(conn, record, now)
    return record


def delete_pipeline(conn: sa.Connection, user_id: str, pipeline_id: str, now: int) -> bool:
    """Remove a pipeline that is empty, with its root folder and its ended jobs.

    Returns:
        False if the user has none of this id.

    Raises:
        PipelineInUseError: it has files, uploads under way, or jobs that have not ended.
    """
    lock_files(conn, user_id)
    own = sa.select(pipelines).where(pipelines.c.id == pipeline_id, pipelines.c.user_id == user_id)
    row = conn.execute(own).first()
    if row is None:
        return False
    record = PipelineRecord(*row)
    _check_unused(conn, record)
    root: list[Any] = list(conn.execute(_ROOT, {"root": record.root_folder_id}).mappings())
    remove_files(conn, user_id, root, now)
    for table in (uploads, jobs):
        conn.execute(sa.delete(table).where(table.c.pipeline_id == pipeline_id))
    conn.execute(sa.delete(pipelines).where(pipelines.c.id == pipeline_id))
    return True


def _check_unused(conn: sa.Connection, record: PipelineRecord) -> None:
    if has_children(conn, record.root_folder_id):
        raise PipelineInUseError("the pipeline has files; delete them first")
    if has_unfinished(conn, record.id):
        raise PipelineInUseError("the pipeline has jobs that wait or run; cancel them first")
    live = sa.select(uploads.c.id).where(
        uploads.c.pipeline_id == record.id, uploads.c.status.in_(["UPLOADING", "COMPLETING"])
    )
    if conn.scalar(live.limit(1)) is not None:
        raise PipelineInUseError("the pipeline has uploads under way; wait for their end")


def _rename(conn: sa.Connection, record: PipelineRecord, now: int) -> None:
    """Listings that are remembered learn of it as of a folder that went and came."""
    root: list[Any] = list(conn.execute(_ROOT, {"root": record.root_folder_id}).mappings())
    named = {"name": record.name, "title": record.name}
    folder = sa.update(files).where(files.c.id == record.root_folder_id)
    conn.execute(folder.values(**named, updated_at=now))
    went(conn, record.user_id, root)
    came(conn, record.user_id, [{**row, **named} for row in root])
