"""Ending links before their time."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.tables import revocations

# By then the worker has long deleted a deleted file's bytes, and no download of them runs.
FILE_KEPT_MS = 3_600_000


def revoke(conn: sa.Connection, kind: str, id_: str, until: int | None, now: int) -> bool:
    """End all links of one thing, on every edge within seconds.

    Args:
        conn: A connection of `Database.write`.
        kind: "file", "application" or "link".
        id_: What it names; of a link, its serial.
        until: Milliseconds since the epoch when the last of the links has ended anyway, and this
            may be forgotten; None for never.
        now: Milliseconds since the epoch.

    Returns:
        False if they had been ended before.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {"kind": kind, "id": id_, "until": until, "created_at": now}
    statement = dialect.insert(revocations).values(values).on_conflict_do_nothing()
    return conn.execute(statement.returning(revocations.c.number)).first() is not None


def forget_revocations(conn: sa.Connection, now: int) -> int:
    """Drop those that no living link needs; return how many."""
    return conn.execute(sa.delete(revocations).where(revocations.c.until <= now)).rowcount
