"""The Backtraces resource: whose copy was a leak made from?"""

import dataclasses
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.backtrace_representation import (
    Reports,
    backtrace_of,
    no_reports,
    report_links,
)
from countermark.api.backtrace_resources import BacktraceAnswer, BacktracesAnswer
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
from countermark.catalog.backtrace_records import BacktraceRecord, BacktraceStatus
from countermark.catalog.readers import autograph, backtraces, files, jobs, pipelines, uploads
from countermark.catalog.readers.backtraces import BacktraceQuery
from countermark.catalog.writers import backtraces as write_backtraces
from countermark.errors import (
    BacktraceNotFoundError,
    InvalidBacktraceInputError,
    JobNotFoundError,
    PipelineNotFoundError,
)
from countermark.storage.layout import report_key


class Named(Struct, frozen=True):
    """Names a resource."""

    id: ResourceId


class LeakInput(Struct, frozen=True, kw_only=True):
    """The leak."""

    input_name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=4096,
            pattern=NO_NUL,
            description="Object key of a file of the pipeline.",
        ),
    ]


class NewBacktrace(Struct, frozen=True, kw_only=True):
    """What a client says of a backtrace."""

    pipeline: Named
    input: LeakInput
    master: (
        Annotated[Named, Meta(description="Look only at this master; default: at all.")] | None
    ) = None


class NewBacktraceBody(Struct, frozen=True):
    """The body that creates a backtrace."""

    backtrace: NewBacktrace


class NewBacktraceQuery(Expansion, frozen=True, kw_only=True):
    """POST /backtraces/."""

    job_id: (
        Annotated[ResourceId, Meta(description="Look only at masters that this job made.")] | None
    ) = None


class ManyBacktraces(Paging, frozen=True, kw_only=True):
    """GET /backtraces/."""

    sort: Annotated[str, sorting_by(backtraces.sort_keys())] = "id"
    direction: Direction = "1"
    status: Annotated[
        tuple[BacktraceStatus, ...],
        Meta(min_length=1, description="Only backtraces in these states."),
    ] = ()
    autograph_tag: (
        Annotated[
            Name, Meta(description="Only those that name a tag which contains this; any case.")
        ]
        | None
    ) = None
    extracted_tag: Annotated[Name, Meta(description="The same as autograph_tag.")] | None = field(
        name="extracted_data.autograph_tag", default=None
    )
    pipeline_id: (
        Annotated[ResourceId, Meta(description="Only backtraces of this pipeline.")] | None
    ) = field(name="pipeline.id", default=None)


async def list_backtraces(call: Call[ManyBacktraces]) -> BacktracesAnswer:
    """List backtraces; their reports are only shown one by one."""
    query = call.query
    asked = BacktraceQuery(
        user_id=call.caller.user_id,
        page=page_of(call, backtraces.sort_keys()),
        statuses=frozenset(query.status),
        tags=tuple(tag for tag in (query.autograph_tag, query.extracted_tag) if tag is not None),
        pipeline_id=query.pipeline_id,
    )

    def read(connection: Connection) -> BacktracesAnswer:
        page = backtraces.page(connection, asked)
        present = presenter(connection, call, page.backtraces)
        shown = [backtrace_of(present, record, no_reports) for record in page.backtraces]
        return page_answer(BacktracesAnswer, call, "backtraces", shown, page.total)

    return await call.services.catalog.read(read)


async def create_backtrace(call: Call[NewBacktraceQuery]) -> BacktraceAnswer:
    """Trace a leak, a file that was uploaded, to the recipient whose copy it was made from.

    The leak may be any piece of a copy, however it was changed. Ask for the backtrace until its
    status is SUCCESS or FAILURE; `extracted_data.autograph_tag` is then the recipient, if the
    evidence is beyond chance.
    """
    asked = (await call.json_body(NewBacktraceBody)).backtrace

    def write(connection: Connection) -> BacktraceAnswer:
        values = _resolve(connection, call, asked)
        return _answer(connection, call, write_backtraces.create(connection, call.now, **values))

    return await call.services.catalog.write(write)


async def show_backtrace(call: Call[Expansion]) -> BacktraceAnswer:
    """Show a backtrace, with links to its report once it has one."""
    backtrace_id = call.resource_id

    def read(connection: Connection) -> BacktraceAnswer:
        record = backtraces.backtrace(connection, call.caller.user_id, backtrace_id)
        if record is None:
            raise BacktraceNotFoundError
        return _answer(connection, call, record)

    return await call.services.catalog.read(read)


