"""From what a client asks for to a job that can be done, or to what is wrong with it."""

import posixpath
import re
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.authorization import require
from countermark.api.job_resources import Autograph
from countermark.api.object_keys import object_key_problem
from countermark.api.operation import Call
from countermark.api.parameters import NO_NUL, ResourceId
from countermark.catalog.job_records import NewJob, PresetRecord
from countermark.catalog.readers import files, pipelines, presets, uploads
from countermark.catalog.records import PipelineRecord
from countermark.errors import (
    InvalidJobInputError,
    JobInputMissingError,
    PipelineNotFoundError,
    PlaceInvalidError,
    PresetNotFoundError,
)
from countermark.ids import new_id
from countermark.media.picture_forms import (
    LogoForm,
    ThumbnailForm,
    UnknownPictureError,
    logo_settings,
    thumbnail_settings,
)
from countermark.media.preset_form import (
    FormSettings,
    PresetFormError,
    TargetFormat,
    Wanted,
    want,
)
from countermark.storage.place import below, parse

MOST_OUTPUTS = 20
MOST_PICTURES = 8
_LONGEST_SECONDS = 1_000_000
_PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Text = Annotated[str, Meta(min_length=1, max_length=1024, pattern=NO_NUL)]


class Named(Struct, frozen=True):
    """Names a resource."""

    id: ResourceId


class NewInput(Struct, frozen=True, kw_only=True):
    """What to convert, or which part of it."""

    input_name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=4096,
            pattern=NO_NUL,
            description="Object key of a file of the pipeline, or a URI.",
        ),
    ]
    start_time: Annotated[float, Meta(ge=0, le=_LONGEST_SECONDS, description="Seconds.")] | None = (
        None
    )
    duration: Annotated[float, Meta(gt=0, le=_LONGEST_SECONDS, description="Seconds.")] | None = (
        None
    )


class NewOutput(Struct, frozen=True, kw_only=True):
    """One file to make.

    In names, {job_id}, {input_name} (without its extension) and {preset_name} are replaced.
    """

    preset: Named
    output_name: Text | None = None
    settings: FormSettings | None = None
    thumbnails: Annotated[tuple[ThumbnailForm, ...], Meta(max_length=MOST_PICTURES)] = ()
    logos: Annotated[tuple[LogoForm, ...], Meta(max_length=MOST_PICTURES)] = ()


class AskedJob(Struct, frozen=True, kw_only=True):
    """What a client says of a job."""

    pipeline: Named
    input: NewInput
    outputs: Annotated[tuple[NewOutput, ...], Meta(min_length=1, max_length=MOST_OUTPUTS)]
    output_prefix: Text = "{job_id}/"
    autograph: Autograph | None = None
    user_data: Annotated[str, Meta(max_length=4096, pattern=NO_NUL)] | None = None
    priority: Annotated[int, Meta(ge=-100, le=100, description="Higher ones go first.")] = 0


class NewJobBody(Struct, frozen=True):
    """The body that creates a job."""

    job: AskedJob


class _Found(Struct, frozen=True):
    """What a name stands for: a URI, or the file that it is or will be."""

    uri: str | None
    file_id: str | None
    name: str


def resolve(connection: Connection, call: Call[Any], asked: AskedJob) -> NewJob:
    """Find everything that the job needs.

    Raises:
        InvalidJobInputError: something contradicts something else.
        JobInputMissingError: the input, or a logo, is not there.
        PipelineNotFoundError: the user has no such pipeline.
        PresetNotFoundError: an output names a preset that is not there.
    """
    if asked.autograph is not None:
        require(call.caller, scopes.AUTOGRAPH)
    pipeline = pipelines.pipeline(connection, call.caller.user_id, asked.pipeline.id)
    if pipeline is None:
        raise PipelineNotFoundError
    found = _found(connection, call, pipeline, "input.input_name", asked.input.input_name)
    job_id = new_id()
    known = {"job_id": job_id, "input_name": posixpath.splitext(found.name)[0]}
    prefix = _filled("output_prefix", asked.output_prefix, known).strip("/")
    outputs = [
        _output(connection, call, pipeline, prefix, number, asked.outputs, known)
        for number in range(len(asked.outputs))
    ]
    _check_keys(outputs, asked.input.input_name)
    if asked.autograph is not None:
        _check_masters(outputs)
    return NewJob(
        id=job_id,
        user_id=call.caller.user_id,
        application_id=call.caller.application_id,
        pipeline_id=pipeline.id,
        priority=asked.priority,
        input={**msgspec.to_builtins(asked.input), "uri": found.uri},
        input_file_id=found.file_id,
        input_file_name=found.name,
        autograph=msgspec.to_builtins(asked.autograph) if asked.autograph else None,
        user_data=asked.user_data,
        output_prefix=prefix,
        outputs=outputs,
    )


def _found(
    connection: Connection, call: Call[Any], pipeline: PipelineRecord, where: str, name: str
) -> _Found:
    if uri := _uri(pipeline, where, name):
        path = posixpath.basename(unquote(urlsplit(uri).path).rstrip("/"))
        return _Found(uri, None, path or "input")
    user_id = call.caller.user_id
    file = files.file_by_key(connection, user_id, pipeline.id, name, call.now)
    if file is not None and file.autograph:
        # What is made of it would be an unmarked copy.
        raise InvalidJobInputError("input.input_name: an AutoGraph master; use what it was made of")
    if file is not None and file.type == "file":
        return _Found(None, file.id, file.name)
    # An upload that is finished, and whose file is about to be there.
    upload = uploads.completing_by_key(connection, user_id, pipeline.id, name)
    if upload is not None:
        return _Found(None, upload.file_id, posixpath.basename(name))
    raise JobInputMissingError(
        f"{where}: the pipeline has no file {name[:80]!r}; upload it and finish the upload"
    )


