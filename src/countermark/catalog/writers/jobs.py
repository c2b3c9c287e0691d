"""What clients do to jobs: ask for one, change it, cancel it, try it again, forget it."""

from typing import Any

import msgspec
import sqlalchemy as sa

from countermark.catalog.job_records import JobRecord, NewJob
from countermark.catalog.job_states import ENDED, RUNNING
from countermark.catalog.job_tables import JOB_COLUMNS, job_blobs, jobs
from countermark.catalog.readers.jobs import job as read_job
from countermark.catalog.readers.jobs import to_record, unclaimed_blobs
from countermark.catalog.writers.notifications import announce
from countermark.catalog.writers.rows import throw_away
from countermark.catalog.writers.used_files import keep_used_file
from countermark.errors import JobCancelledError, JobStateError, PublicError


def create_job(conn: sa.Connection, new: NewJob, now: int) -> JobRecord:
    """Put a job at the end of its user's queue; an upload that it uses is kept from now on."""
    values = msgspec.structs.asdict(new) | {
        "input_folded": new.input_file_name.casefold() if new.input_file_name else None,
        "status": "QUEUED",
        "queued_at": now,
        "created_at": now,
        "updated_at": now,
    }
    inserted = sa.insert(jobs).values(values).returning(*JOB_COLUMNS)
    record = to_record(conn.execute(inserted).one())
    if new.input_file_id:
        keep_used_file(conn, new.user_id, new.input_file_id, now)
    return record


def change_job(
    conn: sa.Connection, user_id: str, job_id: str, changes: dict[str, Any], now: int
) -> JobRecord | None:
    """Change `user_data` or `priority`; None if the user has no such job."""
    own = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.user_id == user_id)
    changed = own.values(**changes, updated_at=now).returning(*JOB_COLUMNS)
    row = conn.execute(changed).first()
    return to_record(row) if row else None


def cancel(conn: sa.Connection, user_id: str, job_id: str, now: int) -> JobRecord | None:
    """End a job that waits, and ask the worker to end one that runs.

    May be repeated; nothing happens to a job that has ended.

    Returns:
        The job as it is now; None if the user has none of this id.
    """
    own = (jobs.c.id == job_id, jobs.c.user_id == user_id)
    end_waiting(conn, job_id, JobCancelledError(), now, *own)
    asked = sa.func.coalesce(jobs.c.cancel_requested_at, now)
    running = sa.update(jobs).where(*own, jobs.c.status.in_(RUNNING))
    conn.execute(running.values(cancel_requested_at=asked, updated_at=now))
    return read_job(conn, user_id, job_id)


def retry(conn: sa.Connection, user_id: str, job_id: str, now: int) -> JobRecord | None:
    """Queue a failed job again, as it was asked for.

    Returns:
        The job as it is now; None if the user has none of this id.

    Raises:
        JobStateError: it has not failed.
    """
    again: dict[str, Any] = dict.fromkeys(
        ("run", "worker", "cancel_requested_at", "started_at", "finished_at", "progress")
    )
    again |= dict.fromkeys(("error_code", "error_msg", "warnings"))
    again |= {"status": "QUEUED", "percentage": 0, "runs": 0, "attempt": jobs.c.attempt + 1}
    failed = sa.update(jobs).where(
        jobs.c.id == job_id, jobs.c.user_id == user_id, jobs.c.status == "FAILURE"
    )
    row = conn.execute(
        failed.values(again | {"queued_at": now, "updated_at": now}).returning(*JOB_COLUMNS)
    ).first()
    if row:
        return to_record(row)
    if found := read_job(conn, user_id, job_id):
        raise JobStateError(f"only a failed job can be tried again; this one is {found.status}")
    return None


def delete_job(conn: sa.Connection, user_id: str, job_id: str) -> bool:
    """Forget a job that has ended; its files stay.

    Returns:
        False if the user has none of this id.

    Raises:
        JobStateError: it has not ended.
    """
    found = read_job(conn, user_id, job_id)
    if found is None:
        return False
    ended = sa.delete(jobs).where(jobs.c.id == job_id, jobs.c.status.in_(ENDED))
    if not conn.execute(ended).rowcount:
        raise JobStateError(f"the job is {found.status}; cancel it first")
    return True


def end_waiting(
    conn: sa.Connection,
    job_id: str,
    error: PublicError,
    now: int,
    *conditions: sa.ColumnElement[bool],
) -> bool:
    """Fail a job that nobody has begun; False if somebody has, or it is not there."""
    waiting = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.status == "QUEUED", *conditions)
    return end_failed(conn, waiting, error, now)


def end_failed(conn: sa.Connection, chosen: sa.Update, error: PublicError, now: int) -> bool:
    """Let the chosen job, if there is one, end as FAILURE with nothing left of it in the store."""
    row = conn.execute(
        chosen.values(
            status="FAILURE",
            error_code=error.code,
            error_msg=error.detail or error.message,
            finished_at=now,
            updated_at=now,
        ).returning(*JOB_COLUMNS)
    ).first()
    if row is None:
        return False
    record = to_record(row)
    clear_blobs(conn, record.id, now)
    announce(conn, record, "error", now)
    return True


def clear_blobs(conn: sa.Connection, job_id: str, now: int) -> None:
    """Throw away what the job has stored and no file names."""
    throw_away(conn, unclaimed_blobs(conn, job_id), now)
    conn.execute(sa.delete(job_blobs).where(job_blobs.c.job_id == job_id))
