"""Pipelines, each with the folder that its object keys start from."""

import sqlalchemy as sa

from countermark.catalog.records import PipelineRecord
from countermark.catalog.tables import pipelines
from countermark.catalog.writers.changes import came, lock_files
from countermark.catalog.writers.rows import insert_file, new_folder
from countermark.ids import new_id


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
