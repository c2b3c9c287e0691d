"""What the catalog gives back of jobs and presets: a frozen struct a row, as in `records`.

The JSON columns of a job hold the structs of this module as far as the hub itself makes them; what
a client asked for is kept as the API understood it.
"""

from typing import Any

from msgspec import Struct

from countermark.catalog.job_states import JobStatus


class PresetRecord(Struct, frozen=True):
    """A preset; one without a user is built in, and everybody's."""

    id: str
    user_id: str | None
    application_id: str | None
    name: str
    description: str | None
    target_format: dict[str, Any]
    settings: dict[str, Any]
    created_at: int
    updated_at: int


class OutputResult(Struct, frozen=True, omit_defaults=True):
    """What came of one output of a job: ids of files.

    Attributes:
        file_id: The film or sound.
        thumbnail_zip_id: Its thumbnails in one file.
        image_ids: Single images, poster and sprite sheet, in the order they were asked for.
    """

    file_id: str | None = None
    thumbnail_zip_id: str | None = None
    image_ids: tuple[str, ...] = ()


class JobRecord(Struct, frozen=True):
    """A job.

    Attributes:
        input: What the client said of the input, with `input_name`.
        input_file_id: The file that is the input; None until it is known.
        input_file_name: Its name; stays when the file goes.
        autograph: What the client said of AutoGraph; None for no master.
        output_prefix: Where the outputs lie, without a slash at the end.
        outputs: What the client asked for, one object for each.
        results: What came of it, one for each output; None until the job has succeeded.
        progress: Per cent done of each output.
        percentage: Per cent done of the whole.
        folder_id: The folder of the outputs, once it has succeeded.
        archive_id: The archive of the outputs, once it has succeeded.
        error_code: Of a public error; None unless it has failed.
        error_msg: What to do about it.
        warnings: What is not as it was asked for, in public words.
        attempt: From 1; each retry is one more.
        run: Made when it was taken from the queue; None while it waits.
        runs: How many executions this attempt has had: more than one if workers died.
        worker: Who works on it.
        queued_at: When this attempt was asked for.
    """

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    status: JobStatus
    priority: int
    input: dict[str, Any]
    input_file_id: str | None
    input_file_name: str | None
    autograph: dict[str, Any] | None
    user_data: str | None
    output_prefix: str
    outputs: list[dict[str, Any]]
    results: list[OutputResult] | None
    progress: list[int] | None
    percentage: int
    folder_id: str | None
    archive_id: str | None
    error_code: str | None
    error_msg: str | None
    warnings: list[str] | None
    attempt: int
    run: str | None
    runs: int
    worker: str | None
    cancel_requested_at: int | None
    queued_at: int
    started_at: int | None
    finished_at: int | None
    created_at: int
    updated_at: int


class JobPage(Struct, frozen=True):
    """Some jobs of a listing, and how many the whole listing has."""

    jobs: list[JobRecord]
    total: int


class NewJob(Struct, frozen=True, kw_only=True):
    """A job as it is asked for; see `JobRecord` for the fields."""

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    priority: int
    input: dict[str, Any]
    input_file_id: str | None
    input_file_name: str | None
    autograph: dict[str, Any] | None
    user_data: str | None
    output_prefix: str
    outputs: list[dict[str, Any]]


class NotificationRecord(Struct, frozen=True):
    """Something that a client's server is to be told.

    Attributes:
        application_id: Whose secret signs it.
        event: started, warning, error or finished.
        body: What is posted, JSON.
        attempts: How often it was tried.
        due_at: When it is tried next.
        ends_at: When it is given up.
    """

    id: str
    job_id: str
    application_id: str
    event: str
    url: str
    body: bytes
    attempts: int
    due_at: int
    ends_at: int
    created_at: int
