"""Traffic comes in as batches, and leaves as rows of `bandwidth`, counts and `refusals`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.tables import bandwidth, deliveries, files, refusals, traffic

FOLD_LOCK = 0x666F6C64  # "fold"
_KEY = ("user_id", "day", "application_id", "tag", "file_id")
_REFUSAL = ("serial", "day", "address", "error_code")


def append(conn: sa.Connection, batch_id: str, body: bytes, now: int) -> None:
    """Keep a batch; one that is there already stays as it is."""
    row = {"id": batch_id, "body": body, "folded_at": None, "created_at": now}
    conn.execute(_insert(conn, traffic).values(row).on_conflict_do_nothing())


def add_bandwidth(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to what was sent; rows as in the table, each key once."""
    if not rows:
        return
    insert = _insert(conn, bandwidth)
    added = {name: bandwidth.c[name] + insert.excluded[name] for name in ("bytes", "downloads")}
    conn.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=added), list(rows))


def add_refusals(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to what was refused; rows as in the table, in any number for a key."""
    if not rows:
        return
    insert = _insert(conn, refusals)
    given, kept = insert.excluded, refusals.c
    later = sa.case((given.last_at > kept.last_at, given.last_at), else_=kept.last_at)
    added = {"times": kept.times + given.times, "last_at": later}
    conn.execute(insert.on_conflict_do_update(index_elements=_REFUSAL, set_=added), list(rows))


def count_downloads(conn: sa.Connection, counts: Mapping[str, int]) -> None:
    """Add complete downloads to files; those that are gone are passed over."""
    if not counts:
        return
    query = (
        sa.update(files)
        .where(files.c.id == sa.bindparam("file"))
        .values(download_count=sa.func.coalesce(files.c.download_count, 0) + sa.bindparam("more"))
    )
    # In one order, so that two writers can't wait for each other.
    conn.execute(query, [{"file": id_, "more": counts[id_]} for id_ in sorted(counts)])


def keep_deliveries(conn: sa.Connection, spans: Mapping[str, bytes], now: int) -> None:
    """Remember which bytes were delivered; no bytes at all forgets the delivery."""
    ended = [id_ for id_, packed in spans.items() if not packed]
    if ended:
        query = sa.delete(deliveries).where(deliveries.c.id == sa.bindparam("ended"))
        conn.execute(query, [{"ended": id_} for id_ in ended])
    rows = [
        {"id": id_, "spans": packed, "updated_at": now} for id_, packed in spans.items() if packed
    ]
    if rows:
        insert = _insert(conn, deliveries)
        renewed = {name: insert.excluded[name] for name in ("spans", "updated_at")}
        conn.execute(insert.on_conflict_do_update(index_elements=["id"], set_=renewed), rows)


def mark_folded(conn: sa.Connection, ids: Collection[str], now: int) -> None:
    """Say that the batches are in `bandwidth`."""
    conn.execute(sa.update(traffic).where(traffic.c.id.in_(list(ids))).values(folded_at=now))


def forget(
    conn: sa.Connection, *, folded_before: int, idle_before: int, refused_before: int
) -> None:
    """Drop batches folded long ago, downloads that were given up, and old refusals."""
    conn.execute(sa.delete(traffic).where(traffic.c.folded_at < folded_before))
    conn.execute(sa.delete(deliveries).where(deliveries.c.updated_at < idle_before))
    conn.execute(sa.delete(refusals).where(refusals.c.last_at < refused_before))


def _insert(conn: sa.Connection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
