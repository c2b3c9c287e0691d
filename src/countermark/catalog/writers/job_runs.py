"""What workers do to jobs.

Who takes a job from the queue gives it a `run`, and each execution of it, the first one and those
after a worker's death, a number. Each call here says for which execution it speaks and does
nothing for one that has lost the job: to a later execution, or to a client that forgot it. So
whatever a stalled worker does when it wakes up has no effect.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.database import lock
from countermark.catalog.job_records import JobRecord
from countermark.catalog.job_states import RUNNING, JobStatus, sources
from countermark.catalog.job_tables import JOB_COLUMNS, job_blobs, job_turns, jobs
from countermark.catalog.readers.jobs import to_record
from countermark.catalog.writers.jobs import clear_blobs, end_failed
from countermark.catalog.writers.notifications import announce
from countermark.errors import PublicError
from countermark.ids import new_id

_QUEUE_LOCK = 0x6A6F6273  # "jobs"


class Run(Struct, frozen=True):
    """One execution of a job.

    Attributes:
        job_id: The job.
        id: Made when the job was taken from the queue.
        number: Counts the executions.
    """

    job_id: str
    id: str
    number: int


def claim_next(conn: sa.Connection, worker: str, now: int) -> JobRecord | None:
    """Take the next job from the queue.

    The next user is the one with the fewest jobs running, among those the one who has waited
    longest for a turn; their next job is the one of the highest priority, then the oldest. So a
    thousand jobs of one user delay another's by one job at most.
    """
    lock(conn, _QUEUE_LOCK)
    user_id = _next_user(conn)
    if user_id is None:
        return None
    queued = sa.and_(jobs.c.status == "QUEUED", jobs.c.user_id == user_id)
    highest = sa.select(sa.func.max(jobs.c.priority)).where(queued).scalar_subquery()
    first = sa.select(jobs.c.id).where(queued, jobs.c.priority == highest)
    job_id = conn.scalar(first.order_by(jobs.c.queued_at, jobs.c.id).limit(1))
    taken = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.status == "QUEUED")
    values = {"status": "DOWNLOADING", "run": new_id(), "worker": worker, "updated_at": now}
    row = conn.execute(taken.values(values).returning(*JOB_COLUMNS)).first()
    _served(conn, user_id, now)
    return to_record(row) if row else None


def begin(conn: sa.Connection, job_id: str, run_id: str, worker: str, now: int) -> JobRecord | None:
    """Begin an execution; earlier ones lose the job.

    Returns:
        The job, whose `run` and `runs` make the `Run`; None if there is nothing to do any more: it
        has ended, or was taken from the queue anew.
    """
    mine = sa.update(jobs).where(
        jobs.c.id == job_id, jobs.c.run == run_id, jobs.c.status.in_(RUNNING)
    )
    values = {
        "runs": jobs.c.runs + 1,
        "worker": worker,
        "started_at": sa.func.coalesce(jobs.c.started_at, now),
        "updated_at": now,
    }
    row = conn.execute(mine.values(values).returning(*JOB_COLUMNS)).first()
    if row is None:
        return None
    record = to_record(row)
    if record.runs == 1:
        announce(conn, record, "started", now)
    return record


def give_back(conn: sa.Connection, job: JobRecord, now: int) -> bool:
    """Put a job that nobody works on back into the queue; False if somebody does after all."""
    still = sa.update(jobs).where(
        jobs.c.id == job.id,
        jobs.c.run == job.run,
        jobs.c.runs == job.runs,
        jobs.c.updated_at == job.updated_at,
        jobs.c.status.in_(RUNNING),
    )
    values = {"status": "QUEUED", "run": None, "worker": None, "updated_at": now}
    return conn.execute(still.values(values)).rowcount > 0


def advance(
    conn: sa.Connection,
    run: Run,
    status: JobStatus,
    now: int,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Bring the job into another state; False if the run has lost it."""
    changed = _mine(run).where(jobs.c.status.in_(sources(status)))
    values = {**(values or {}), "status": status, "updated_at": now}
    return conn.execute(changed.values(values)).rowcount > 0


def report(
    conn: sa.Connection, run: Run, progress: list[int], percentage: int, now: int
) -> JobRecord | None:
    """Say how far the job is.

    Returns:
        The job, whose `cancel_requested_at` is to be looked at; None if the run has lost it.
    """
    said = _mine(run).where(jobs.c.status.in_(RUNNING))
    values = {"progress": progress, "percentage": percentage, "updated_at": now}
    row = conn.execute(said.values(values).returning(*JOB_COLUMNS)).first()
    return to_record(row) if row else None


def intend_blobs(conn: sa.Connection, run: Run, blob_keys: list[str], now: int) -> bool:
    """Say which blobs the job is about to store; False if the run has lost it."""
    rows = [{"blob_key": key, "job_id": run.job_id, "created_at": now} for key in blob_keys]
    held = sa.select(jobs.c.id).where(*_is(run))
    if conn.execute(held.with_for_update()).first() is None:
        return False
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    conn.execute(dialect.insert(job_blobs).on_conflict_do_nothing(), rows)
    return True


def succeed(conn: sa.Connection, run: Run, values: Mapping[str, Any], now: int) -> bool:
    """End the job well; its files are in the catalog by the same transaction.

    Returns:
        False if the run has lost it: then the transaction must not be committed.
    """
    ended = {**values, "percentage": 100, "finished_at": now, "status": "SUCCESS"}
    mine = _mine(run).where(jobs.c.status.in_(sources("SUCCESS")))
    row = conn.execute(mine.values({**ended, "updated_at": now}).returning(*JOB_COLUMNS)).first()
    if row is None:
        return False
    record = to_record(row)
    clear_blobs(conn, record.id, now)
    if record.warnings:
        announce(conn, record, "warning", now)
    announce(conn, record, "finished", now)
    return True


def fail(conn: sa.Connection, run: Run, error: PublicError, now: int) -> bool:
    """End the job as FAILURE; False if the run has lost it."""
    return end_failed(conn, _mine(run).where(jobs.c.status.in_(RUNNING)), error, now)


def _mine(run: Run) -> sa.Update:
    return sa.update(jobs).where(*_is(run))


def _is(run: Run) -> tuple[sa.ColumnElement[bool], ...]:
    return (jobs.c.id == run.job_id, jobs.c.run == run.id, jobs.c.runs == run.number)


def _next_user(conn: sa.Connection) -> str | None:
    waiting: Sequence[str] = conn.scalars(
        sa.select(jobs.c.user_id).where(jobs.c.status == "QUEUED").distinct()
    ).all()
    if not waiting:
        return None
    running = (
        sa.select(jobs.c.user_id, sa.func.count().label("jobs"))
        .where(jobs.c.status.in_(RUNNING))
        .group_by(jobs.c.user_id)
    )
    counts = {row.user_id: row.jobs for row in conn.execute(running)}
    served = sa.select(job_turns).where(job_turns.c.user_id.in_(waiting))
    turns = {row.user_id: row.served_at for row in conn.execute(served)}

    def turn(user_id: str) -> tuple[int, int, str]:
        return counts.get(user_id, 0), turns.get(user_id, 0), user_id

    return min(waiting, key=turn)


def _served(conn: sa.Connection, user_id: str, now: int) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(job_turns).values(user_id=user_id, served_at=now)
    conn.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_={"served_at": now}))