def _uri(pipeline: PipelineRecord, where: str, name: str) -> str | None:
    try:
        if _SCHEME.match(name):
            return parse(name).uri
        if pipeline.input_download_dir:
            if problem := object_key_problem(name):
                raise InvalidJobInputError(f"{where}: {problem}")
            return below(pipeline.input_download_dir, name)
    except PlaceInvalidError as error:
        raise InvalidJobInputError(f"{where}: {error.detail}") from error
    return None


def _output(
    connection: Connection,
    call: Call[Any],
    pipeline: PipelineRecord,
    prefix: str,
    number: int,
    all_asked: tuple[NewOutput, ...],
    known: dict[str, str],
) -> dict[str, Any]:
    asked, where = all_asked[number], f"outputs[{number}]"
    preset = presets.preset(connection, call.caller.user_id, asked.preset.id)
    if preset is None:
        raise PresetNotFoundError(
            f"{where}.preset: no preset has the id {asked.preset.id}; GET /v1/presets/ lists them"
        )
    wanted = _wanted(where, preset, asked.settings)
    default = "{input_name}" if len(all_asked) == 1 else "{input_name}_{preset_name}"
    name = _filled(
        f"{where}.output_name",
        asked.output_name or default,
        known | {"preset_name": preset.name},
    )
    return {
        "preset": {"id": preset.id},
        "output_name": name,
        "object_key": _object_key(prefix, name, wanted.extension),
        "settings": msgspec.to_builtins(asked.settings),
        "thumbnails": msgspec.to_builtins(asked.thumbnails),
        "logos": msgspec.to_builtins(asked.logos),
        "wanted": msgspec.to_builtins(wanted),
        "pictures": [_thumbnails(where, form) for form in asked.thumbnails],
        "overlays": [_logo(connection, call, pipeline, where, form) for form in asked.logos],
    }


def _thumbnails(where: str, form: ThumbnailForm) -> dict[str, Any]:
    name = form.thumbnail_names.replace("{resolution}", "")
    if "/" in name or "{" in name or object_key_problem(f"_{name}"):
        raise InvalidJobInputError(
            f"{where}.thumbnails.thumbnail_names: accepted: a file's name with {{resolution}} in it"
        )
    try:
        settings = thumbnail_settings(form)
    except UnknownPictureError as error:
        raise InvalidJobInputError(f"{where}.thumbnails.{error}") from error
    return {"names": form.thumbnail_names, "settings": msgspec.to_builtins(settings)}


def _logo(
    connection: Connection, call: Call[Any], pipeline: PipelineRecord, where: str, form: LogoForm
) -> dict[str, Any]:
    try:
        logo = logo_settings(form)
    except UnknownPictureError as error:
        raise InvalidJobInputError(f"{where}.logos.{error}") from error
    found = _found(connection, call, pipeline, f"{where}.logos.logo_image", form.logo_image)
    return {"uri": found.uri, "file_id": found.file_id, "logo": msgspec.to_builtins(logo)}


def _wanted(where: str, preset: PresetRecord, settings: FormSettings | None) -> Wanted:
    target = msgspec.convert(preset.target_format, TargetFormat)
    said = msgspec.convert(preset.settings, FormSettings)
    try:
        return want(target, said, settings or FormSettings())
    except PresetFormError as error:
        raise InvalidJobInputError(f"{where}: {error}") from error


def _filled(where: str, text: str, known: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            accepted = ", ".join(f"{{{name}}}" for name in known)
            raise InvalidJobInputError(f"{where}: {match[0]} is unknown; accepted: {accepted}")
        return known[match[1]]

    return _PLACEHOLDER.sub(value, text)


def _object_key(prefix: str, name: str, extension: str) -> str:
    """Where an output lies; the extension is added unless the name has it."""
    whole = name if name.lower().endswith(f".{extension}") else f"{name}.{extension}"
    return f"{prefix}/{whole}" if prefix else whole


def _check_masters(outputs: list[dict[str, Any]]) -> None:
    for number, output in enumerate(outputs):
        settings = output["wanted"]["settings"]
        if settings["container"] != "mp4" or settings.get("video", {}).get("codec") != "h264":
            raise InvalidJobInputError(
                f"outputs[{number}].preset: a master is H.264 in MP4; use such a preset, or leave "
                "autograph out"
            )


def _check_keys(outputs: list[dict[str, Any]], input_name: str) -> None:
    keys: set[str] = set()
    for number, output in enumerate(outputs):
        key, where = output["object_key"], f"outputs[{number}].output_name"
        if problem := object_key_problem(key):
            raise InvalidJobInputError(f"{where} or output_prefix: {problem}")
        if key in keys:
            raise InvalidJobInputError(f"{where}: another output is {key!r}, too")
        if key == input_name:
            raise InvalidJobInputError(f"{where}: {key!r} is the input")
        keys.add(key)
