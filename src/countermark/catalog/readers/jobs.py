"""Jobs. Another user's is not there, but for the worker, which works for all."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from countermark.catalog.job_records import JobPage, JobRecord, OutputResult
from countermark.catalog.job_states import ENDED, RUNNING, UNFINISHED
from countermark.catalog.job_tables import JOB_COLUMNS, job_blobs, jobs
from countermark.catalog.ordering import Page, columns_of, read_page
from countermark.catalog.tables import files, pipelines, sidecars

RECENT_MS = 15 * 60 * 1000  # so long a job that has ended counts as in progress

_SORTS: dict[str, sa.ColumnElement[Any]] = columns_of(
    jobs,
    *("status", "priority", "user_data", "output_prefix", "error_code", "error_msg"),
    *("attempt", "queued_at", "started_at", "finished_at", "created_at", "updated_at"),
    *("user_id", "application_id", "pipeline_id"),
    percentage_completed="percentage",
    input__file__name="input_file_name",
    input__file="input_file_id",
    input__file__id="input_file_id",
)
_DUE = (
    sa.select(jobs.c.id)
    .join(pipelines, pipelines.c.id == jobs.c.pipeline_id)
    .where(jobs.c.status == "QUEUED", pipelines.c.cancel_timeout.is_not(None))
    .where(jobs.c.queued_at + pipelines.c.cancel_timeout * 1000 <= sa.bindparam("now"))
)


class JobQuery(Struct, frozen=True):
    """Which jobs, in what order, and which of them; None is for all.

    Attributes:
        user_id: Whose jobs.
        page: The order, and the part.
        statuses: Of these states.
        in_progress: Those not ended or ended within a quarter of an hour, or all others.
        autograph: Those that make masters, or those that do not.
        user_data: Equal to this.
        pipeline_id: Of this pipeline.
        input_name: The input's name contains this, whatever the case.
    """

    user_id: str
    page: Page = Page()
    statuses: frozenset[str] = frozenset()
    in_progress: bool | None = None
    autograph: bool | None = None
    user_data: str | None = None
    pipeline_id: str | None = None
    input_name: str | None = None


def sort_keys() -> frozenset[str]:
    """Every key that a listing of jobs can be sorted by."""
    return frozenset(_SORTS)


def job(conn: sa.Connection, user_id: str, job_id: str) -> JobRecord | None:
    """The user's job of this id."""
    return jobs_by_id(conn, user_id, [job_id]).get(job_id)


def jobs_by_id(conn: sa.Connection, user_id: str, ids: Collection[str]) -> dict[str, JobRecord]:
    """Those of the ids that are jobs of the user's."""
    query = sa.select(*JOB_COLUMNS).where(jobs.c.id.in_(list(ids)), jobs.c.user_id == user_id)
    return {row.id: to_record(row) for row in conn.execute(query)}


def page(conn: sa.Connection, query: JobQuery, now: int) -> JobPage:
    """One page and the total."""
    chosen = sa.select(*JOB_COLUMNS).where(*_chosen(query, now))
    rows, total = read_page(conn, chosen, _SORTS, query.page)
    return JobPage([to_record(row) for row in rows], total)


def job_to_run(conn: sa.Connection, job_id: str) -> JobRecord | None:
    """The job of this id, whoever's: the worker works for all users."""
    row = conn.execute(sa.select(*JOB_COLUMNS).where(jobs.c.id == job_id)).first()
    return to_record(row) if row else None


def running(conn: sa.Connection) -> list[JobRecord]:
    """Jobs that were taken from the queue and have not ended."""
    rows = conn.execute(
        sa.select(*JOB_COLUMNS).where(jobs.c.status.in_(RUNNING)).order_by(jobs.c.id)
    )
    return [to_record(row) for row in rows]


def count_of_worker(conn: sa.Connection, worker: str) -> int:
    """How many jobs the worker has taken and not ended."""
    query = sa.select(sa.func.count()).where(jobs.c.status.in_(RUNNING), jobs.c.worker == worker)
    return conn.scalar(query) or 0


def any_waiting(conn: sa.Connection) -> bool:
    """Whether any job waits to be taken."""
    return conn.scalar(sa.select(jobs.c.id).where(jobs.c.status == "QUEUED").limit(1)) is not None


def overdue(conn: sa.Connection, now: int) -> list[str]:
    """Ids of jobs that have waited longer than their pipeline allows."""
    return list(conn.scalars(_DUE, {"now": now}))


def unfinished_ids(conn: sa.Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are jobs which wait or run."""
    query = sa.select(jobs.c.id).where(jobs.c.id.in_(list(ids)), jobs.c.status.in_(UNFINISHED))
    return set(conn.scalars(query))


def has_unfinished(conn: sa.Connection, pipeline_id: str) -> bool:
    """Whether a job of the pipeline waits or runs."""
    query = sa.select(jobs.c.id).where(jobs.c.pipeline_id == pipeline_id)
    return conn.scalar(query.where(jobs.c.status.in_(UNFINISHED)).limit(1)) is not None


def unclaimed_blobs(conn: sa.Connection, job_id: str) -> list[str]:
    """Keys of blobs that the job has stored and that no file and no sidecar names."""
    query = sa.select(job_blobs.c.blob_key).where(job_blobs.c.job_id == job_id)
    for table in (files, sidecars):
        named = sa.select(table.c.blob_key).where(table.c.blob_key == job_blobs.c.blob_key)
        query = query.where(~named.exists())
    return list(conn.scalars(query))


def to_record(row: Sequence[Any]) -> JobRecord:
    """A row of the table as a record."""
    record = JobRecord(*row)
    if record.results is None:
        return record
    results = msgspec.convert(record.results, list[OutputResult])
    return msgspec.structs.replace(record, results=results)


def _chosen(query: JobQuery, now: int) -> Iterator[sa.ColumnElement[bool]]:
    yield jobs.c.user_id == query.user_id
    if query.statuses:
        yield jobs.c.status.in_(sorted(query.statuses))
    if query.in_progress is not None:
        recent = sa.or_(jobs.c.status.not_in(ENDED), jobs.c.finished_at > now - RECENT_MS)
        yield recent if query.in_progress else sa.not_(recent)
    if query.autograph is not None:
        yield jobs.c.autograph.is_not(None) if query.autograph else jobs.c.autograph.is_(None)
    if query.user_data is not None:
        yield jobs.c.user_data == query.user_data
    if query.pipeline_id is not None:
        yield jobs.c.pipeline_id == query.pipeline_id
    if query.input_name is not None:
        yield _contains(query.input_name)


def _contains(text: str) -> sa.ColumnElement[bool]:
    # The databases differ in what case is; Python folds both sides.
    return jobs.c.input_folded.contains(text.casefold(), autoescape=True)
