"""Workers show that they are alive, and those that are not are forgotten."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.job_tables import workers


def beat(conn: sa.Connection, worker: str, host: str, now: int) -> None:
    """Count up for a worker, which may be new."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {"id": worker, "host": host, "beats": 1, "created_at": now, "updated_at": now}
    again = {"beats": workers.c.beats + 1, "host": host, "updated_at": now}
    insert = dialect.insert(workers).values(values)
    conn.execute(insert.on_conflict_do_update(index_elements=["id"], set_=again))


def forget(conn: sa.Connection, worker: str, beats: int) -> bool:
    """Forget a worker whose count still is this; False if it has come back."""
    dead = sa.delete(workers).where(workers.c.id == worker, workers.c.beats == beats)
    return conn.execute(dead).rowcount > 0
