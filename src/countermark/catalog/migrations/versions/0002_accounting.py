"""Accounting of what was sent, and the small blobs that the player shows.

Revision ID: 0002_accounting
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_accounting"
down_revision = "0001"

_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _traffic()
    _bandwidth()
    _deliveries()
    _sidecars()


def _traffic() -> None:
    op.create_table(
        "traffic",
        sa.Column("id", _ID, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("folded_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_traffic"),
    )
    op.create_index("ix_traffic_folded_at_id", "traffic", ["folded_at", "id"])


def _bandwidth() -> None:
    op.create_table(
        "bandwidth",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "user_id", "day", "application_id", "tag", "file_id", name="pk_bandwidth"
        ),
    )
    op.create_index("ix_bandwidth_user_id_tag_day", "bandwidth", ["user_id", "tag", "day"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("spans", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_updated_at", "deliveries", ["updated_at"])


def _sidecars() -> None:
    op.create_table(
        "sidecars",
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("language", _NAME, nullable=True),
        sa.Column("blob_key", _NAME, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_sidecars_file_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "name", name="pk_sidecars"),
    )
    op.create_index("ix_sidecars_blob_key", "sidecars", ["blob_key"])
