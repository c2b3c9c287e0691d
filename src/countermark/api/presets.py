"""The Presets resource: how to encode. Those that are built in are everybody's to see."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.job_resources import PresetAnswer, PresetsAnswer
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
from countermark.catalog.job_records import PresetRecord
from countermark.catalog.readers import presets
from countermark.catalog.writers import presets as write_presets
from countermark.errors import InvalidPresetInputError, PresetNotFoundError
from countermark.ids import new_id
from countermark.media.preset_form import FormSettings, PresetFormError, TargetFormat, want

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_NUL)]
Text = Annotated[str, Meta(max_length=4096, pattern=NO_NUL)]


class NewPreset(Struct, frozen=True, kw_only=True):
    """What a client says of a preset."""

    name: Name
    description: Text | None = None
    target_format: TargetFormat
    settings: FormSettings = FormSettings()


class NewPresetBody(Struct, frozen=True):
    """The body that creates a preset."""

    preset: NewPreset


class PresetChange(Struct, frozen=True, kw_only=True):
    """What is to be different; the rest stays as it is."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    target_format: TargetFormat | UnsetType = UNSET
    settings: FormSettings | UnsetType = UNSET


class PresetChangeBody(Struct, frozen=True):
    """The body that changes a preset."""

    preset: PresetChange


class ManyPresets(Paging, frozen=True, kw_only=True):
    """GET /presets/."""

    sort: Annotated[str, sorting_by(presets.sort_keys())] = "id"
    direction: Direction = "1"
    type: Annotated[
        tuple[Literal["system", "custom"], ...],
        Meta(min_length=1, description="Built in (system), the user's own (custom), or both."),
    ] = ()


async def list_presets(call: Call[ManyPresets]) -> PresetsAnswer:
    """List presets; without a token, those that are built in."""
    page = page_of(call, presets.sort_keys())

    def read(connection: Connection) -> PresetsAnswer:
        records, total = presets.presets(connection, call.user_id, call.query.type, page)
        present = presenter(connection, call, records)
        shown = [present.preset(record) for record in records]
        return page_answer(PresetsAnswer, call, "presets", shown, total)

    return await call.services.catalog.read(read)


async def show_preset(call: Call[Expansion]) -> PresetAnswer:
    """Show a preset."""
    preset_id = call.resource_id
    return await call.services.catalog.read(lambda connection: _answer(connection, call, preset_id))


async def create_preset(call: Call[Expansion]) -> PresetAnswer:
    """Create a preset."""
    wanted = (await call.json_body(NewPresetBody)).preset
    _check(wanted.target_format, wanted.settings)
    record = PresetRecord(
        id=new_id(),
        user_id=call.caller.user_id,
        application_id=call.caller.application_id,
        name=wanted.name,
        description=wanted.description,
        target_format=msgspec.to_builtins(wanted.target_format),
        settings=msgspec.to_builtins(wanted.settings),
        created_at=call.now,
        updated_at=call.now,
    )

    def write(connection: Connection) -> PresetAnswer:
        write_presets.add_preset(connection, record)
        return _answer(connection, call, record.id)

    return await call.services.catalog.write(write)


async def change_preset(call: Call[Expansion]) -> PresetAnswer:
    """Change a preset of one's own; jobs that were created before are not affected."""
    preset_id = call.resource_id
    change = (await call.json_body(PresetChangeBody)).preset

    def write(connection: Connection) -> PresetAnswer:
        found = presets.preset(connection, call.caller.user_id, preset_id)
        if found is None or found.user_id is None:
            raise PresetNotFoundError
        changes: dict[str, Any] = msgspec.to_builtins(change)
        merged = msgspec.structs.replace(found, **changes)
        _check(
            msgspec.convert(merged.target_format, TargetFormat),
            msgspec.convert(merged.settings, FormSettings),
        )
        write_presets.change_preset(connection, call.caller.user_id, preset_id, changes, call.now)
        return _answer(connection, call, preset_id)

    return await call.services.catalog.write(write)


async def delete_preset(call: Call[Presentation]) -> Answer:
    """Delete a preset of one's own; jobs that were created before are not affected."""
    preset_id, user_id = call.resource_id, call.caller.user_id
    if not await call.services.catalog.write(
        lambda connection: write_presets.delete_preset(connection, user_id, preset_id)
    ):
        raise PresetNotFoundError
    return empty(204)


def _answer(connection: Connection, call: Call[Expansion], preset_id: str) -> PresetAnswer:
    record = presets.preset(connection, call.user_id, preset_id)
    if record is None:
        raise PresetNotFoundError
    return PresetAnswer(presenter(connection, call, [record]).preset(record))


def _check(target: TargetFormat, settings: FormSettings) -> None:
    try:
        want(target, settings)
    except PresetFormError as error:
        raise InvalidPresetInputError(f"preset: {error}") from error


_MANY: dict[str, Any] = {"path": "/v1/presets/", "invalid": InvalidPresetInputError}
_ONE: dict[str, Any] = {
    "path": "/v1/presets/{id:str}",
    "invalid": InvalidPresetInputError,
    "missing": PresetNotFoundError,
}
_READ: dict[str, Any] = {"scopes": scopes.READ_PIPELINES, "open": True}
_SHOWN: dict[str, Any] = {"query": Expansion, "answer": PresetAnswer}
OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        handler=list_presets,
        query=ManyPresets,
        answer=PresetsAnswer,
        large=True,
        **_READ,
        **_MANY,
    ),
    Operation(
        method="POST",
        handler=create_preset,
        status=201,
        scopes=scopes.WRITE,
        body=NewPresetBody,
        **_SHOWN,
        **_MANY,
    ),
    Operation(method="GET", handler=show_preset, **_SHOWN, **_READ, **_ONE),
    Operation(
        method="PUT",
        handler=change_preset,
        scopes=scopes.WRITE,
        body=PresetChangeBody,
        **_SHOWN,
        **_ONE,
    ),
    Operation(
        method="DELETE",
        handler=delete_preset,
        query=Presentation,
        status=204,
        scopes=scopes.WRITE,
        **_ONE,
    ),
)
