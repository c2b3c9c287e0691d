"""AutoGraph: its keys, and the tags and links that copies were given out with.

Revision ID: 0004_autograph
Revises: 0003_revocations
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_autograph"
down_revision = "0003_revocations"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, and the index that finds the masters."""
    op.create_table(
        "autograph_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_autograph_keys"),
    )
    op.create_table(
        "autograph_tags",
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "tag", name="pk_autograph_tags"),
        sqlite_with_rowid=False,
    )
    _copies()
    masters = sa.text("autograph")
    op.create_index(
        "ix_files_user_masters",
        "files",
        ["user_id", "id"],
        sqlite_where=masters,
        postgresql_where=masters,
    )


def _copies() -> None:
    op.create_table(
        "autograph_copies",
        sa.Column("serial", _NAME, nullable=False),
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("asked_from", _NAME, nullable=False),
        sa.Column("bound_to", _NAME, nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_autograph_copies"),
    )
    columns = ["file_id", "tag", "created_at"]
    op.create_index(f"ix_autograph_copies_{'_'.join(columns)}", "autograph_copies", columns)
