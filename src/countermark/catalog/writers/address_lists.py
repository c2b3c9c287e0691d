"""The operator's address lists come, change and go.

A compiled list is an immutable blob; a row that names a new one throws the old one away.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from countermark.catalog.database import lock
from countermark.catalog.readers.address_lists import address_list
from countermark.catalog.records import AddressListRecord
from countermark.catalog.tables import address_lists
from countermark.catalog.writers.rows import throw_away

Values = Mapping[str, str | int | None]

_LOCK = 0x6C697374  # "list"


def add_list(conn: sa.Connection, record: AddressListRecord) -> bool:
    """Add a list that has been loaded; False if its name is taken."""
    lock(conn, _LOCK)
    if address_list(conn, record.name):
        return False
    values = {field: getattr(record, field) for field in record.__struct_fields__}
    conn.execute(sa.insert(address_lists).values(values))
    return True


def remove_list(conn: sa.Connection, name: str, now: int) -> bool:
    """Remove a list and its blob; False if there is none of this name."""
    lock(conn, _LOCK)
    record = address_list(conn, name)
    if record is None:
        return False
    conn.execute(sa.delete(address_lists).where(address_lists.c.name == name))
    throw_away(conn, [record.blob_key], now)
    return True


def claim_list(conn: sa.Connection, name: str, due_at: int, until: int) -> bool:
    """Take a due list for oneself: nobody else finds it due before `until`.

    Args:
        conn: A connection of `Database.write`.
        name: Of the list.
        due_at: As it was found.
        until: Milliseconds since the epoch.

    Returns:
        False if another worker was quicker.
    """
    claimed = conn.execute(
        sa.update(address_lists)
        .where(address_lists.c.name == name, address_lists.c.due_at == due_at)
        .values(due_at=until)
    )
    return claimed.rowcount > 0


def replace_list(conn: sa.Connection, name: str, blob_key: str, ranges: int, now: int) -> bool:
    """Let a list have the new blob; False if the list is gone, and the blob is nobody's."""
    lock(conn, _LOCK)
    record = address_list(conn, name)
    if record is None:
        return False
    throw_away(conn, [record.blob_key], now)
    due_at = None if record.every is None else now + record.every * 1000
    fresh: Values = {"blob_key": blob_key, "ranges": ranges, "loaded_at": now}
    _set(conn, name, {**fresh, "problem": None, "due_at": due_at})
    return True


def note_problem(conn: sa.Connection, name: str, problem: str, due_at: int | None) -> None:
    """Keep the list as it is, and why it could not be refreshed."""
    _set(conn, name, {"problem": problem, "due_at": due_at})


def _set(conn: sa.Connection, name: str, values: Values) -> None:
    conn.execute(sa.update(address_lists).where(address_lists.c.name == name).values(values))
