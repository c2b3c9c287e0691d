"""The tables of conversion jobs: what is to be done, by whom, and what to tell about it.

A row of `jobs` is the truth about a job; the worker's queue is made from it. All that a job makes
is named by its row only once it has ended: what it has stored before stands in `job_blobs`, so
that nothing of a job that failed or was killed stays in the store.
"""

import sqlalchemy as sa

from countermark.catalog.columns import Json, Name, id_column, metadata

presets = sa.Table(
    "presets",
    metadata,
    id_column("id", primary_key=True),
    id_column("user_id", sa.ForeignKey("users.id"), nullable=True),  # null: built in
    id_column("application_id", sa.ForeignKey("applications.id"), nullable=True),
    sa.Column("name", Name, nullable=False),
    sa.Column("description", Name),
    sa.Column("target_format", Json, nullable=False),
    sa.Column("settings", Json, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "id"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    id_column("id", primary_key=True),
    id_column("user_id", sa.ForeignKey("users.id")),
    id_column("application_id", sa.ForeignKey("applications.id")),
    id_column("pipeline_id", sa.ForeignKey("pipelines.id")),
    sa.Column("status", Name, nullable=False),  # catalog/job_states.py
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("input", Json, nullable=False),  # as it was asked for
    id_column("input_file_id", nullable=True),
    sa.Column("input_file_name", Name),  # stays when the file goes
    sa.Column("input_folded", Name),  # that name in one case, as Unicode folds it, to search in
    sa.Column("autograph", Json),  # null: no master
    sa.Column("user_data", Name),
    sa.Column("output_prefix", Name, nullable=False),
    sa.Column("outputs", Json, nullable=False),  # as they were asked for
    sa.Column("results", Json),  # of each output: the files that came of it
    sa.Column("progress", Json),  # of each output: per cent
    sa.Column("percentage", sa.Integer, nullable=False, server_default="0"),
    id_column("folder_id", nullable=True),
    id_column("archive_id", nullable=True),
    sa.Column("error_code", Name),
    sa.Column("error_msg", Name),
    sa.Column("warnings", Json),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),  # more by each retry
    # These two name the one execution that may write; others that live on have lost their say.
    id_column("run", nullable=True),
    sa.Column("runs", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", Name),  # who works on it, or will
    sa.Column("cancel_requested_at", sa.BigInteger),
    sa.Column("queued_at", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.BigInteger),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "id"),
    sa.Index(None, "user_id", "created_at", "id"),
    sa.Index(None, "user_id", "status", "id"),
    # The queue: who waits, and whose job is next.
    sa.Index("ix_jobs_queue", "status", "user_id", "priority", "queued_at", "id"),
    sa.Index(None, "input_file_id"),
)

# All that is known of a job; the rest is for queries only.
JOB_COLUMNS = tuple(column for column in jobs.c if column.name != "input_folded")

# Blobs that a job has stored or is about to; a job that ends clears those that no file names.
job_blobs = sa.Table(
    "job_blobs",
    metadata,
    sa.Column("blob_key", Name, primary_key=True),
    id_column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE")),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index(None, "job_id"),
)

# When each user's last job was taken from the queue, so that all have their turn.
job_turns = sa.Table(
    "job_turns",
    metadata,
    id_column("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("served_at", sa.BigInteger, nullable=False),
)

# Workers that are alive count up; one whose count stands still is dead.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", Name, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

# What clients' servers are still to be told.
notifications = sa.Table(
    "notifications",
    metadata,
    id_column("id", primary_key=True),
    id_column("job_id"),
    id_column("application_id"),  # whose secret signs
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),  # then it is given up
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index(None, "due_at"),
)
