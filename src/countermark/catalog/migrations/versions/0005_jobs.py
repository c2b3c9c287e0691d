"""Conversion jobs, their presets, their queue and what is told of them.

The table of jobs was there for files to refer to; nothing could write it, so it is made anew.

Revision ID: 0005_jobs
Revises: 0004_autograph
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_jobs"
down_revision = "0004_autograph"

_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the tables; an upload remembers whether its client said when the file ends."""
    _presets()
    op.drop_table("jobs")
    _jobs()
    _queue()
    _notifications()
    op.add_column(
        "uploads",
        sa.Column("expiry_given", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index("ix_uploads_file_id", "uploads", ["file_id"])


def _presets() -> None:
    op.create_table(
        "presets",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=True),
        sa.Column("application_id", _ID, nullable=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", _NAME, nullable=True),
        sa.Column("target_format", _JSON, nullable=False),
        sa.Column("settings", _JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_presets_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_presets_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_presets"),
    )
    op.create_index("ix_presets_user_id_id", "presets", ["user_id", "id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_jobs_asked(),
        *_jobs_done(),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_jobs_application_id"
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name="fk_jobs_pipeline_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_jobs_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    for columns in (
        ("user_id", "id"),
        ("user_id", "created_at", "id"),
        ("user_id", "status", "id"),
        ("input_file_id",),
    ):
        op.create_index(f"ix_jobs_{'_'.join(columns)}", "jobs", list(columns))
    queue = ["status", "user_id", "priority", "queued_at", "id"]
    op.create_index("ix_jobs_queue", "jobs", queue)


def _jobs_asked() -> list[sa.Column[object]]:
    return [
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("status", _NAME, nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input", _JSON, nullable=False),
        sa.Column("input_file_id", _ID, nullable=True),
        sa.Column("input_file_name", _NAME, nullable=True),
        sa.Column("input_folded", _NAME, nullable=True),
        sa.Column("autograph", _JSON, nullable=True),
        sa.Column("user_data", _NAME, nullable=True),
        sa.Column("output_prefix", _NAME, nullable=False),
        sa.Column("outputs", _JSON, nullable=False),
    ]


def _jobs_done() -> list[sa.Column[object]]:
    return [
        sa.Column("results", _JSON, nullable=True),
        sa.Column("progress", _JSON, nullable=True),
        sa.Column("percentage", sa.Integer(), server_default="0", nullable=False),
        sa.Column("folder_id", _ID, nullable=True),
        sa.Column("archive_id", _ID, nullable=True),
        sa.Column("error_code", _NAME, nullable=True),
        sa.Column("error_msg", _NAME, nullable=True),
        sa.Column("warnings", _JSON, nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("run", _ID, nullable=True),
        sa.Column("runs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", _NAME, nullable=True),
        sa.Column("cancel_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    ]


def _queue() -> None:
    op.create_table(
        "job_blobs",
        sa.Column("blob_key", _NAME, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_job_blobs_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("blob_key", name="pk_job_blobs"),
    )
    op.create_index("ix_job_blobs_job_id", "job_blobs", ["job_id"])
    op.create_table(
        "job_turns",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("served_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_job_turns_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_job_turns"),
    )
    op.create_table(
        "workers",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index("ix_notifications_due_at", "notifications", ["due_at"])