async def delete_backtrace(call: Call[Presentation]) -> Answer:
    """Delete a backtrace with its report; one that runs ends within seconds."""
    backtrace_id, user_id = call.resource_id, call.caller.user_id
    reports = [report_key(backtrace_id, form) for form in ("json", "html")]
    if not await call.services.catalog.write(
        lambda connection: write_backtraces.delete(
            connection, user_id, backtrace_id, reports, call.now
        )
    ):
        raise BacktraceNotFoundError
    return empty(204)


def _resolve(
    connection: Connection, call: Call[NewBacktraceQuery], asked: NewBacktrace
) -> dict[str, str | None]:
    user_id, job_id = call.caller.user_id, call.query.job_id
    if pipelines.pipeline(connection, user_id, asked.pipeline.id) is None:
        raise PipelineNotFoundError
    if job_id is not None and jobs.job(connection, user_id, job_id) is None:
        raise JobNotFoundError
    if asked.master is not None:
        _check_master(connection, call, asked.master.id)
    return {
        "user_id": user_id,
        "application_id": call.caller.application_id,
        "pipeline_id": asked.pipeline.id,
        "job_id": job_id,
        "input_name": asked.input.input_name,
        "file_id": _leak(connection, call, asked),
        "wanted_master_id": asked.master.id if asked.master else None,
    }


def _check_master(connection: Connection, call: Call[Any], master_id: str) -> None:
    masters = autograph.masters(connection, call.caller.user_id, call.now)
    if master_id not in {one.id for one in masters}:
        raise InvalidBacktraceInputError(f"master: no AutoGraph master has the id {master_id}")


def _leak(connection: Connection, call: Call[Any], asked: NewBacktrace) -> str:
    """The id of the file that is the leak, or of the one that a finished upload will be."""
    user_id, pipeline_id, key = call.caller.user_id, asked.pipeline.id, asked.input.input_name
    file = files.file_by_key(connection, user_id, pipeline_id, key, call.now)
    if file is not None and file.type == "file":
        return file.id
    upload = uploads.completing_by_key(connection, user_id, pipeline_id, key)
    if upload is not None:
        return upload.file_id
    raise InvalidBacktraceInputError(
        f"input.input_name: the pipeline has no file {key[:80]!r}; upload it and finish the upload"
    )


def _answer(connection: Connection, call: Call[Any], record: BacktraceRecord) -> BacktraceAnswer:
    present = presenter(connection, call, [record])
    return BacktraceAnswer(backtrace_of(present, record, _reports(call)))


def _reports(call: Call[Any]) -> Reports:
    parts = call.services.parts
    return report_links(
        parts.ring(), parts.settings.edge_url, call.caller.application_id, call.now // 1000
    )


_COMMON: dict[str, Any] = {"scopes": scopes.AUTOGRAPH, "invalid": InvalidBacktraceInputError}
_ONE = "{id:str}"
_OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/backtraces/",
        handler=list_backtraces,
        query=ManyBacktraces,
        answer=BacktracesAnswer,
        large=True,
        **_COMMON,
    ),
    Operation(
        method="POST",
        path="/v1/backtraces/",
        handler=create_backtrace,
        query=NewBacktraceQuery,
        answer=BacktraceAnswer,
        status=201,
        body=NewBacktraceBody,
        errors=(PipelineNotFoundError, JobNotFoundError),
        **_COMMON,
    ),
    Operation(
        method="GET",
        path=f"/v1/backtraces/{_ONE}",
        handler=show_backtrace,
        query=Expansion,
        answer=BacktraceAnswer,
        missing=BacktraceNotFoundError,
        **_COMMON,
    ),
    Operation(
        method="DELETE",
        path=f"/v1/backtraces/{_ONE}",
        handler=delete_backtrace,
        query=Presentation,
        status=204,
        missing=BacktraceNotFoundError,
        **_COMMON,
    ),
)


def _under_titles(operation: Operation[Any]) -> Operation[Any]:
    """The same call where the original service has it, too."""

    async def handler(call: Call[Any]) -> Struct | Answer:
        return await operation.handler(call)

    handler.__name__ = f"{operation.name}_under_titles"
    handler.__doc__ = operation.handler.__doc__
    path = operation.path.replace("/v1/", "/v1/titles/", 1)
    return dataclasses.replace(operation, path=path, handler=handler)


OPERATIONS: tuple[Operation[Any], ...] = (
    *_OPERATIONS,
    *(_under_titles(operation) for operation in _OPERATIONS),
)
