"""What is to be told to clients' servers: written with what it tells of, in one transaction."""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from countermark.catalog.job_records import JobRecord, NotificationRecord, OutputResult
from countermark.catalog.job_tables import notifications
from countermark.catalog.tables import pipelines
from countermark.ids import new_id

Event = Literal["started", "warning", "error", "finished"]

GIVEN_UP_MS = 86_400_000
# A server that takes long is left alone for as long before another worker may try, too.
LEASE_MS = 60_000


def announce(conn: sa.Connection, job: JobRecord, event: Event, now: int) -> None:
    """Have the job's pipeline told of an event, if it wants to be."""
    wanted = sa.select(pipelines.c.ping_urls).where(pipelines.c.id == job.pipeline_id)
    url = (conn.scalar(wanted) or {}).get(event)
    if url is None:
        return
    notification_id = new_id()
    body = {"id": notification_id, "event": event, "created_at": now, "job": _told(job)}
    record = NotificationRecord(
        id=notification_id,
        job_id=job.id,
        application_id=job.application_id,
        event=event,
        url=url,
        body=msgspec.json.encode(body),
        attempts=0,
        due_at=now,
        ends_at=now + GIVEN_UP_MS,
        created_at=now,
    )
    conn.execute(sa.insert(notifications).values(msgspec.structs.asdict(record)))


def take_due(conn: sa.Connection, now: int, limit: int) -> list[NotificationRecord]:
    """Take notifications whose time has come; until the lease ends, nobody else does."""
    due = sa.select(notifications.c.id).where(notifications.c.due_at <= now)
    due = due.order_by(notifications.c.due_at).limit(limit).with_for_update(skip_locked=True)
    taken = (
        sa.update(notifications)
        .where(notifications.c.id.in_(due))
        .values(due_at=now + LEASE_MS, attempts=notifications.c.attempts + 1)
        .returning(*notifications.c)
    )
    return [NotificationRecord(*row) for row in conn.execute(taken)]


def put_off(conn: sa.Connection, notification_id: str, due_at: int) -> None:
    """Try again at that time."""
    found = sa.update(notifications).where(notifications.c.id == notification_id)
    conn.execute(found.values(due_at=due_at))


def settle(conn: sa.Connection, notification_id: str) -> None:
    """Forget a notification that was told, or is given up."""
    conn.execute(sa.delete(notifications).where(notifications.c.id == notification_id))


def _told(job: JobRecord) -> dict[str, Any]:
    """What a server is told of a job: nothing that could hold a secret."""
    results = job.results or [OutputResult()] * len(job.outputs)
    outputs = [
        {"output_name": output.get("output_name")}
        | ({"file": {"id": result.file_id}} if result.file_id else {})
        for output, result in zip(job.outputs, results, strict=True)
    ]
    told = {
        "id": job.id,
        "status": job.status,
        "percentage_completed": job.percentage,
        "attempt": job.attempt,
        "error_code": job.error_code,
        "error_msg": job.error_msg,
        "warnings": job.warnings,
        "user_data": job.user_data,
        "pipeline": {"id": job.pipeline_id},
        "input": {"file": {"id": job.input_file_id}} if job.input_file_id else None,
        "outputs": outputs,
    }
    return {key: value for key, value in told.items() if value is not None}
