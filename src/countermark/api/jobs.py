"""The Jobs resource: ask for conversions, see how far they are, cancel them, try them again."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.job_resources import JobAnswer, JobsAnswer
from countermark.api.new_jobs import NewJobBody, resolve
from countermark.api.operation import Call, Operation
from countermark.api.parameters import (
    NO_NUL,
    Direction,
    Expansion,
    Name,
    Paging,
    Presentation,
    ResourceId,
    sorting_by,
)
from countermark.api.presenting import page_answer, page_of, presenter
from countermark.catalog.job_records import JobRecord
from countermark.catalog.job_states import JobStatus
from countermark.catalog.readers import files, jobs
from countermark.catalog.readers.jobs import JobQuery
from countermark.catalog.writers import jobs as write_jobs
from countermark.errors import (
    InvalidJobInputError,
    JobInputMissingError,
    JobNotFoundError,
    JobStateError,
    PipelineNotFoundError,
    PresetNotFoundError,
)


class OneJob(Expansion, frozen=True, kw_only=True):
    """GET /jobs/ID."""

    bin_data: Annotated[bool, Meta(description="Include thumbnails of expanded files.")] = False


class ManyJobs(Paging, frozen=True, kw_only=True):
    """GET /jobs/."""

    bin_data: Annotated[bool, Meta(description="Include thumbnails of expanded files.")] = False
    sort: Annotated[str, sorting_by(jobs.sort_keys())] = "id"
    direction: Direction = "1"
    status: Annotated[
        tuple[JobStatus, ...], Meta(min_length=1, description="Only jobs in these states.")
    ] = ()
    inprogress: (
        Annotated[
            bool,
            Meta(
                description="true: only jobs that wait, run, or ended within the last 15 minutes; "
                "false: only others."
            ),
        ]
        | None
    ) = None
    autograph: (
        Annotated[bool, Meta(description="Only jobs that make masters, or only others.")] | None
    ) = None
    user_data: Annotated[Name, Meta(description="Only jobs with this user_data.")] | None = None
    pipeline_id: Annotated[ResourceId, Meta(description="Only jobs of this pipeline.")] | None = (
        field(name="pipeline.id", default=None)
    )
    input_name: (
        Annotated[Name, Meta(description="Only jobs whose input's name contains this; any case.")]
        | None
    ) = field(name="input.file.name", default=None)


class JobChange(Struct, frozen=True, kw_only=True):
    """What is to be different; the rest stays as it is."""

    user_data: Annotated[str, Meta(max_length=4096, pattern=NO_NUL)] | UnsetType | None = UNSET
    priority: Annotated[int, Meta(ge=-100, le=100)] | UnsetType = UNSET


class JobChangeBody(Struct, frozen=True):
    """The body that changes a job."""

    job: JobChange


async def list_jobs(call: Call[ManyJobs]) -> JobsAnswer:
    """List jobs."""
    query = call.query
    asked = JobQuery(
        user_id=call.caller.user_id,
        page=page_of(call, jobs.sort_keys()),
        statuses=frozenset(query.status),
        in_progress=query.inprogress,
        autograph=query.autograph,
        user_data=query.user_data,
        pipeline_id=query.pipeline_id,
        input_name=query.input_name,
    )

    def read(connection: Connection) -> JobsAnswer:
        page = jobs.page(connection, asked, call.now)
        present = _presenter(connection, call, page.jobs)
        shown = [present.job(record) for record in page.jobs]
        return page_answer(JobsAnswer, call, "jobs", shown, page.total)

    return await call.services.catalog.read(read)


async def show_job(call: Call[OneJob]) -> JobAnswer:
    """Show a job."""
    job_id = call.resource_id

    def read(connection: Connection) -> JobAnswer:
        record = jobs.job(connection, call.caller.user_id, job_id)
        if record is None:
            raise JobNotFoundError
        return JobAnswer(_presenter(connection, call, [record]).job(record))

    return await call.services.catalog.read(read)


async def create_job(call: Call[Expansion]) -> JobAnswer:
    """Create a job.

    The input is a file of the pipeline, or lies elsewhere (a URI). The outputs appear in the
    folder `output_prefix` of the pipeline, all at once, when the job has succeeded.
    """
    asked = (await call.json_body(NewJobBody)).job
    catalog = call.services.catalog
    new = await catalog.read(lambda connection: resolve(connection, call, asked))

    def write(connection: Connection) -> JobAnswer:
        record = write_jobs.create_job(connection, new, call.now)
        return JobAnswer(presenter(connection, call, [record]).job(record))

    return await catalog.write(write)


async def change_job(call: Call[Expansion]) -> JobAnswer:
    """Change a job's `user_data` or `priority`."""
    job_id = call.resource_id
    changes: dict[str, Any] = msgspec.to_builtins((await call.json_body(JobChangeBody)).job)
    return await _write(
        call,
        lambda connection: write_jobs.change_job(
            connection, call.caller.user_id, job_id, changes, call.now
        ),
    )


