"""Presets: those that are built in, and the user's own."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from countermark.catalog.job_records import PresetRecord
from countermark.catalog.job_tables import presets as table
from countermark.catalog.ordering import Page, columns_of, read_page

_TYPE = sa.case((table.c.user_id.is_(None), "system"), else_="custom")
_SORTS: dict[str, sa.ColumnElement[Any]] = columns_of(
    table, "name", "description", "user_id", "application_id", "created_at", "updated_at"
) | {"type": _TYPE}


def sort_keys() -> frozenset[str]:
    """Every key that a listing of presets can be sorted by."""
    return frozenset(_SORTS)


def preset(conn: sa.Connection, user_id: str, preset_id: str) -> PresetRecord | None:
    """The preset of this id, if the user ("" is nobody) may see it."""
    return presets_by_id(conn, user_id, [preset_id]).get(preset_id)


def presets_by_id(
    conn: sa.Connection, user_id: str, ids: Collection[str]
) -> dict[str, PresetRecord]:
    """Those of the ids that are presets which the user may see."""
    query = sa.select(table).where(table.c.id.in_(list(ids)), _visible(user_id))
    return {row.id: PresetRecord(*row) for row in conn.execute(query)}


def preset_named(conn: sa.Connection, user_id: str, name: str) -> PresetRecord | None:
    """The preset of this name: the user's newest, else what is built in."""
    query = sa.select(table).where(table.c.name == name, _visible(user_id))
    own_first = query.order_by(table.c.user_id.is_(None), table.c.id.desc())
    row = conn.execute(own_first.limit(1)).first()
    return PresetRecord(*row) if row else None


def presets(
    conn: sa.Connection, user_id: str, types: Collection[str], page: Page
) -> tuple[list[PresetRecord], int]:
    """A page of the presets that the user may see, and how many there are.

    Args:
        conn: Any connection of the catalog.
        user_id: "" for somebody unknown, who sees what is built in.
        types: Of "system" and "custom"; empty for both.
        page: The order, and the part.
    """
    query = sa.select(table).where(_visible(user_id))
    if types:
        query = query.where(_TYPE.in_(sorted(types)))
    rows, total = read_page(conn, query, _SORTS, page)
    return [PresetRecord(*row) for row in rows], total


def _visible(user_id: str) -> sa.ColumnElement[bool]:
    return sa.or_(table.c.user_id.is_(None), table.c.user_id == user_id)
