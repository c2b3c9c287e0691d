"""The Pipelines resource: places for files and jobs."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.operation import Call, Operation
from countermark.api.parameters import (
    NO_NUL,
    Direction,
    Expansion,
    Paging,
    Presentation,
    sorting_by,
)
from countermark.api.presenting import page_answer, page_of, presenter
from countermark.api.resources import PingUrls, PipelineAnswer, PipelinesAnswer, StoreOptions
from countermark.api.urls import without_password, without_secrets
from countermark.catalog.readers import pipelines
from countermark.catalog.records import PipelineRecord
from countermark.catalog.writers import pipelines as write_pipelines
from countermark.errors import (
    InvalidPipelineInputError,
    PipelineInUseError,
    PipelineNotFoundError,
    PlaceInvalidError,
)
from countermark.storage.place import below

_TEN_YEARS = 315_360_000
Timeout = Annotated[int, Meta(ge=1, le=_TEN_YEARS, description="Seconds.")]
Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_NUL)]
Text = Annotated[str, Meta(max_length=4096, pattern=NO_NUL)]
_PLACES = frozenset({"input_download_dir", "output_upload_dir"})


class NewPipeline(Struct, frozen=True, kw_only=True):
    """What a client says of a pipeline."""

    name: Name
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


class PipelineChange(Struct, frozen=True, kw_only=True):
    """What is to be different; the rest stays as it is."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    default_object_timeout: Timeout | UnsetType | None = UNSET
    cancel_timeout: Timeout | UnsetType | None = UNSET
    input_download_dir: Text | UnsetType | None = UNSET
    output_upload_dir: Text | UnsetType | None = UNSET
    store_options: StoreOptions | UnsetType = UNSET
    ping_urls: PingUrls | UnsetType | None = UNSET


class PipelineChangeBody(Struct, frozen=True):
    """The body that changes a pipeline."""

    pipeline: PipelineChange


class ManyPipelines(Paging, frozen=True, kw_only=True):
    """GET /pipelines/."""

    sort: Annotated[str, sorting_by(pipelines.sort_keys())] = "id"
    direction: Direction = "1"


async def list_pipelines(call: Call[ManyPipelines]) -> PipelinesAnswer:
    """List pipelines."""
    page = page_of(call, pipelines.sort_keys())

    def read(connection: Connection) -> PipelinesAnswer:
        records, total = pipelines.pipelines(connection, call.caller.user_id, page)
        present = presenter(connection, call, records)
        shown = [present.pipeline(record) for record in records]
        return page_answer(PipelinesAnswer, call, "pipelines", shown, total)

    return await call.services.catalog.read(read)


async def show_pipeline(call: Call[Expansion]) -> PipelineAnswer:
    """Show a pipeline."""
    pipeline_id, user_id = call.resource_id, call.caller.user_id
    return await call.services.catalog.read(
        lambda connection: _answer(
            connection, call, pipelines.pipeline(connection, user_id, pipeline_id)
        )
    )


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
            input_download_dir=_place("input_download_dir", wanted.input_download_dir),
            output_upload_dir=_place("output_upload_dir", wanted.output_upload_dir),
            store_mode=wanted.store_options.mode,
            ping_urls=_given(wanted.ping_urls),
        )
        return _answer(connection, call, record)

    return await call.services.catalog.write(write)


async def change_pipeline(call: Call[Expansion]) -> PipelineAnswer:
    """Change a pipeline; what is not named stays as it is.

    A password that was shown as `***` may be sent back so, and stays what it is.
    """
    pipeline_id, user_id = call.resource_id, call.caller.user_id
    change = (await call.json_body(PipelineChangeBody)).pipeline

    def write(connection: Connection) -> PipelineAnswer:
        found = pipelines.pipeline(connection, user_id, pipeline_id)
        if found is None:
            raise PipelineNotFoundError
        columns = _columns(change, found)
        changed = write_pipelines.change_pipeline(
            connection, user_id, pipeline_id, columns, call.now
        )
        return _answer(connection, call, changed)

    return await call.services.catalog.write(write)


async def delete_pipeline(call: Call[Presentation]) -> Answer:
    """Delete a pipeline that has no files, no uploads under way and no unfinished jobs."""
    pipeline_id, user_id = call.resource_id, call.caller.user_id
    if not await call.services.catalog.write(
        lambda connection: write_pipelines.delete_pipeline(
            connection, user_id, pipeline_id, call.now
        )
    ):
        raise PipelineNotFoundError
    return empty(204)


def _answer(
    connection: Connection, call: Call[Any], record: PipelineRecord | None
) -> PipelineAnswer:
    if record is None:
        raise PipelineNotFoundError
    return PipelineAnswer(presenter(connection, call, [record]).pipeline(record))


def _columns(change: PipelineChange, found: PipelineRecord) -> dict[str, Any]:
    """The change as columns of the table."""
    columns: dict[str, Any] = {}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        if value is UNSET:
            continue
        if name == "store_options":
            columns["store_mode"] = value.mode
        elif name == "ping_urls":
            columns["ping_urls"] = _given(value, found.ping_urls)
        elif name in _PLACES:
            columns[name] = _place(name, value, getattr(found, name))
        else:
            columns[name] = value
    return columns


def _place(name: str, uri: str | None, before: str | None = None) -> str | None:
    """A folder elsewhere that can be used; what comes back as it was shown stays what it is."""
    if not uri:
        return None
    if before and uri == without_secrets(before):
        return before
    try:
        below(uri, "file")
    except PlaceInvalidError as error:
        raise InvalidPipelineInputError(f"{name}: {error.detail}") from error
    return uri


def _given(
    ping_urls: PingUrls | None, before: dict[str, str] | None = None
) -> dict[str, str] | None:
    if ping_urls is None:
        return None
    given = {event: url for event, url in to_builtins(ping_urls).items() if url is not None}
    for event, known in (before or {}).items():
        if given.get(event) == without_password(known):
            given[event] = known
    return given


_MANY: dict[str, Any] = {"path": "/v1/pipelines/", "invalid": InvalidPipelineInputError}
_ONE: dict[str, Any] = {
    "path": "/v1/pipelines/{id:str}",
    "invalid": InvalidPipelineInputError,
    "missing": PipelineNotFoundError,
}
_READ: dict[str, Any] = {"scopes": scopes.READ_PIPELINES}
_SHOWN: dict[str, Any] = {"query": Expansion, "answer": PipelineAnswer}
OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        handler=list_pipelines,
        query=ManyPipelines,
        answer=PipelinesAnswer,
        large=True,
        **_READ,
        **_MANY,
    ),
    Operation(
        method="POST",
        handler=create_pipeline,
        status=201,
        scopes=scopes.WRITE,
        body=NewPipelineBody,
        **_SHOWN,
        **_MANY,
    ),
    Operation(method="GET", handler=show_pipeline, **_SHOWN, **_READ, **_ONE),
    Operation(
        method="PUT",
        handler=change_pipeline,
        scopes=scopes.WRITE,
        body=PipelineChangeBody,
        **_SHOWN,
        **_ONE,
    ),
    Operation(
        method="DELETE",
        handler=delete_pipeline,
        query=Presentation,
        status=204,
        scopes=scopes.WRITE,
        errors=(PipelineInUseError,),
        **_ONE,
    ),
)
