"""AutoGraph's key is made here, and what copies were given out is kept."""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.database import lock
from countermark.catalog.readers.autograph import keys
from countermark.catalog.records import AutographKey, IssuedCopy
from countermark.catalog.tables import autograph_copies, autograph_keys, autograph_tags

_SECRET_BYTES = 32
_LOCK = 0x61757467  # "autg"


def ensure_key(conn: sa.Connection, now: int) -> AutographKey:
    """The newest key; made if there is none, by one of the processes that start together."""
    lock(conn, _LOCK)
    found = keys(conn)
    if found:
        return found[-1]
    key = AutographKey(1, secrets.token_bytes(_SECRET_BYTES), now)
    conn.execute(sa.insert(autograph_keys).values(**structs.asdict(key)))
    return key


def issue(conn: sa.Connection, given: Sequence[IssuedCopy]) -> None:
    """Keep that links to copies are about to be given out."""
    if not given:
        return
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    new = {(one.file_id, one.tag): one.created_at for one in given}
    # In one order, so that two writers can't wait for each other.
    rows = [
        {"file_id": file_id, "tag": tag, "created_at": new[file_id, tag]}
        for file_id, tag in sorted(new)
    ]
    conn.execute(dialect.insert(autograph_tags).on_conflict_do_nothing(), rows)
    conn.execute(sa.insert(autograph_copies), [structs.asdict(one) for one in given])
