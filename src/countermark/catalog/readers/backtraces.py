"""Backtraces. Another user's is not there, but for the worker, which works for all."""

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from countermark.catalog.backtrace_records import BacktracePage, BacktraceRecord
from countermark.catalog.backtrace_tables import BACKTRACE_COLUMNS, backtraces
from countermark.catalog.ordering import Page, columns_of, read_page

_SORTS: dict[str, sa.ColumnElement[Any]] = columns_of(
    backtraces,
    *("status", "error_code", "error_msg", "started_at", "finished_at"),
    *("created_at", "updated_at", "user_id", "application_id", "pipeline_id", "job_id"),
    percentage_completed="percentage",
    input__input_name="input_name",
    extracted_data__autograph_tag="tag",
)
_WAITING = ("QUEUED", "PROCESSING")


class BacktraceQuery(Struct, frozen=True):
    """Which backtraces, in what order, and which of them.

    Attributes:
        user_id: Whose.
        page: The order, and the part.
        statuses: Of these states; empty for all.
        tags: The accused tags contain each of these, whatever the case.
        pipeline_id: Of this pipeline; None for all.
    """

    user_id: str
    page: Page = Page()
    statuses: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()
    pipeline_id: str | None = None


def sort_keys() -> frozenset[str]:
    """Every key that a listing of backtraces can be sorted by."""
    return frozenset(_SORTS)


def backtrace(conn: sa.Connection, user_id: str, backtrace_id: str) -> BacktraceRecord | None:
    """The user's backtrace of this id."""
    found = backtrace_to_run(conn, backtrace_id)
    return found if found and found.user_id == user_id else None


def backtrace_to_run(conn: sa.Connection, backtrace_id: str) -> BacktraceRecord | None:
    """The backtrace of this id, whoever's: the worker works for all users."""
    query = sa.select(*BACKTRACE_COLUMNS).where(backtraces.c.id == backtrace_id)
    row = conn.execute(query).first()
    return BacktraceRecord(*row) if row else None


def page(conn: sa.Connection, query: BacktraceQuery) -> BacktracePage:
    """One page and the total."""
    chosen = sa.select(*BACKTRACE_COLUMNS).where(*_chosen(query))
    rows, total = read_page(conn, chosen, _SORTS, query.page)
    return BacktracePage([BacktraceRecord(*row) for row in rows], total)


def waiting(conn: sa.Connection) -> list[str]:
    """Ids of those that have not ended, oldest first."""
    query = sa.select(backtraces.c.id).where(backtraces.c.status.in_(_WAITING))
    return list(conn.scalars(query.order_by(backtraces.c.id)))


def known_ids(conn: sa.Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are backtraces."""
    return set(conn.scalars(sa.select(backtraces.c.id).where(backtraces.c.id.in_(list(ids)))))


def _chosen(query: BacktraceQuery) -> Iterator[sa.ColumnElement[bool]]:
    yield backtraces.c.user_id == query.user_id
    if query.statuses:
        yield backtraces.c.status.in_(sorted(query.statuses))
    if query.pipeline_id is not None:
        yield backtraces.c.pipeline_id == query.pipeline_id
    for tag in query.tags:
        # The databases differ in what case is; Python folds both sides.
        yield backtraces.c.folded_tags.contains(tag.casefold(), autoescape=True)
