"""Pipelines. Another user's is not there."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from countermark.catalog.ordering import Page, columns_of, read_page
from countermark.catalog.records import PipelineRecord
from countermark.catalog.tables import pipelines as table

_SORTS: dict[str, sa.ColumnElement[Any]] = columns_of(
    table,
    *("name", "description", "default_object_timeout", "cancel_timeout"),
    *("input_download_dir", "output_upload_dir", "created_at", "updated_at"),
    *("user_id", "application_id", "root_folder_id"),
    store_options__mode="store_mode",
)


def sort_keys() -> frozenset[str]:
    """Every key that a listing of pipelines can be sorted by."""
    return frozenset(_SORTS)


def pipeline(conn: sa.Connection, user_id: str, pipeline_id: str) -> PipelineRecord | None:
    """The user's pipeline of this id."""
    return pipelines_by_id(conn, user_id, [pipeline_id]).get(pipeline_id)


def pipelines(conn: sa.Connection, user_id: str, page: Page) -> tuple[list[PipelineRecord], int]:
    """A page of the user's pipelines, and how many there are."""
    query = sa.select(table).where(table.c.user_id == user_id)
    rows, total = read_page(conn, query, _SORTS, page)
    return [PipelineRecord(*row) for row in rows], total


def pipelines_by_id(
    conn: sa.Connection, user_id: str, ids: Collection[str]
) -> dict[str, PipelineRecord]:
    """Those of the ids that are pipelines of the user's."""
    query = sa.select(table).where(table.c.id.in_(list(ids)), table.c.user_id == user_id)
    return {row.id: PipelineRecord(*row) for row in conn.execute(query)}
