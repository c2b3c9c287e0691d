"""Backtraces: leaks to be traced, and what came of it.

Revision ID: 0006_backtraces
Revises: 0005_jobs
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_backtraces"
down_revision = "0005_jobs"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_OWNERS = {"user": "users", "application": "applications"}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "backtraces",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(f"{name}_id", _ID, nullable=False) for name in _OWNERS),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.Column("status", _NAME, nullable=False),
        sa.Column("percentage", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("input_name", _NAME, nullable=False),
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("wanted_master_id", _ID, nullable=True),
        sa.Column("master_id", _ID, nullable=True),
        sa.Column("tag", _NAME, nullable=True),
        sa.Column("folded_tags", _NAME, nullable=True),
        sa.Column("finding", _JSON, nullable=True),
        sa.Column("json_size", sa.BigInteger(), nullable=True),
        sa.Column("html_size", sa.BigInteger(), nullable=True),
        sa.Column("error_code", _NAME, nullable=True),
        sa.Column("error_msg", _NAME, nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{table}.id"], name=f"fk_backtraces_{name}_id"
            )
            for name, table in _OWNERS.items()
        ),
        sa.PrimaryKeyConstraint("id", name="pk_backtraces"),
    )
    op.create_index("ix_backtraces_user_id_id", "backtraces", ["user_id", "id"])
    op.create_index("ix_backtraces_status_id", "backtraces", ["status", "id"])
