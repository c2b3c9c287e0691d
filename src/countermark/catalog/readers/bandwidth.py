"""What was sent of a user's files, by day, application and tag."""

from typing import NamedTuple

import sqlalchemy as sa

from countermark.catalog.tables import bandwidth


class Period(NamedTuple):
    """Which rows count.

    Attributes:
        user_id: Whose files.
        first_day: The first millisecond of the first day.
        last_day: The first millisecond of the last day, which counts, too.
        application_id: Only links of this application; None for all.
    """

    user_id: str
    first_day: int
    last_day: int
    application_id: str | None


class Total(NamedTuple):
    """What was sent under a tag ("" for all of them)."""

    tag: str
    bytes: int
    downloads: int


_SUMS = (
    sa.func.coalesce(sa.func.sum(bandwidth.c.bytes), 0).label("bytes"),
    sa.func.coalesce(sa.func.sum(bandwidth.c.downloads), 0).label("downloads"),
)


def total(conn: sa.Connection, period: Period, tag: str | None = None) -> Total:
    """Everything sent in the period, or what was sent under one tag."""
    query = sa.select(*_SUMS).where(*_within(period))
    if tag is not None:
        query = query.where(bandwidth.c.tag == tag)
    row = conn.execute(query).one()
    return Total(tag or "", int(row.bytes), int(row.downloads))


def top_tags(conn: sa.Connection, period: Period, limit: int) -> list[Total]:
    """The tags under which most bytes were sent, most first."""
    query = (
        sa.select(bandwidth.c.tag, *_SUMS)
        .where(*_within(period), bandwidth.c.tag != "")
        .group_by(bandwidth.c.tag)
        .order_by(sa.desc("bytes"), bandwidth.c.tag)
        .limit(limit)
    )
    return [Total(row.tag, int(row.bytes), int(row.downloads)) for row in conn.execute(query)]


def _within(period: Period) -> list[sa.ColumnElement[bool]]:
    conditions = [
        bandwidth.c.user_id == period.user_id,
        bandwidth.c.day.between(period.first_day, period.last_day),
    ]
    if period.application_id is not None:
        conditions.append(bandwidth.c.application_id == period.application_id)
    return conditions
