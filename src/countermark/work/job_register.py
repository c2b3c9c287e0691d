"""The end of a job that went well: all that it made enters the catalog at once."""

import posixpath
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from countermark.catalog.job_records import OutputResult
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import pipelines as read_pipelines
from countermark.catalog.records import PipelineRecord
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import job_runs
from countermark.work.job_execution import Execution, JobLostError
from countermark.work.job_files import expiry, register
from countermark.work.job_input import Source
from countermark.work.job_output import MadeOutput
from countermark.work.parts import now_ms

log = structlog.get_logger()


def enter_catalog(execution: Execution, source: Source, made: Sequence[MadeOutput]) -> None:
    """Make everything visible, and end the job, in one transaction.

    Raises:
        PublicError: a file cannot lie where it was to.
        JobLostError: the job has ended otherwise.
    """
    execution.enter("UPLOADING")
    job = execution.job
    with execution.parts.database.write() as connection:
        pipeline = read_pipelines.pipeline(connection, job.user_id, job.pipeline_id)
        if pipeline is None:
            raise JobLostError
        files = [file for output in made for file in output.files()]
        for file in [*files, *filter(None, [source.fetched])]:
            register(connection, execution, file, pipeline)
        values = _values(connection, execution, pipeline, source, made)
        if not job_runs.succeed(connection, execution.run, values, now_ms()):
            raise JobLostError
    execution.parts.metrics.jobs.labels("none").inc()
    log.info("job succeeded", job=job.id, outputs=len(made))


def _values(
    connection: Connection,
    execution: Execution,
    pipeline: PipelineRecord,
    source: Source,
    made: Sequence[MadeOutput],
) -> dict[str, Any]:
    fetched = {"input_file_id": source.fetched.file_id} if source.fetched else {}
    return {
        "results": [msgspec.to_builtins(_result(output)) for output in made],
        "warnings": [warning for output in made for warning in output.warnings] or None,
        "folder_id": _folder(connection, execution, pipeline),
        "archive_id": _archive(connection, execution, pipeline, made),
        "progress": [100] * len(made),
        **fetched,
    }


def _result(output: MadeOutput) -> OutputResult:
    return OutputResult(
        file_id=output.file.file_id,
        thumbnail_zip_id=output.thumbnail_zip.file_id if output.thumbnail_zip else None,
        image_ids=tuple(image.file_id for image in output.images),
    )


def _folder(connection: Connection, execution: Execution, pipeline: PipelineRecord) -> str:
    job = execution.job
    found = read_files.file_by_key(
        connection, job.user_id, job.pipeline_id, job.output_prefix, now_ms()
    )
    return found.id if found else pipeline.root_folder_id


def _archive(
    connection: Connection,
    execution: Execution,
    pipeline: PipelineRecord,
    made: Sequence[MadeOutput],
) -> str:
    """The outputs in one: a list of them that is downloaded as a whole."""
    job, now = execution.job, now_ms()
    name = f"{posixpath.splitext(job.input_file_name or 'outputs')[0]}_{job.id}"
    archive = write_files.create_archive(
        connection,
        user_id=job.user_id,
        application_id=job.application_id,
        pipeline_id=job.pipeline_id,
        object_key=posixpath.join(job.output_prefix, name),
        elements=[output.file.file_id for output in made],
        now=now,
        job_id=job.id,
        expires_at=expiry(pipeline, now, passing=False),
    )
    return archive.id
