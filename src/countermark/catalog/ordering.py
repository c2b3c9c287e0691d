"""Pages of lists that are short enough to be walked: all but the files'.

In the order of files: what has no value stands first, ties go by id, and descending is the exact
mirror of ascending.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa


class Page(NamedTuple):
    """Which part of a list, in what order.

    Attributes:
        sort: A name of the list's sort keys.
        direction: 1 ascending, -1 its mirror.
        start: Rows to skip.
        limit: Rows at most.
    """

    sort: str = "id"
    direction: int = 1
    start: int = 0
    limit: int = 1000


def columns_of(table: sa.Table, *names: str, **others: str) -> dict[str, sa.ColumnElement[Any]]:
    """Sort keys that are columns: some by their own name, others by another (`key="column"`).

    A column `x_id` is a reference; it is the key `x`, too, and `x.id` and `x.href`.
    """
    keys: dict[str, sa.ColumnElement[Any]] = {name: table.c[name] for name in names}
    keys |= {name.replace("__", "."): table.c[column] for name, column in others.items()}
    for name in [name for name in names if name.endswith("_id")]:
        reference = name.removesuffix("_id")
        keys |= dict.fromkeys((reference, f"{reference}.id", f"{reference}.href"), table.c[name])
        del keys[name]
    return {**keys, "id": table.c.id, "href": table.c.id}


def read_page(
    conn: sa.Connection,
    query: sa.Select[Any],
    keys: Mapping[str, sa.ColumnElement[Any]],
    page: Page,
) -> tuple[list[Any], int]:
    """The rows of a page, and how many all pages have together."""
    total = conn.scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery()))
    value, id_ = keys[page.sort], keys["id"]
    order = [_directed(value, page.direction), _directed(id_, page.direction)]
    rows = conn.execute(query.order_by(*order).limit(page.limit).offset(page.start))
    return list(rows), total or 0


def _directed(value: sa.ColumnElement[Any], direction: int) -> sa.ColumnElement[Any]:
    # Where nothing can be null, nothing is said of nulls: PostgreSQL's indexes know only its own
    # order of them.
    nullable = not isinstance(value, sa.Column) or value.nullable
    if direction == 1:
        return value.asc().nulls_first() if nullable else value.asc()
    return value.desc().nulls_last() if nullable else value.desc()
