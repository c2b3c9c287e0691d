"""Presets come, change and go; a job keeps its own copy of what it was asked for."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from countermark.catalog.job_records import PresetRecord
from countermark.catalog.job_tables import presets


def add_preset(conn: sa.Connection, preset: PresetRecord) -> None:
    """Add a preset."""
    conn.execute(sa.insert(presets).values(msgspec.structs.asdict(preset)))


def change_preset(
    conn: sa.Connection, user_id: str, preset_id: str, changes: dict[str, Any], now: int
) -> bool:
    """Change a preset of the user's; False if there is none of this id, or it is built in."""
    own = sa.update(presets).where(presets.c.id == preset_id, presets.c.user_id == user_id)
    return conn.execute(own.values(**changes, updated_at=now)).rowcount > 0


def delete_preset(conn: sa.Connection, user_id: str, preset_id: str) -> bool:
    """Remove a preset of the user's; False if there is none of this id, or it is built in."""
    own = sa.delete(presets).where(presets.c.id == preset_id, presets.c.user_id == user_id)
    return conn.execute(own).rowcount > 0


def keep_built_in(conn: sa.Connection, built_in: Iterable[PresetRecord]) -> None:
    """Let the presets without a user be these, and no others; ids tell which is which."""
    wanted = {preset.id: preset for preset in built_in}
    stale = presets.c.user_id.is_(None) & presets.c.id.not_in(list(wanted))
    conn.execute(sa.delete(presets).where(stale))
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(presets)
    renewed = {
        name: insert.excluded[name] for name in ("name", "description", "target_format", "settings")
    }
    statement = insert.on_conflict_do_update(index_elements=["id"], set_=renewed)
    conn.execute(statement, [msgspec.structs.asdict(preset) for preset in wanted.values()])
