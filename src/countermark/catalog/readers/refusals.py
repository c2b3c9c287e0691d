"""Who tried a user's links that were not for them."""

from typing import NamedTuple

import sqlalchemy as sa

from countermark.catalog.readers.bandwidth import Period
from countermark.catalog.tables import refusals


class Refusal(NamedTuple):
    """What one client tried with one link on one day.

    Attributes:
        serial: Of the link.
        tag: "" for none.
        times: How often.
        last_at: When last, milliseconds.
    """

    serial: str
    file_id: str
    application_id: str
    tag: str
    address: str
    error_code: str
    times: int
    last_at: int


def latest(
    conn: sa.Connection, period: Period, limit: int, file_id: str | None = None
) -> list[Refusal]:
    """The latest ones of the period, the last first, of all files or of one."""
    rows = refusals.c
    query = (
        sa.select(*(rows[name] for name in Refusal._fields))
        .where(rows.user_id == period.user_id)
        .where(rows.day.between(period.first_day, period.last_day))
        .order_by(rows.last_at.desc(), rows.serial, rows.address, rows.error_code)
        .limit(limit)
    )
    if period.application_id is not None:
        query = query.where(rows.application_id == period.application_id)
    if file_id is not None:
        query = query.where(rows.file_id == file_id)
    return [Refusal(*row) for row in conn.execute(query)]
