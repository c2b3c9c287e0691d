"""Who tried links that were not for them.

Revision ID: 0007_refusals
Revises: 0006_backtraces
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_refusals"
down_revision = "0006_backtraces"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refusals",
        sa.Column("serial", _NAME, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("address", _NAME, nullable=False),
        sa.Column("error_code", _NAME, nullable=False),
        *(sa.Column(f"{name}_id", _ID, nullable=False) for name in ("user", "application", "file")),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("serial", "day", "address", "error_code", name="pk_refusals"),
    )
    op.create_index("ix_refusals_last_at", "refusals", ["last_at"])
    op.create_index("ix_refusals_user_id_last_at", "refusals", ["user_id", "last_at"])
