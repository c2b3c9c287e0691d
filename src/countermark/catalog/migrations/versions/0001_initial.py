"""The first schema.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_ID = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make all tables, those that others refer to first."""
    _users()
    _applications()
    _tokens()
    _link_keys()
    _pipelines()
    _jobs()
    _files()
    _file_changes()
    _thumbnails()
    _uploads()
    _trash()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("files_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_applications_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name="fk_tokens_application_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tokens"),
    )
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])


def _link_keys() -> None:
    op.create_table(
        "link_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link_keys"),
    )


def _pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("root_folder_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("default_object_timeout", sa.BigInteger(), nullable=True),
        sa.Column("cancel_timeout", sa.BigInteger(), nullable=True),
        sa.Column("input_download_dir", sa.Text(), nullable=True),
        sa.Column("output_upload_dir", sa.Text(), nullable=True),
        sa.Column("store_mode", sa.Text(), server_default="temporary", nullable=False),
        sa.Column("ping_urls", _JSON, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_pipelines_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_pipelines_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
    )
    op.create_index("ix_pipelines_user_id_id", "pipelines", ["user_id", "id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_jobs_application_id"
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name="fk_jobs_pipeline_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_jobs_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_user_id_id", "jobs", ["user_id", "id"])


def _files() -> None:
    op.create_table(
        "files",
        *_files_identity(),
        *_files_content(),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_files_application_id"
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name="fk_files_pipeline_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_files_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("pipeline_id", "object_key", name="uq_files_pipeline_id_object_key"),
    )
    _files_indexes()


def _files_identity() -> list[sa.Column[object]]:
    return [
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("type", _NAME, nullable=False),
        sa.Column("subtype", _NAME, nullable=True),
        sa.Column("object_key", _NAME, nullable=False),
        sa.Column("title", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
    ]


def _files_content() -> list[sa.Column[object]]:
    return [
        sa.Column("container", _NAME, nullable=True),
        sa.Column("mime_type", _NAME, nullable=True),
        sa.Column("md5_checksum", _NAME, nullable=True),
        sa.Column("header_crc", _NAME, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("size_on_disk", sa.BigInteger(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("video_tracks", _JSON, nullable=True),
        sa.Column("audio_tracks", _JSON, nullable=True),
        sa.Column("subtitle_tracks", _JSON, nullable=True),
        sa.Column("elements", _JSON, nullable=True),
        sa.Column("autograph", sa.Boolean(), nullable=True),
        sa.Column("description", _NAME, nullable=True),
        sa.Column("user_data", _NAME, nullable=True),
        sa.Column("download_count", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("blob_key", _NAME, nullable=True),
        sa.Column("etag", _NAME, nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    ]


def _files_indexes() -> None:
    filtered = ["expires_at", "type", "pipeline_id"]
    op.create_index("ix_files_blob_key", "files", ["blob_key"])
    op.create_index("ix_files_expires_at", "files", ["expires_at"])
    op.create_index("ix_files_parent_id", "files", ["parent_id"])
    op.create_index("ix_files_user_created_at", "files", ["user_id", "created_at", "id", *filtered])
    op.create_index("ix_files_user_default", "files", ["user_id", "id", *filtered])
    op.create_index("ix_files_user_id_expires_at", "files", ["user_id", "expires_at"])
    op.create_index("ix_files_user_id_job_id_id", "files", ["user_id", "job_id", "id"])
    op.create_index("ix_files_user_name", "files", ["user_id", "name", "id", *filtered])
    op.create_index(
        "ix_files_user_pipeline", "files", ["user_id", "pipeline_id", "id", "expires_at", "type"]
    )
    op.create_index("ix_files_user_size", "files", ["user_id", "size", "id", *filtered])
    only = sa.text("type = 'archive'")
    op.create_index(
        "ix_files_user_archives", "files", ["user_id"], sqlite_where=only, postgresql_where=only
    )


def _file_changes() -> None:
    op.create_table(
        "file_changes",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("type", _NAME, nullable=False),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_file_changes_user_id"),
        sa.PrimaryKeyConstraint("user_id", "version", name="pk_file_changes"),
    )


def _thumbnails() -> None:
    op.create_table(
        "thumbnails",
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_thumbnails_file_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name="pk_thumbnails"),
    )


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("application_id", _ID, nullable=False),
        sa.Column("pipeline_id", _ID, nullable=False),
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("object_key", _NAME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("nb_chunks", sa.Integer(), nullable=True),
        sa.Column("error_msg", sa.Text(), nullable=True),
        sa.Column("file_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_uploads_application_id"
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name="fk_uploads_pipeline_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_uploads_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_status_ends_at", "uploads", ["status", "ends_at"])
    op.create_index("ix_uploads_user_id_id", "uploads", ["user_id", "id"])


def _trash() -> None:
    op.create_table(
        "trash",
        sa.Column("blob_key", _NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("blob_key", name="pk_trash"),
    )
