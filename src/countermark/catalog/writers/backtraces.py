"""Backtraces come, are worked on, end, and are deleted."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from countermark.catalog.backtrace_records import BacktraceRecord
from countermark.catalog.backtrace_tables import BACKTRACE_COLUMNS, backtraces
from countermark.catalog.writers.revocations import FILE_KEPT_MS, revoke
from countermark.catalog.writers.rows import throw_away
from countermark.errors import PublicError
from countermark.ids import new_id

_UNFINISHED = ("QUEUED", "PROCESSING")


def create(conn: sa.Connection, now: int, **values: str | None) -> BacktraceRecord:
    """Ask for a trace; `values` are the columns that name its owners, its input and its masters."""
    row = {"id": new_id(), "status": "QUEUED", "created_at": now, "updated_at": now, **values}
    made = conn.execute(sa.insert(backtraces).values(row).returning(*BACKTRACE_COLUMNS)).one()
    return BacktraceRecord(*made)


def begin(conn: sa.Connection, backtrace_id: str, now: int) -> BacktraceRecord | None:
    """Begin to work, or go on; None if it has ended or is gone."""
    values = {
        "status": "PROCESSING",
        "started_at": sa.func.coalesce(backtraces.c.started_at, now),
        "updated_at": now,
    }
    begun = _unfinished(backtrace_id).values(values).returning(*BACKTRACE_COLUMNS)
    row = conn.execute(begun).first()
    return BacktraceRecord(*row) if row else None


def report(conn: sa.Connection, backtrace_id: str, percentage: int, now: int) -> bool:
    """Say how far it is; False if nobody wants it any more."""
    values = {"percentage": percentage, "updated_at": now}
    return conn.execute(_unfinished(backtrace_id).values(values)).rowcount > 0


def succeed(
    conn: sa.Connection,
    backtrace_id: str,
    tags: Sequence[str],
    values: Mapping[str, Any],
    now: int,
) -> bool:
    """End with a finding; False if it was deleted meanwhile.

    Args:
        conn: A connection of `Database.write`.
        backtrace_id: Which.
        tags: Those accused, surest first.
        values: The columns `master_id`, `finding`, `json_size` and `html_size`.
        now: Milliseconds since the epoch.
    """
    known = {
        "status": "SUCCESS",
        "percentage": 100,
        "tag": tags[0] if tags else None,
        "folded_tags": "\n".join(tags).casefold() or None,
        "finished_at": now,
        "updated_at": now,
    }
    return conn.execute(_unfinished(backtrace_id).values({**values, **known})).rowcount > 0


def fail(conn: sa.Connection, backtrace_id: str, error: PublicError, now: int) -> None:
    """End without a finding."""
    values = {
        "status": "FAILURE",
        "error_code": error.code,
        "error_msg": error.detail or error.message,
        "finished_at": now,
        "updated_at": now,
    }
    conn.execute(_unfinished(backtrace_id).values(values))


def delete(
    conn: sa.Connection, user_id: str, backtrace_id: str, reports: Collection[str], now: int
) -> bool:
    """Remove a backtrace with its reports, and end their links; False if there is none.

    Args:
        conn: A connection of `Database.write`.
        user_id: The owner.
        backtrace_id: Which.
        reports: Keys of the blobs that its reports are, or would be.
        now: Milliseconds since the epoch.
    """
    mine = sa.and_(backtraces.c.id == backtrace_id, backtraces.c.user_id == user_id)
    if not conn.execute(sa.delete(backtraces).where(mine)).rowcount:
        return False
    throw_away(conn, reports, now)
    revoke(conn, "file", backtrace_id, now + FILE_KEPT_MS, now)
    return True


def _unfinished(backtrace_id: str) -> sa.Update:
    return sa.update(backtraces).where(
        backtraces.c.id == backtrace_id, backtraces.c.status.in_(_UNFINISHED)
    )
