"""The keys that sign links."""

import sqlalchemy as sa

from countermark.catalog.records import LinkKey
from countermark.catalog.tables import link_keys as key_table


def link_keys(conn: sa.Connection) -> list[LinkKey]:
    """Every key, newest last."""
    rows = conn.execute(sa.select(key_table).order_by(key_table.c.id))
    return [LinkKey(id_, bytes(secret), created_at) for id_, secret, created_at in rows]
