"""The catalog's history, and the way from any point of it to the newest.

A migration is a module of `versions/`, written by hand: it states the schema as it was then, so
it never imports `catalog.tables`. A test compares the two after every migration has run.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(connection: sa.Connection) -> None:
    """Bring the database to the newest version, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
