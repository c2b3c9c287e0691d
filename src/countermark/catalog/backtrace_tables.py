"""The table of backtraces: leaks that are or were traced, and what came of it."""

import sqlalchemy as sa

from countermark.catalog.columns import Json, Name, id_column, metadata

backtraces = sa.Table(
    "backtraces",
    metadata,
    id_column("id", primary_key=True),
    id_column("user_id", sa.ForeignKey("users.id")),
    id_column("application_id", sa.ForeignKey("applications.id")),
    id_column("pipeline_id"),  # may be gone: what was found stays
    id_column("job_id", nullable=True),  # only masters that this job made
    sa.Column("status", Name, nullable=False),  # QUEUED, PROCESSING, SUCCESS, FAILURE
    sa.Column("percentage", sa.Integer, nullable=False, server_default="0"),
    sa.Column("input_name", Name, nullable=False),
    id_column("file_id"),  # the leak
    id_column("wanted_master_id", nullable=True),  # only this master
    id_column("master_id", nullable=True),  # the one that the leak shows
    sa.Column("tag", Name),  # the surest of those accused
    sa.Column("folded_tags", Name),  # all accused in one case, as Unicode folds it, to search in
    sa.Column("finding", Json),  # autograph/report.py: Finding
    sa.Column("json_size", sa.BigInteger),  # bytes of the report's two forms
    sa.Column("html_size", sa.BigInteger),
    sa.Column("error_code", Name),
    sa.Column("error_msg", Name),
    sa.Column("started_at", sa.BigInteger),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "id"),
    sa.Index(None, "status", "id"),
)

# All that is known of one; the rest is for queries only.
BACKTRACE_COLUMNS = tuple(column for column in backtraces.c if column.name != "folded_tags")
