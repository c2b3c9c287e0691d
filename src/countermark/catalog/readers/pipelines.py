"""Pipelines. Another user's is not there."""

from collections.abc import Collection

import sqlalchemy as sa

from countermark.catalog.records import PipelineRecord
from countermark.catalog.tables import pipelines as pipeline_table


def pipeline(conn: sa.Connection, user_id: str, pipeline_id: str) -> PipelineRecord | None:
    """The user's pipeline of this id."""
    return pipelines_by_id(conn, user_id, [pipeline_id]).get(pipeline_id)


def pipelines(
    conn: sa.Connection, user_id: str, start: int, limit: int
) -> tuple[list[PipelineRecord], int]:
    """The user's pipelines, oldest first, `limit` of them from offset `start`; and their total."""
    own = pipeline_table.c.user_id == user_id
    query = sa.select(pipeline_table).where(own).order_by(pipeline_table.c.id)
    rows = conn.execute(query.limit(limit).offset(start))
    total = conn.scalar(sa.select(sa.func.count()).select_from(pipeline_table).where(own)) or 0
    return [PipelineRecord(*row) for row in rows], total


def pipelines_by_id(
    conn: sa.Connection, user_id: str, ids: Collection[str]
) -> dict[str, PipelineRecord]:
    """Those of the ids that are pipelines of the user's."""
    query = sa.select(pipeline_table).where(
        pipeline_table.c.id.in_(list(ids)), pipeline_table.c.user_id == user_id
    )
    return {row.id: PipelineRecord(*row) for row in conn.execute(query)}
