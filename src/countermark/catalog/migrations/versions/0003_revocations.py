"""What has ended before its time, and the operator's address lists.

Revision ID: 0003_revocations
Revises: 0002_accounting
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_revocations"
down_revision = "0002_accounting"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REVOKED_BEFORE = """
INSERT INTO revocations (kind, id, created_at)
SELECT 'application', id, revoked_at FROM applications WHERE revoked_at IS NOT NULL
"""


def upgrade() -> None:
    """Make the tables; links of applications that were revoked before end now."""
    _revocations()
    op.execute(_REVOKED_BEFORE)
    _address_lists()


def _revocations() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "revocations",
        sa.Column("number", number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_revocations"),
        sa.UniqueConstraint("kind", "id", name="uq_revocations_kind_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revocations_until", "revocations", ["until"])


def _address_lists() -> None:
    op.create_table(
        "address_lists",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("every", sa.BigInteger(), nullable=True),
        sa.Column("blob_key", _NAME, nullable=False),
        sa.Column("ranges", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_address_lists"),
    )
