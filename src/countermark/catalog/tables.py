"""The catalog's tables, for SQLite and PostgreSQL alike.

Times are integers, milliseconds since the epoch. Ids are 24 hex characters. JSON columns hold
what a prober or a client said, as text in SQLite and jsonb in PostgreSQL.

A row of `files` is a finished, visible thing: what is not yet whole is an `uploads` row, and what
is no longer wanted is a `trash` row, so no query can show half a file by forgetting a filter.
"""

import sqlalchemy as sa

from countermark.catalog.columns import Json, Name, metadata
from countermark.catalog.columns import id_column as _id

# What the listing's filters ask of a file; indexes that end with it answer without the row.
_FILTERED = ("expires_at", "type", "pipeline_id")

users = sa.Table(
    "users",
    metadata,
    _id("id", primary_key=True),
    sa.Column("name", Name, nullable=False, unique=True),
    # Counts every change to the user's files; what is remembered of a listing is as of one value.
    sa.Column("files_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

applications = sa.Table(
    "applications",
    metadata,
    _id("id", primary_key=True),  # is the client_id, too
    _id("user_id", sa.ForeignKey("users.id")),
    sa.Column("name", Name, nullable=False),
    # Not hashed: HMAC needs the key itself (docs/operations.md says what that means).
    sa.Column("client_secret", sa.LargeBinary, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # comma separated
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),  # SHA-256 of the token's text
    _id("application_id", sa.ForeignKey("applications.id", ondelete="CASCADE")),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

link_keys = sa.Table(
    "link_keys",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # 32 bytes
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

# What masters are marked with and copies are spliced by; see docs/autograph.md.
autograph_keys = sa.Table(
    "autograph_keys",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # 32 bytes
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

# The tags that copies of a master were given out with, each once: what a trace scores. Neither
# these nor the copies go with the file: who got what stays known.
autograph_tags = sa.Table(
    "autograph_tags",
    metadata,
    _id("file_id", primary_key=True),
    sa.Column("tag", Name, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Every link that was given out to a copy.
autograph_copies = sa.Table(
    "autograph_copies",
    metadata,
    sa.Column("serial", Name, primary_key=True),  # of the link
    _id("file_id"),
    sa.Column("tag", Name, nullable=False),
    _id("user_id"),
    _id("application_id"),
    sa.Column("asked_from", Name, nullable=False),  # address of who asked for the link
    sa.Column("bound_to", Name),  # the only address that may use it
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index(None, "file_id", "tag", "created_at"),
)

pipelines = sa.Table(
    "pipelines",
    metadata,
    _id("id", primary_key=True),
    _id(
        "user_id",
        sa.ForeignKey("users.id"),
    ),
    _id("application_id", sa.ForeignKey("applications.id")),
    _id("root_folder_id"),
    sa.Column("name", Name, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("default_object_timeout", sa.BigInteger),  # seconds
    sa.Column("cancel_timeout", sa.BigInteger),  # seconds
    sa.Column("input_download_dir", sa.Text),
    sa.Column("output_upload_dir", sa.Text),
    sa.Column("store_mode", sa.Text, nullable=False, server_default="temporary"),
    sa.Column("ping_urls", Json),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "id"),
)

files = sa.Table(
    "files",
    metadata,
    _id("id", primary_key=True),
    _id("user_id", sa.ForeignKey("users.id")),
    _id("application_id", sa.ForeignKey("applications.id")),
    _id("pipeline_id", sa.ForeignKey("pipelines.id")),
    _id("job_id", nullable=True),
    _id("parent_id", nullable=True),  # a folder; null for a pipeline's root
    sa.Column("type", Name, nullable=False),  # file, folder, archive
    sa.Column("subtype", Name),
    # Relative to the pipeline's root folder, "" for the root itself; unique within a pipeline.
    sa.Column("object_key", Name, nullable=False),
    sa.Column("title", Name, nullable=False),
    sa.Column("name", Name, nullable=False),
    sa.Column("container", Name),
    sa.Column("mime_type", Name),
    sa.Column("md5_checksum", Name),
    sa.Column("header_crc", Name),
    sa.Column("size", sa.BigInteger),
    sa.Column("size_on_disk", sa.BigInteger),
    sa.Column("duration", sa.BigInteger),
    sa.Column("video_tracks", Json),
    sa.Column("audio_tracks", Json),
    sa.Column("subtitle_tracks", Json),
    sa.Column("elements", Json),  # of an archive: its files' ids
    sa.Column("autograph", sa.Boolean),
    sa.Column("description", Name),
    sa.Column("user_data", Name),
    sa.Column("download_count", sa.BigInteger),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("blob_key", Name),  # where the bytes are; null for folders and archives
    sa.Column("etag", Name),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("pipeline_id", "object_key"),
    # One index for each order that is flat in its offset.
    sa.Index("ix_files_user_default", "user_id", "id", *_FILTERED),
    sa.Index("ix_files_user_name", "user_id", "name", "id", *_FILTERED),
    sa.Index("ix_files_user_size", "user_id", "size", "id", *_FILTERED),
    sa.Index("ix_files_user_created_at", "user_id", "created_at", "id", *_FILTERED),
    sa.Index("ix_files_user_pipeline", "user_id", "pipeline_id", "id", "expires_at", "type"),
    sa.Index(None, "user_id", "job_id", "id"),
    sa.Index(None, "user_id", "expires_at"),
    sa.Index(None, "parent_id"),
    sa.Index(None, "expires_at"),
    sa.Index(None, "blob_key"),
    sa.Index(
        "ix_files_user_masters",
        "user_id",
        "id",
        sqlite_where=sa.text("autograph"),
        postgresql_where=sa.text("autograph"),
    ),
    sa.Index(
        "ix_files_user_archives",
        "user_id",
        sqlite_where=sa.text("type = 'archive'"),
        postgresql_where=sa.text("type = 'archive'"),
    ),
)

# What came and went among a user's files, as far as a listing's totals and offsets depend on it.
# Row n made `users.files_version` n; old rows are dropped, see writers/changes.py.
file_changes = sa.Table(
    "file_changes",
    metadata,
    _id("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sign", sa.SmallInteger, nullable=False),  # 1 came, -1 went
    _id("id"),
    sa.Column("name", Name, nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("type", Name, nullable=False),
    _id("pipeline_id"),
    _id("job_id", nullable=True),
)

thumbnails = sa.Table(
    "thumbnails",
    metadata,
    _id("file_id", sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("mime_type", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

uploads = sa.Table(
    "uploads",
    metadata,
    _id("id", primary_key=True),
    _id("user_id", sa.ForeignKey("users.id")),
    _id("application_id", sa.ForeignKey("applications.id")),
    _id("pipeline_id", sa.ForeignKey("pipelines.id")),
    _id("file_id"),  # the id that the file will have
    sa.Column("object_key", Name, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # UPLOADING, COMPLETING, COMPLETED, FAILED
    sa.Column("nb_chunks", sa.Integer),
    sa.Column("error_msg", sa.Text),
    sa.Column("file_expires_at", sa.BigInteger),  # null: never
    sa.Column("ends_at", sa.BigInteger, nullable=False),  # no bytes are taken after this
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    # Whether the client said when the file ends; if not, a job that uses it keeps it.
    sa.Column("expiry_given", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "status", "ends_at"),
    sa.Index(None, "user_id", "id"),
    sa.Index(None, "file_id"),
)

trash = sa.Table(
    "trash",
    metadata,
    sa.Column("blob_key", Name, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

# What edges have sent, a row for each second of an edge's work, until the worker folds it into
# `bandwidth`. A folded row stays for an hour: a batch that an edge sends again is known by its id.
traffic = sa.Table(
    "traffic",
    metadata,
    _id("id", primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),  # links/traffic.py
    sa.Column("folded_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index(None, "folded_at", "id"),
)

# Files and applications may be gone; what was sent of them was sent, so nothing is referred to.
bandwidth = sa.Table(
    "bandwidth",
    metadata,
    _id("user_id", primary_key=True),
    sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),  # its first ms, UTC
    _id("application_id", primary_key=True),
    sa.Column("tag", Name, primary_key=True),  # "" for none
    _id("file_id", primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("downloads", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "tag", "day"),
)

# Who tried links that were not for them. The address is kept, so it is forgotten after a while.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("serial", Name, primary_key=True),  # of the link
    sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),  # its first ms, UTC
    sa.Column("address", Name, primary_key=True),
    sa.Column("error_code", Name, primary_key=True),
    _id("user_id"),
    _id("application_id"),
    _id("file_id"),
    sa.Column("tag", Name, nullable=False),  # "" for none
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False, index=True),
    sa.Index(None, "user_id", "last_at"),
)

# Downloads begun and not complete: which bytes have been delivered to one client of one link.
deliveries = sa.Table(
    "deliveries",
    metadata,
    _id("id", primary_key=True),  # hash of the link's serial and the client
    sa.Column("spans", sa.LargeBinary, nullable=False),  # links/coverage.py
    sa.Column("updated_at", sa.BigInteger, nullable=False, index=True),
)

# Small blobs that belong to a file: its poster, its subtitles as WebVTT.
sidecars = sa.Table(
    "sidecars",
    metadata,
    _id("file_id", sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", Name, primary_key=True),  # poster, subtitles-0, subtitles-1, ...
    sa.Column("language", Name),
    sa.Column("blob_key", Name, nullable=False, index=True),
)

# What has ended before its time. Edges remember all of it, and ask for what is new by its number.
revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # links/revocations.py
    sa.Column("id", Name, nullable=False),
    sa.Column("until", sa.BigInteger),  # no link of it can be alive after this; null: for ever
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("kind", "id"),
    sa.Index(None, "until"),
    # A number never comes again, so that an edge cannot take a new row for one it knows.
    sqlite_autoincrement=True,
)

address_lists = sa.Table(
    "address_lists",
    metadata,
    sa.Column("name", Name, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # anonymizer, blacklist
    sa.Column("source", sa.Text, nullable=False),  # a URL, or an absolute path
    sa.Column("internal", sa.Boolean, nullable=False),  # the URL may lead into private networks
    sa.Column("every", sa.BigInteger),  # seconds; null: only when asked to
    sa.Column("blob_key", Name, nullable=False),  # compiled
    sa.Column("ranges", sa.BigInteger, nullable=False),
    sa.Column("problem", sa.Text),  # why the last refresh failed; null: it did not
    sa.Column("loaded_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
