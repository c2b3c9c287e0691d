"""Which workers show that they are alive."""

import sqlalchemy as sa

from countermark.catalog.job_tables import workers


def beats(conn: sa.Connection) -> dict[str, int]:
    """The count of each worker, by its id; one that stands still is that of a dead worker."""
    return {row.id: row.beats for row in conn.execute(sa.select(workers.c.id, workers.c.beats))}
