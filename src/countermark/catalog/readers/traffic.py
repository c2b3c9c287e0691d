"""Batches of traffic that wait to be folded, and downloads that are not complete."""

from collections.abc import Collection
from itertools import islice

import sqlalchemy as sa

from countermark.catalog.tables import deliveries, traffic

# SQLite takes 32,766 values in one statement.
_VALUES = 10_000


def waiting(conn: sa.Connection, limit: int) -> dict[str, bytes]:
    """Bodies of at most `limit` batches that are not folded, by their ids, oldest first."""
    query = (
        sa.select(traffic.c.id, traffic.c.body)
        .where(traffic.c.folded_at.is_(None))
        .order_by(traffic.c.id)
        .limit(limit)
    )
    return {id_: bytes(body) for id_, body in conn.execute(query)}


def spans(conn: sa.Connection, ids: Collection[str]) -> dict[str, bytes]:
    """What is known of those of the deliveries that are under way."""
    left, found = iter(ids), dict[str, bytes]()
    while some := list(islice(left, _VALUES)):
        query = sa.select(deliveries.c.id, deliveries.c.spans).where(deliveries.c.id.in_(some))
        found |= {id_: bytes(packed) for id_, packed in conn.execute(query)}
    return found
