"""What the catalog gives back of backtraces: a frozen struct a row, as in `records`."""

from typing import Any, Literal, get_args

from msgspec import Struct

BacktraceStatus = Literal["QUEUED", "PROCESSING", "SUCCESS", "FAILURE"]
BACKTRACE_STATUSES: tuple[BacktraceStatus, ...] = get_args(BacktraceStatus)


class BacktraceRecord(Struct, frozen=True):
    """A leak to be traced, or what came of it.

    Attributes:
        job_id: Only masters that this job made were looked at; None for all.
        percentage: Per cent done.
        input_name: Object key of the leak.
        file_id: The leak.
        wanted_master_id: Only this master was looked at; None for all.
        master_id: The master that the leak shows; None until it is found.
        tag: The surest of the tags accused; None if none is.
        finding: `autograph.report.Finding`; None until it has succeeded.
        json_size: Of the report as JSON, bytes.
        html_size: Of the report as a page, bytes.
        error_code: Of a public error; None unless it has failed.
        error_msg: What to do about it.
    """

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    job_id: str | None
    status: BacktraceStatus
    percentage: int
    input_name: str
    file_id: str
    wanted_master_id: str | None
    master_id: str | None
    tag: str | None
    finding: dict[str, Any] | None
    json_size: int | None
    html_size: int | None
    error_code: str | None
    error_msg: str | None
    started_at: int | None
    finished_at: int | None
    created_at: int
    updated_at: int


class BacktracePage(Struct, frozen=True):
    """Some backtraces of a listing, and how many the whole listing has."""

    backtraces: list[BacktraceRecord]
    total: int
