"""What has been ended before its time."""

import sqlalchemy as sa

from countermark.catalog.tables import revocations as table


def revocations(conn: sa.Connection, after: int = -1) -> list[tuple[int, str, str]]:
    """Number, kind and id of everything whose number is above `after`, lowest first.

    On PostgreSQL, a transaction may commit after one whose number is higher: who reads only what
    is new has to start somewhat before the last number that it saw.
    """
    query = sa.select(table.c.number, table.c.kind, table.c.id)
    rows = conn.execute(query.where(table.c.number > after).order_by(table.c.number))
    return [(number, kind, id_) for number, kind, id_ in rows]


def any_over(conn: sa.Connection, now: int) -> bool:
    """Whether there are any that no living link needs."""
    return conn.scalar(sa.select(sa.exists().where(table.c.until <= now))) is True