async def cancel_job(call: Call[Expansion]) -> JobAnswer:
    """Cancel a job.

    One that waits ends at once, one that runs within seconds; nothing of it is left. Nothing
    happens to a job that has ended.
    """
    job_id = call.resource_id
    return await _write(
        call,
        lambda connection: write_jobs.cancel(connection, call.caller.user_id, job_id, call.now),
    )


async def retry_job(call: Call[Expansion]) -> JobAnswer:
    """Try a failed or cancelled job again, as it was asked for."""
    job_id = call.resource_id
    return await _write(
        call,
        lambda connection: write_jobs.retry(connection, call.caller.user_id, job_id, call.now),
    )


async def delete_job(call: Call[Presentation]) -> Answer:
    """Delete a job that has ended; its files stay."""
    job_id, user_id = call.resource_id, call.caller.user_id
    if not await call.services.catalog.write(
        lambda connection: write_jobs.delete_job(connection, user_id, job_id)
    ):
        raise JobNotFoundError
    return empty(204)


async def _write(
    call: Call[Expansion], change: Callable[[Connection], JobRecord | None]
) -> JobAnswer:
    def write(connection: Connection) -> JobAnswer:
        record = change(connection)
        if record is None:
            raise JobNotFoundError
        return JobAnswer(presenter(connection, call, [record]).job(record))

    return await call.services.catalog.write(write)


def _presenter(connection: Connection, call: Call[Any], records: list[JobRecord]) -> Any:
    thumbnails = None
    if call.query.bin_data:
        ids = {one.input_file_id for one in records if one.input_file_id}
        results = [result for one in records for result in one.results or ()]
        ids |= {result.file_id for result in results if result.file_id}
        thumbnails = files.thumbnails(connection, ids)
    return presenter(connection, call, records, thumbnails)


_ONE: dict[str, Any] = {
    "query": Expansion,
    "answer": JobAnswer,
    "scopes": scopes.SUBMIT,
    "invalid": InvalidJobInputError,
    "missing": JobNotFoundError,
}
OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/jobs/",
        handler=list_jobs,
        query=ManyJobs,
        answer=JobsAnswer,
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidJobInputError,
        large=True,
    ),
    Operation(
        method="POST",
        path="/v1/jobs/",
        handler=create_job,
        query=Expansion,
        answer=JobAnswer,
        status=201,
        scopes=scopes.SUBMIT,
        body=NewJobBody,
        invalid=InvalidJobInputError,
        errors=(PipelineNotFoundError, PresetNotFoundError, JobInputMissingError),
    ),
    Operation(
        method="GET",
        path="/v1/jobs/{id:str}",
        handler=show_job,
        query=OneJob,
        answer=JobAnswer,
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidJobInputError,
        missing=JobNotFoundError,
    ),
    Operation(
        method="PUT", path="/v1/jobs/{id:str}", handler=change_job, body=JobChangeBody, **_ONE
    ),
    Operation(
        method="DELETE",
        path="/v1/jobs/{id:str}",
        handler=delete_job,
        query=Presentation,
        status=204,
        scopes=scopes.SUBMIT,
        invalid=InvalidJobInputError,
        missing=JobNotFoundError,
        errors=(JobStateError,),
    ),
    Operation(method="POST", path="/v1/jobs/{id:str}/cancel", handler=cancel_job, **_ONE),
    Operation(
        method="POST",
        path="/v1/jobs/{id:str}/retry",
        handler=retry_job,
        errors=(JobStateError,),
        **_ONE,
    ),
)
