"""AutoGraph's keys, its masters, and who was given copies of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from countermark.catalog.readers.files import FILES
from countermark.catalog.records import AutographKey, FileRecord, IssuedCopy
from countermark.catalog.tables import autograph_copies, autograph_keys, autograph_tags, files

_TAGS = (
    sa.select(autograph_tags.c.tag)
    .where(autograph_tags.c.file_id == sa.bindparam("file_id"))
    .order_by(autograph_tags.c.tag)
)
_COUNT = (
    sa.select(sa.func.count())
    .select_from(autograph_tags)
    .where(autograph_tags.c.file_id == sa.bindparam("file_id"))
)
_COPIES = (
    sa.select(autograph_copies)
    .where(
        autograph_copies.c.file_id == sa.bindparam("file_id"),
        autograph_copies.c.tag == sa.bindparam("tag"),
    )
    .order_by(autograph_copies.c.created_at, autograph_copies.c.serial)
    .limit(sa.bindparam("limit"))
)
# As the partial index says it, else it is not used.
_MASTERS = FILES.where(
    sa.literal_column("autograph"),
    sa.or_(files.c.expires_at.is_(None), files.c.expires_at > sa.bindparam("now")),
).order_by(files.c.id)
_OWN_MASTERS = _MASTERS.where(files.c.user_id == sa.bindparam("user_id"))
_BATCH = 10_000


def keys(conn: sa.Connection) -> list[AutographKey]:
    """Every key, newest last."""
    rows = conn.execute(sa.select(autograph_keys).order_by(autograph_keys.c.id))
    return [AutographKey(id_, bytes(secret), created_at) for id_, secret, created_at in rows]


def masters(conn: sa.Connection, user_id: str | None, now: int) -> list[FileRecord]:
    """The user's masters, or everybody's, in the order of their making."""
    query = _MASTERS if user_id is None else _OWN_MASTERS
    named = {"now": now} if user_id is None else {"user_id": user_id, "now": now}
    return [FileRecord(*row) for row in conn.execute(query, named)]


def tags(conn: sa.Connection, file_id: str) -> Iterator[str]:
    """Every tag that a copy of the master was given out with, once, in byte order.

    Memory holds some of them at a time.
    """
    for batch in _batches(conn, file_id):
        for (tag,) in batch:
            yield tag


def _batches(conn: sa.Connection, file_id: str) -> Iterator[Sequence[Any]]:
    if conn.dialect.name != "sqlite":
        streamed = conn.execution_options(yield_per=_BATCH)
        yield from streamed.execute(_TAGS, {"file_id": file_id}).partitions()
        return
    # To sqlite3 itself: SQLAlchemy's way with a row takes three times what reading it does.
    driver: Any = conn.connection.driver_connection
    cursor = driver.execute(str(_TAGS.compile(conn)), (file_id,))
    while rows := cursor.fetchmany(_BATCH):
        yield rows


def count_tags(conn: sa.Connection, file_id: str) -> int:
    """How many those are."""
    return conn.scalar(_COUNT, {"file_id": file_id}) or 0


def copies(conn: sa.Connection, file_id: str, tag: str, limit: int) -> list[IssuedCopy]:
    """The links that were given out to a master's copy of this tag, oldest first."""
    rows = conn.execute(_COPIES, {"file_id": file_id, "tag": tag, "limit": limit})
    return [IssuedCopy(**row) for row in rows.mappings()]
