"""The operator's address lists."""

import sqlalchemy as sa

from countermark.catalog.records import AddressListRecord
from countermark.catalog.tables import address_lists as table


def address_lists(conn: sa.Connection) -> list[AddressListRecord]:
    """Every list, by name."""
    rows = conn.execute(sa.select(table).order_by(table.c.name))
    return [AddressListRecord(*row) for row in rows]


def address_list(conn: sa.Connection, name: str) -> AddressListRecord | None:
    """The list of this name."""
    row = conn.execute(sa.select(table).where(table.c.name == name)).first()
    return AddressListRecord(*row) if row else None


def due_lists(conn: sa.Connection, now: int) -> list[AddressListRecord]:
    """Those that are to be refreshed, the longest due first."""
    query = sa.select(table).where(table.c.due_at <= now).order_by(table.c.due_at)
    return [AddressListRecord(*row) for row in conn.execute(query)]
