"""The keys that sign links are made here, and only here."""

import secrets

import sqlalchemy as sa

from countermark.catalog.database import lock
from countermark.catalog.readers.keys import link_keys as read_link_keys
from countermark.catalog.records import LinkKey
from countermark.catalog.tables import link_keys

_SECRET_BYTES = 32
_LOCK = 0x6C696E6B  # "link"


def ensure_link_key(conn: sa.Connection, now: int) -> LinkKey:
    """The newest key; made if there is none, by one of the processes that start together."""
    lock(conn, _LOCK)
    keys = read_link_keys(conn)
    return keys[-1] if keys else _add(conn, 1, now)


def rotate_link_key(conn: sa.Connection, now: int) -> LinkKey:
    """Make a new key for new links; those that the older keys signed stay good."""
    lock(conn, _LOCK)
    keys = read_link_keys(conn)
    return _add(conn, keys[-1].id + 1 if keys else 1, now)


def retire_link_key(conn: sa.Connection, key_id: int) -> bool:
    """Drop a key: what it signed stops working within seconds.

    Returns:
        False if there is no such key, or it is the newest, which signs or is about to.
    """
    lock(conn, _LOCK)
    if key_id not in [key.id for key in read_link_keys(conn)[:-1]]:
        return False
    conn.execute(sa.delete(link_keys).where(link_keys.c.id == key_id))
    return True


def _add(conn: sa.Connection, key_id: int, now: int) -> LinkKey:
    key = LinkKey(key_id, secrets.token_bytes(_SECRET_BYTES), now)
    conn.execute(
        sa.insert(link_keys).values(id=key.id, secret=key.secret, created_at=key.created_at)
    )
    return key
