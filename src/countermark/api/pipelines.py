"""The Pipelines resource, as far as files need it: list, show, create."""

from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.operation import Call, Operation
from countermark.api.paging import page_links
from countermark.api.parameters import NO_NUL, Expansion, Paging
from countermark.api.references import look_up, wish
from countermark.api.representation import Presenter
from countermark.api.resources import (
    PingUrls,
    PipelineAnswer,
    PipelinesAnswer,
    StoreOptions,
    shape,
)
from countermark.catalog.readers import pipelines
from countermark.catalog.records import PipelineRecord
from countermark.catalog.writers import pipelines as write_pipelines
from countermark.errors import InvalidPipelineInputError, PipelineNotFoundError

_TEN_YEARS = 315_360_000
Timeout = Annotated[int, Meta(ge=1, le=_TEN_YEARS, description="Seconds.")]
Text = Annotated[str, Meta(max_length=4096, pattern=NO_NUL)]


class NewPipeline(Struct, frozen=True, kw_only=True):
    """What a client says of a pipeline."""

    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_NUL)]
    description: Text | None = None
    default_object_timeout: Timeout | None = None
    cancel_timeout: Timeout | None = None
    input_download_dir: Text | None = None
    output_upload_dir: Text | None = None
    store_options: StoreOptions = StoreOptions()
    ping_urls: PingUrls | None = None


class NewPipelineBody(Struct, frozen=True):
    """The body that creates a pipeline."""

    pipeline: NewPipeline


async def list_pipelines(call: Call[Paging]) -> PipelinesAnswer:
    """List pipelines, in the order of their making."""

    def read(connection: Connection) -> PipelinesAnswer:
        query = call.query
        records, total = pipelines.pipelines(
            connection, call.caller.user_id, query.start, query.limit
        )
        presenter = _presenter(connection, call, records)
        base = f"{call.services.urls.base}/pipelines/"
        links = page_links(base, call.raw_query, query.start, query.limit, total)
        return shape(PipelinesAnswer, show_null=query.show_null)(
            pipelines=[presenter.pipeline(record) for record in records],
            total=total,
            start=query.start,
            limit=query.limit,
            **links._asdict(),
        )

    return await call.services.catalog.read(read)


async def show_pipeline(call: Call[Expansion]) -> PipelineAnswer:
    """Show a pipeline."""
    pipeline_id = call.resource_id

    def read(connection: Connection) -> PipelineAnswer:
        record = pipelines.pipeline(connection, call.caller.user_id, pipeline_id)
        if record is None:
            raise PipelineNotFoundError
        return PipelineAnswer(_presenter(connection, call, [record]).pipeline(record))

    return await call.services.catalog.read(read)


async def create_pipeline(call: Call[Expansion]) -> PipelineAnswer:
    """Create a pipeline with its root folder."""
    wanted = (await call.json_body(NewPipelineBody)).pipeline

    def write(connection: Connection) -> PipelineAnswer:
        record = write_pipelines.create_pipeline(
            connection,
            user_id=call.caller.user_id,
            application_id=call.caller.application_id,
            name=wanted.name,
            now=call.now,
            description=wanted.description,
            default_object_timeout=wanted.default_object_timeout,
            cancel_timeout=wanted.cancel_timeout,
            input_download_dir=wanted.input_download_dir,
            output_upload_dir=wanted.output_upload_dir,
            store_mode=wanted.store_options.mode,
            ping_urls=_given(wanted.ping_urls),
        )
        return PipelineAnswer(_presenter(connection, call, [record]).pipeline(record))

    return await call.services.catalog.write(write)


def _given(ping_urls: PingUrls | None) -> dict[str, str] | None:
    if ping_urls is None:
        return None
    return {key: url for key, url in to_builtins(ping_urls).items() if url is not None}


def _presenter(connection: Connection, call: Call[Any], records: list[PipelineRecord]) -> Presenter:
    query: Expansion = call.query
    wanted = wish(query.expand, everything=query.expand_all)
    found = look_up(connection, call.caller.user_id, records, wanted, call.now)
    return Presenter(call.services.urls, show_null=query.show_null, wanted=wanted, found=found)


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/pipelines/",
        handler=list_pipelines,
        query=Paging,
        answer=PipelinesAnswer,
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidPipelineInputError,
        large=True,
    ),
    Operation(
        method="GET",
        path="/v1/pipelines/{id:str}",
        handler=show_pipeline,
        query=Expansion,
        answer=PipelineAnswer,
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidPipelineInputError,
        missing=PipelineNotFoundError,
    ),
    Operation(
        method="POST",
        path="/v1/pipelines/",
        handler=create_pipeline,
        query=Expansion,
        answer=PipelineAnswer,
        status=201,
        scopes=scopes.WRITE,
        body=NewPipelineBody,
        invalid=InvalidPipelineInputError,
    ),
)
