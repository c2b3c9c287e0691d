"""Jobs. Another user's is not there."""

from collections.abc import Collection

import sqlalchemy as sa

from countermark.catalog.records import JobRecord
from countermark.catalog.tables import jobs


def job(conn: sa.Connection, user_id: str, job_id: str) -> JobRecord | None:
    """The user's job of this id."""
    return jobs_by_id(conn, user_id, [job_id]).get(job_id)


def jobs_by_id(conn: sa.Connection, user_id: str, ids: Collection[str]) -> dict[str, JobRecord]:
    """Those of the ids that are jobs of the user's."""
    query = sa.select(jobs).where(jobs.c.id.in_(list(ids)), jobs.c.user_id == user_id)
    return {row.id: JobRecord(*row) for row in conn.execute(query)}
